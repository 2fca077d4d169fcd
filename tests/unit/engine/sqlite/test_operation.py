"""Operations: in line with the commits, inside their transaction, undone alone when refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from hub.engine.contract import Stored, TopicHead
from hub.engine.schedule import Scheduled, ScheduledDraft
from hub.engine.sqlite.requests import LIGHT, Open, Operate, Operated, Publish, Published, Weight
from hub.engine.sqlite.scheduled import AddScheduled
from hub.engine.sqlite.topics import Trimmed
from hub.errors import Aborted, Internal, Unavailable
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from tests.unit.engine.sqlite.support import (
    LIFETIME_MS,
    START_MS,
    TOPIC,
    PlainShard,
    draft,
    drafts,
    results,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hub.engine.sqlite.operation import Work

OTHER = "meeting/other"


@dataclass
class Scripted:
    """Runs a function of the test."""

    script: Callable[[Work], object]
    topics: tuple[str, ...] = (TOPIC, OTHER)
    weight: Weight = LIGHT
    runs: list[int] = field(default_factory=list)

    def run(self, work: Work) -> object:
        self.runs.append(len(self.runs))
        return self.script(work)


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[PlainShard]:
    opened = PlainShard(tmp_path / "000.db")
    yield opened
    opened.close()


def test_an_operation_sees_what_its_batch_stored_before_it(shard: PlainShard) -> None:
    def count(work: Work) -> object:
        return work.connection.execute("SELECT count(*) FROM event").fetchone()[0]

    outcome = shard.writer.commit(
        [
            Publish(drafts("a", "b"), 0),
            Operate(Scripted(count)),
            Publish(drafts("c"), 0),
            Operate(Scripted(count)),
        ]
    )

    assert [a.value for a in outcome.answers if isinstance(a, Operated)] == [2, 3]
    assert shard.events() == [(1, "a"), (2, "b"), (3, "c")]


def test_what_it_appends_has_its_place_between_the_publishes(shard: PlainShard) -> None:
    outcome = shard.writer.commit(
        [
            Publish(drafts("a"), 0),
            Operate(Scripted(lambda work: [work.append(draft("b")), work.append(draft("b"))])),
            Publish(drafts("c"), 0),
            Open(TOPIC),
        ]
    )

    _, operated, _, opened = outcome.answers
    assert isinstance(operated, Operated)
    first_time, again = operated.value
    assert (first_time.offset, first_time.duplicate) == (2, False)
    assert (again.offset, again.duplicate) == (2, True)
    assert [(event.offset, event.prev) for event in operated.events] == [(2, 1)]
    assert isinstance(opened, TopicHead)
    assert opened.head == 3
    assert shard.events() == [(1, "a"), (2, "b"), (3, "c")]


def test_a_refused_operation_leaves_nothing_and_harms_nobody(shard: PlainShard) -> None:
    def refuse(work: Work) -> object:
        work.append(draft("lost"))
        work.append(draft("lost", OTHER))
        work.connection.execute("UPDATE meta SET value = 77 WHERE key = 'probed'")
        raise Aborted(reasons.ERROR_REASON_REVISION_STALE, "no")

    outcome = shard.writer.commit(
        [Publish(drafts("a"), 0), Operate(Scripted(refuse)), Publish(drafts("lost"), 0)]
    )

    assert isinstance(outcome.answers[1], Aborted)
    assert [r.offset for r in results(outcome) if isinstance(r, Stored)] == [1, 2]
    assert shard.events() == [(1, "a"), (2, "lost")]
    assert shard.events(OTHER) == []
    probed = shard.writer.connection.execute("SELECT value FROM meta WHERE key = 'probed'")
    assert probed.fetchone()[0] != 77


def test_a_broken_operation_is_tried_alone_and_the_others_are_stored(shard: PlainShard) -> None:
    def fail(work: Work) -> object:
        work.append(draft("half"))
        raise ZeroDivisionError

    outcome = shard.writer.commit([Publish(drafts("a"), 0), Operate(Scripted(fail))])

    assert isinstance(outcome.answers[1], Internal)
    assert shard.events() == [(1, "a")]


def test_a_moved_floor_is_kept_and_told(shard: PlainShard, tmp_path: Path) -> None:
    def purge(work: Work) -> object:
        topic = work.topic(TOPIC)
        work.connection.execute("DELETE FROM event WHERE topic_id = ?", (topic.id,))
        work.move_floor(TOPIC, topic.head, "b", 0)
        return topic.head

    shard.commit(drafts("a", "b"))
    (answer,) = shard.writer.commit([Operate(Scripted(purge))]).answers

    assert isinstance(answer, Operated)
    assert answer.trimmed == [Trimmed(TOPIC, 2, purged=True)]
    assert shard.open(TOPIC) == shard.reader.head(TOPIC)
    assert (shard.reader.head(TOPIC).floor, shard.reader.head(TOPIC).floor_id) == (2, "b")
    assert shard.commit(drafts("c")).stored == 1
    assert shard.events() == [(3, "c")]


@pytest.mark.parametrize("alone", [True, False])
def test_a_disk_that_fills_inside_an_operation_is_the_storages_failure(
    shard: PlainShard, alone: bool
) -> None:
    """SQLite may undo the whole transaction then, and with it the operation's own savepoint."""
    shard.commit(drafts("a"))
    shard.connection.execute("PRAGMA max_page_count=1").fetchone()
    big = Operate(Scripted(lambda work: work.append(draft("big", body=bytes(100_000)))))
    outcome = shard.writer.commit([big] if alone else [Publish(drafts("b"), 0), big])

    assert outcome.failure is not None
    for answer in outcome.answers:
        refused = answer.results[0] if isinstance(answer, Published) else answer
        assert isinstance(refused, Unavailable)
        assert refused.reason == reasons.ERROR_REASON_STORAGE_FAILED
    shard.connection.execute("PRAGMA max_page_count=1000000").fetchone()
    assert shard.events() == [(1, "a")]
    assert shard.commit(drafts("b")).stored == 1


def test_many_old_drafts_for_later_walk_the_log_once(shard: PlainShard) -> None:
    """As those that are published at once: the writer's thread is not held."""
    names = [f"{n}" for n in range(200)]
    shard.commit(drafts(*names))
    shard.connection.execute("DELETE FROM dedup")
    statements: list[str] = []
    shard.connection.set_trace_callback(statements.append)
    old = START_MS - LIFETIME_MS // 2 - 1
    later = [
        ScheduledDraft(draft(name, first_sent_ms=old), START_MS + 1000) for name in (*names, "new")
    ]

    (answer,) = shard.writer.commit([Operate(AddScheduled(later))]).answers

    assert isinstance(answer, Operated)
    assert [isinstance(one, Stored) and one.duplicate for one in answer.value[:-1]] == [True] * 200
    assert isinstance(answer.value[-1], Scheduled)
    assert len([text for text in statements if "FROM event" in text]) == 1
