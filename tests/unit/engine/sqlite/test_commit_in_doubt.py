"""A commit that fails in its last step: nobody claims to know, and the next one goes on rightly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.engine.contract import Stored
from hub.engine.sqlite.database import CommitFailed
from hub.engine.sqlite.engine import wall_clock_ms
from hub.engine.sqlite.policy import Retention
from hub.engine.sqlite.removal import Purge
from hub.engine.sqlite.requests import LIGHT, Open, Operate, Operated, Publish
from hub.engine.sqlite.topics import Trimmed
from hub.errors import HubError, Unavailable
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from tests.unit.engine.sqlite.support import START_MS, TOPIC, PlainShard, draft, drafts, results

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hub.engine.sqlite.operation import Work

OTHER = "meeting/other"


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[PlainShard]:
    made = PlainShard(tmp_path / "shard.db")
    made.commit(drafts("a"))
    yield made
    made.close()


class _Append:
    topics = (TOPIC,)
    weight = LIGHT

    def run(self, work: Work) -> object:
        return work.append(draft("o"))


@pytest.mark.parametrize("how", ["lost", "kept"])
def test_every_draft_of_it_is_in_doubt(shard: PlainShard, how: str) -> None:
    """Also those behind the first of their topic: each may be in the log."""
    shard.connection.fail = how
    outcome = shard.commit(drafts("b", "c"), [draft("d", OTHER)])
    for result, topic in zip(results(outcome), (TOPIC, TOPIC, OTHER), strict=True):
        assert isinstance(result, Unavailable)
        assert result.reason == reasons.ERROR_REASON_OUTCOME_UNKNOWN
        assert result.topic == topic
        assert result.retry_after is not None
    assert outcome.failure is not None
    assert not outcome.wrote


@pytest.mark.parametrize("how", ["lost", "kept"])
def test_sent_again_with_the_same_ids_all_is_stored_once(shard: PlainShard, how: str) -> None:
    shard.connection.fail = how
    shard.commit(drafts("b", "c"), [draft("d", OTHER)])
    again = shard.commit(drafts("b", "c"), [draft("d", OTHER)], [draft("e", "meeting/new")])
    known = how == "kept"
    stored = [result for result in results(again) if isinstance(result, Stored)]
    assert [(one.offset, one.duplicate) for one in stored] == [
        (2, known),
        (3, known),
        (1, known),
        (1, False),
    ]
    assert shard.events() == [(1, "a"), (2, "b"), (3, "c")]
    assert shard.events(OTHER) == [(1, "d")]
    assert shard.count("topic") == 3


@pytest.mark.parametrize("how", ["lost", "kept"])
def test_another_topic_takes_no_place_of_a_new_one_in_doubt(shard: PlainShard, how: str) -> None:
    shard.connection.fail = how
    shard.commit([draft("d", OTHER)])
    (result,) = results(shard.commit([draft("e", "meeting/new")]))
    assert isinstance(result, Stored)
    assert shard.events(OTHER) == ([(1, "d")] if how == "kept" else [])
    assert shard.events("meeting/new") == [(1, "e")]


@pytest.mark.parametrize("how", ["lost", "kept"])
def test_operations_and_openings_of_it_are_told(shard: PlainShard, how: str) -> None:
    shard.connection.fail = how
    outcome = shard.writer.commit([Publish(drafts("b"), 0), Operate(_Append()), Open(TOPIC)])
    _, operated, opened = outcome.answers
    assert isinstance(operated, HubError)
    assert operated.reason == reasons.ERROR_REASON_OUTCOME_UNKNOWN
    assert isinstance(opened, HubError)
    assert opened.reason == reasons.ERROR_REASON_STORAGE_FAILED
    assert shard.open(TOPIC) == shard.reader.head(TOPIC)


@pytest.mark.parametrize("how", ["lost", "kept"])
def test_a_purge_in_doubt_is_told_when_it_is_asked_for_again(shard: PlainShard, how: str) -> None:
    """Whether the part that removed was stored or not."""
    shard.connection.fail = how
    (doubtful,) = shard.writer.commit([Operate(Purge(TOPIC, wall_clock_ms))]).answers
    assert isinstance(doubtful, HubError)
    (again,) = shard.writer.commit([Operate(Purge(TOPIC, wall_clock_ms))]).answers
    assert isinstance(again, Operated)
    assert again.value.removed == (1 if how == "lost" else 0)
    assert again.trimmed == [Trimmed(TOPIC, 1, purged=True)]


def test_what_fails_before_the_commit_is_known_not_to_be_stored(shard: PlainShard) -> None:
    shard.connection.execute("PRAGMA query_only=1")
    (refused,) = results(shard.commit(drafts("b")))
    assert isinstance(refused, Unavailable)
    assert refused.reason == reasons.ERROR_REASON_STORAGE_FAILED


@pytest.mark.parametrize("how", ["lost", "kept"])
def test_a_trim_in_doubt_leaves_no_floor_below_what_is_gone(tmp_path: Path, how: str) -> None:
    """A floor that went back would let a reader pass over what is gone, untold."""
    shard = PlainShard(tmp_path / "shard.db", lambda _: Retention(max_events=2))
    shard.commit(drafts(*"abcdefgh"))
    shard.connection.fail = how
    with pytest.raises(CommitFailed):
        shard.housekeeper.step(START_MS)
    shard.commit(drafts("i"))
    page = shard.reader.read(TOPIC, 0, 100, 1 << 20)
    assert page.state.floor + 1 == page.events[0].offset
    assert page.state.oldest_ms == START_MS
    shard.tidy(START_MS)
    assert shard.events() == [(7, "g"), (8, "h"), (9, "i")]
    assert shard.open(TOPIC) == shard.reader.head(TOPIC)
    shard.close()
