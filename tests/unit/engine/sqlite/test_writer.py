"""The writer as a plain object: a full disk, a poisoned draft, many calls in a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from google.rpc import code_pb2

from hub.engine.contract import NotAttempted, Stored, TopicHead, Verdict
from hub.engine.schedule import ScheduledDraft
from hub.engine.sqlite.checkpoint import FRAME_BYTES
from hub.engine.sqlite.dedup import MAX_WALKS
from hub.engine.sqlite.engine import wall_clock_ms
from hub.engine.sqlite.removal import Place, Purge, Withdraw
from hub.engine.sqlite.requests import Operate, Operated
from hub.engine.sqlite.scheduled import AddScheduled, EraseScheduled, Release, due_drafts
from hub.errors import FailedPrecondition, Internal, ResourceExhausted, Unavailable
from hub.model.cursor import Cursor
from shipspeak.realtime.v1 import error_reason_pb2
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
    from collections.abc import Iterator
    from pathlib import Path

    from hub.engine.sqlite.requests import Operable


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[PlainShard]:
    made = PlainShard(tmp_path / "shard.db")
    yield made
    made.close()


def fill_the_disk(shard: PlainShard, *, full: bool) -> None:
    """Let SQLite refuse every new page, as it does on a full disk, or take them again."""
    pages = 1 if full else 1 << 30
    shard.writer.connection.execute(f"PRAGMA max_page_count={pages}").fetchone()


def test_a_full_disk_is_answered_and_loses_nothing(shard: PlainShard) -> None:
    shard.commit(drafts("a"))
    fill_the_disk(shard, full=True)
    big = [draft(f"b{n}", body=bytes(5000)) for n in range(3)]
    outcome = shard.commit(big, [draft("c", "meeting/43", body=bytes(5000))])
    first, second, third, other = results(outcome)
    for refused, topic in ((first, TOPIC), (other, "meeting/43")):
        assert isinstance(refused, Unavailable)
        assert refused.code == code_pb2.UNAVAILABLE
        assert refused.reason == error_reason_pb2.ERROR_REASON_STORAGE_FAILED
        assert refused.topic == topic
        assert refused.retry_after is not None
    assert (second, third) == (NotAttempted(), NotAttempted())
    assert outcome.failure is not None
    assert not outcome.wrote
    assert shard.events() == [(1, "a")]

    known = shard.open(TOPIC)
    assert isinstance(known, TopicHead)
    assert known.head == 1

    fill_the_disk(shard, full=False)
    again = shard.commit(big)
    assert [result.offset for result in results(again) if isinstance(result, Stored)] == [2, 3, 4]
    assert again.failure is None
    assert shard.events() == [(1, "a"), (2, "b0"), (3, "b1"), (4, "b2")]


def test_a_draft_that_cannot_be_written_fails_alone(shard: PlainShard) -> None:
    poison = draft("p\ud800")  # a lone surrogate has no UTF-8
    outcome = shard.commit(drafts("a"), [poison, draft("x")], drafts("b"))
    first, bad, stopped, last = results(outcome)
    assert isinstance(first, Stored)
    assert isinstance(last, Stored)
    assert isinstance(bad, Internal)
    assert stopped == NotAttempted()
    assert outcome.failure is None
    assert shard.events() == [(1, "a"), (2, "b")]
    again = PlainShard(shard.path)
    assert again.events() == [(1, "a"), (2, "b")]
    again.close()


def test_a_failed_group_leaves_no_id_behind_in_its_batch(shard: PlainShard) -> None:
    group = [draft("a", group=1), draft("b", group=1, expected_offset=9)]
    outcome = shard.commit(group, drafts("a"))
    assert isinstance(results(outcome)[1], FailedPrecondition)
    assert results(outcome)[2] == Stored(shard.reader.head(TOPIC).epoch, 1)
    assert shard.events() == [(1, "a")]


def test_a_failed_group_leaves_no_time_behind(shard: PlainShard) -> None:
    group = [
        draft("a", group=1, published_ms=START_MS - 500),
        draft("b", group=1, expected_offset=9),
    ]
    shard.commit(group, drafts("c"))
    assert shard.reader.head(TOPIC).oldest_ms == START_MS


def test_groups_of_two_calls_do_not_mix(shard: PlainShard) -> None:
    good = [draft("a", group=1), draft("b", group=1)]
    bad = [draft("c", group=1), draft("d", group=1, expected_offset=9)]
    shard.commit(good, bad)
    assert shard.events() == [(1, "a"), (2, "b")]


@pytest.mark.parametrize(
    ("age_ms", "duplicate"), [(LIFETIME_MS // 2, False), (LIFETIME_MS // 2 + 1, True)]
)
def test_beyond_half_the_lifetime_the_log_is_asked(
    shard: PlainShard, age_ms: int, duplicate: bool
) -> None:
    """The id is in the log, and the memory has forgotten it."""
    shard.commit(drafts("a"))
    shard.writer.connection.execute("DELETE FROM dedup")
    (result,) = results(shard.commit([draft("a", first_sent_ms=START_MS - age_ms)]))
    assert isinstance(result, Stored)
    assert result.duplicate is duplicate


def test_many_old_drafts_walk_the_log_once_for_each_topic(shard: PlainShard) -> None:
    """A client that returns after hours sends a whole outbox: the writer's thread is not held."""
    names = [f"{n}" for n in range(300)]
    shard.commit(drafts(*names), [draft("x", "meeting/43")])
    shard.writer.connection.execute("DELETE FROM dedup")
    statements: list[str] = []
    shard.writer.connection.set_trace_callback(statements.append)
    old = START_MS - LIFETIME_MS // 2 - 1
    outcome = shard.commit(
        [draft(name, first_sent_ms=old) for name in (*names, "new")],
        [draft("x", "meeting/43", first_sent_ms=old)],
    )
    stored = [result for result in results(outcome) if isinstance(result, Stored)]
    assert [one.offset for one in stored] == [*range(1, 302), 1]
    assert [one.duplicate for one in stored] == [*[True] * 300, False, True]
    assert len([text for text in statements if "FROM event" in text]) == 2


def test_old_drafts_of_many_topics_are_looked_up_bit_by_bit(shard: PlainShard) -> None:
    """What there was no time for is refused with a time, and never stored blindly."""
    old = START_MS - LIFETIME_MS // 2 - 1
    again = [draft("a", f"meeting/{n}", first_sent_ms=old) for n in range(MAX_WALKS + 9)]
    shard.commit([draft("a", f"meeting/{n}") for n in range(MAX_WALKS + 9)])
    shard.writer.connection.execute("DELETE FROM dedup")
    answers = results(shard.commit(again))
    assert [isinstance(one, Stored) and one.duplicate for one in answers[:MAX_WALKS]] == [
        True
    ] * MAX_WALKS
    for refused in answers[MAX_WALKS:]:
        assert isinstance(refused, ResourceExhausted)
        assert refused.retry_after is not None
    later = results(shard.commit(again[MAX_WALKS:]))
    assert all(isinstance(one, Stored) and one.duplicate for one in later)


@pytest.mark.parametrize(("age_ms", "refused"), [(LIFETIME_MS, False), (LIFETIME_MS + 1, True)])
def test_beyond_the_lifetime_what_is_not_in_the_log_is_refused(
    shard: PlainShard, age_ms: int, refused: bool
) -> None:
    shard.commit(drafts("a"))
    (result,) = results(shard.commit([draft("b", first_sent_ms=START_MS - age_ms)]))
    assert isinstance(result, FailedPrecondition) is refused


def test_an_id_is_forgotten_after_its_lifetime(shard: PlainShard) -> None:
    shard.commit(drafts("a"))
    shard.tidy(START_MS + LIFETIME_MS)
    assert shard.count("dedup") == 1
    shard.tidy(START_MS + LIFETIME_MS + 1)
    assert shard.count("dedup") == 0


def test_ids_are_forgotten_chunk_by_chunk(shard: PlainShard) -> None:
    shard.commit([draft(f"{n}") for n in range(2500)])
    shard.commit([draft("new", "meeting/43", published_ms=START_MS + 10 * LIFETIME_MS)])
    for _ in range(3):
        shard.tidy(START_MS + 5 * LIFETIME_MS)
    assert shard.count("dedup") == 1


def test_more_topics_than_are_kept_in_memory(shard: PlainShard) -> None:
    shard.writer.topics._max_cached = 10
    for _ in range(2):
        for n in range(40):
            shard.commit([draft(f"{n}", f"meeting/{n}"), draft("x", f"meeting/{n % 7}")])
    assert shard.count("topic") == 40
    assert shard.count("event") == 47


def test_reading_writes_nothing_and_tells_the_epoch_that_writing_stores(
    shard: PlainShard,
) -> None:
    opened = shard.open(TOPIC)
    assert isinstance(opened, TopicHead)
    assert opened == TopicHead(opened.epoch, 0, 0)
    assert opened.epoch != 0
    assert shard.reader.head(TOPIC) == opened
    assert shard.reader.read(TOPIC, 0, 10, 10).state == opened
    assert shard.reader.read_latest(TOPIC, 0, 10, 10).state == opened
    assert shard.reader.resume(TOPIC, Cursor(opened.epoch, 0)).verdict is Verdict.OK
    assert shard.reader.resume(TOPIC, Cursor(opened.epoch, 1)).verdict is Verdict.RESET
    assert shard.count("topic") == 0
    assert shard.open("meeting/43") != opened

    (first,) = results(shard.commit(drafts("a")))
    assert first == Stored(opened.epoch, 1)
    assert shard.count("topic") == 1


def test_another_file_has_other_epochs(shard: PlainShard, tmp_path: Path) -> None:
    other = PlainShard(tmp_path / "other.db")
    assert other.reader.head(TOPIC).epoch != shard.reader.head(TOPIC).epoch
    other.close()


def test_pages_count_as_written_once_they_are(shard: PlainShard) -> None:
    """A checkpoint that runs beside a slow commit must not take its pages for moved."""
    at_commit: list[int] = []

    def trace(statement: str) -> None:
        if statement == "COMMIT":
            at_commit.append(shard.writer.written_pages)

    shard.writer.connection.set_trace_callback(trace)
    before = shard.writer.written_pages
    shard.commit(drafts("a"))
    assert at_commit == [before]
    assert shard.writer.written_pages > before


@pytest.mark.parametrize("kind", ["schedule", "release", "erase", "withdraw", "purge"])
def test_pages_of_operations_are_not_counted_too_low(shard: PlainShard, kind: str) -> None:
    """The checkpointer goes by them."""
    events = [draft(f"e{n}", body=bytes(2000)) for n in range(200)]
    shard.commit(events)
    waiting = [draft(f"s{n}", body=bytes(2000)) for n in range(200)]
    shard.writer.commit([Operate(AddScheduled([ScheduledDraft(w, START_MS) for w in waiting]))])
    new = [draft(f"n{n}", body=bytes(2000)) for n in range(200)]
    later = AddScheduled([ScheduledDraft(one, START_MS) for one in new])
    operations: dict[str, Operable] = {
        "schedule": later,
        "release": Release(due_drafts(shard.connection, START_MS), lambda: START_MS),
        "erase": EraseScheduled("back-end", "user/back-end", 500),
        "withdraw": Withdraw([Place(TOPIC, n, f"e{n - 1}") for n in range(1, 201)]),
        "purge": Purge(TOPIC, wall_clock_ms),
    }
    counted, logged = shard.writer.written_pages, _log_pages(shard)
    (answer,) = shard.writer.commit([Operate(operations[kind])]).answers
    assert isinstance(answer, Operated)
    written = _log_pages(shard) - logged
    assert written > 20
    assert shard.writer.written_pages - counted >= written


def _log_pages(shard: PlainShard) -> int:
    log = shard.path.with_name(f"{shard.path.name}-wal")
    return log.stat().st_size // FRAME_BYTES
