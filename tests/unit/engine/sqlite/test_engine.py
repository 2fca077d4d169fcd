"""The engine's threads: hand-over, a disk that fails and heals, bounded memory, checkpoints."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from typing import TYPE_CHECKING

import pytest
import structlog

from hub.engine.contract import Stored
from hub.engine.sqlite import Retention, SqliteEngine, checkpoint, shard
from hub.errors import Internal, NotFound, ResourceExhausted, Unavailable
from shipspeak.realtime.v1 import error_reason_pb2
from tests.contract.engine.harness import ManualClock, RecordingFeed
from tests.unit.engine.sqlite.support import TOPIC, draft, drafts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from hub.engine.sqlite.requests import Outcome, Request
    from hub.model.events import StoredEvent

PATIENCE_S = 10.0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def engine(tmp_path: Path, clock: ManualClock) -> AsyncIterator[SqliteEngine]:
    made = SqliteEngine(tmp_path / "data", shards=1, clock=clock, round_interval_s=0.02)
    await made.start()
    yield made
    await made.stop()


async def until_serving(engine: SqliteEngine) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not engine.shard_serving(0):
            await asyncio.to_thread(threading.Event().wait, 0.005)


async def test_complete_as_of_does_not_count_a_commit_that_is_not_handed_over(
    engine: SqliteEngine, clock: ManualClock
) -> None:
    feed = RecordingFeed()
    await engine.open(TOPIC, feed)
    writer = engine._shards[0]._thread.writer  # type: ignore[union-attr]
    committed, commit = threading.Event(), writer.commit

    def commit_and_tell(batch: Sequence[Request]) -> Outcome:
        outcome = commit(batch)
        committed.set()
        return outcome

    writer.commit = commit_and_tell  # type: ignore[method-assign]
    began = clock()
    publishing = asyncio.ensure_future(engine.publish(drafts("a")))
    await asyncio.sleep(0)
    # The loop stands still here, so the commit is done and cannot be handed over.
    assert committed.wait(PATIENCE_S)
    clock.advance(60)
    assert feed.events == []
    assert engine.complete_as_of_ms() == began
    await publishing
    assert len(feed.events) == 1
    assert engine.complete_as_of_ms() == clock() == began + 60_000


async def test_complete_as_of_does_not_count_what_waits_for_its_commit(
    engine: SqliteEngine, clock: ManualClock
) -> None:
    feed = RecordingFeed()
    await engine.open(TOPIC, feed)
    published = clock()
    # It was accepted now, and its commit begins later.
    publishing = asyncio.ensure_future(engine.publish([draft("a", published_ms=published)]))
    await asyncio.sleep(0)
    clock.advance(60)
    assert feed.events == []
    assert engine.complete_as_of_ms() <= published
    await publishing
    assert engine.complete_as_of_ms() == clock()


async def test_a_failing_disk_is_told_and_heals_by_itself(engine: SqliteEngine) -> None:
    await engine.publish(drafts("a"))
    connection = engine._shards[0]._thread.writer.connection  # type: ignore[union-attr]
    connection.execute("PRAGMA max_page_count=1").fetchone()
    big = [draft("b", body=bytes(100_000))]
    (refused,) = await engine.publish(big)
    assert isinstance(refused, Unavailable)
    assert refused.reason == error_reason_pb2.ERROR_REASON_STORAGE_FAILED
    assert [
        e.event_id for e in (await engine.read(TOPIC, 0, max_events=9, max_bytes=9)).events
    ] == ["a"]
    connection.execute("PRAGMA max_page_count=1000000").fetchone()
    await until_serving(engine)
    (stored,) = await engine.publish(big)
    assert isinstance(stored, Stored)
    assert (stored.offset, stored.duplicate) == (2, False)


async def test_a_shard_that_cannot_write_is_not_serving(engine: SqliteEngine) -> None:
    connection = engine._shards[0]._thread.writer.connection  # type: ignore[union-attr]
    connection.execute("PRAGMA query_only=1")  # SQLITE_READONLY, for the probe as well
    (refused,) = await engine.publish(drafts("a"))
    assert isinstance(refused, Unavailable)
    assert not engine.shard_serving(0)
    connection.execute("PRAGMA query_only=0")
    await until_serving(engine)
    assert isinstance((await engine.publish(drafts("a")))[0], Stored)


async def test_what_waits_for_the_disk_is_bounded(
    engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard, "MAX_WAITING_BYTES", 1000)
    calls = [engine.publish([draft(f"{n}", body=bytes(400))]) for n in range(5)]
    answers = [answer for (answer,) in await asyncio.gather(*calls)]
    assert [isinstance(answer, Stored) for answer in answers] == [True, True, False, False, False]
    refused = answers[-1]
    assert isinstance(refused, ResourceExhausted)
    assert refused.reason == error_reason_pb2.ERROR_REASON_OVERLOADED
    # What was handed over frees its bytes, and one call larger than the bound passes when nothing
    # waits.
    assert isinstance((await engine.publish([draft("x", body=bytes(4000))]))[0], Stored)


async def test_a_dead_writer_answers_everybody(engine: SqliteEngine) -> None:
    writer = engine._shards[0]._thread.writer  # type: ignore[union-attr]
    dead = threading.Event()

    class Died(BaseException):
        pass

    def die(batch: Sequence[Request]) -> Outcome:
        raise Died

    writer.commit = die  # type: ignore[method-assign]
    hook, threading.excepthook = threading.excepthook, lambda _: dead.set()
    try:
        answers = await asyncio.gather(*(engine.publish(drafts(f"{n}")) for n in range(5)))
        assert dead.wait(PATIENCE_S)
    finally:
        threading.excepthook = hook
    assert all(isinstance(answer, Unavailable) for (answer,) in answers)
    reasons = [answer.reason_name for (answer,) in answers if isinstance(answer, Unavailable)]
    # It took the first alone, or some with it: those it may have committed, the others not.
    taken = reasons.count("OUTCOME_UNKNOWN")
    assert taken >= 1
    assert reasons == ["OUTCOME_UNKNOWN"] * taken + ["SHARD_UNAVAILABLE"] * (5 - taken)
    assert not engine.shard_serving(0)


async def test_a_feed_that_raises_harms_no_other(engine: SqliteEngine) -> None:
    class Bad(RecordingFeed):
        def on_events(self, events: Sequence[StoredEvent]) -> None:
            raise ValueError(events)

    good = RecordingFeed()
    await engine.open(TOPIC, Bad())
    await engine.open(TOPIC, good)
    assert isinstance((await engine.publish(drafts("a")))[0], Stored)
    assert good.ids == ["a"]


async def test_an_unknown_failure_is_an_internal_error_and_passes(engine: SqliteEngine) -> None:
    (bad,) = await engine.publish(drafts("\ud800"))
    assert isinstance(bad, Internal)
    assert engine.shard_serving(0)
    assert isinstance((await engine.publish(drafts("a")))[0], Stored)


async def test_an_idle_log_is_moved_into_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "LOOK_INTERVAL_S", 0.01)
    monkeypatch.setattr(checkpoint, "IDLE_S", 0.01)
    engine = SqliteEngine(tmp_path, shards=1)
    await engine.start()
    await engine.publish([draft(f"{n}", body=bytes(10_000)) for n in range(100)])
    file = tmp_path / "shard-000.db"
    async with asyncio.timeout(PATIENCE_S):
        while file.stat().st_size < 1_000_000:
            await asyncio.to_thread(threading.Event().wait, 0.005)
    await engine.stop()
    assert not (tmp_path / "shard-000.db-wal").exists()


async def test_the_log_stays_bounded_under_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "LOOK_INTERVAL_S", 0.005)
    monkeypatch.setattr(checkpoint, "CHECKPOINT_PAGES", 100)
    monkeypatch.setattr(checkpoint, "MAX_LOG_PAGES", 400)
    engine = SqliteEngine(tmp_path, shards=1)
    await engine.start()

    async def publisher(number: int) -> None:
        for n in range(60):
            await engine.publish([draft(f"{number}-{n}", body=bytes(8000))])

    await asyncio.gather(*(publisher(number) for number in range(16)))
    written = 16 * 60 * 8000
    assert (tmp_path / "shard-000.db-wal").stat().st_size < written / 2
    await engine.stop()


async def test_a_log_that_grows_uncounted_is_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer does not know all that it writes."""
    monkeypatch.setattr(checkpoint, "LOOK_INTERVAL_S", 0.01)
    monkeypatch.setattr(checkpoint, "IDLE_S", 3600.0)
    monkeypatch.setattr(checkpoint, "CHECKPOINT_PAGES", 200)
    engine = SqliteEngine(tmp_path, shards=1)
    await engine.start()
    thread = engine._shards[0]._thread
    assert thread is not None
    monkeypatch.setattr(thread.writer, "_pages", -(10**9))
    await engine.publish([draft(f"{n}", body=bytes(10_000)) for n in range(100)])
    file = tmp_path / "shard-000.db"
    async with asyncio.timeout(PATIENCE_S):
        while file.stat().st_size < 1_000_000:
            await asyncio.to_thread(threading.Event().wait, 0.005)
    await engine.stop()


async def test_a_topic_without_a_policy_is_kept_and_harms_no_other(
    tmp_path: Path, clock: ManualClock
) -> None:
    def policy(topic: str) -> Retention:
        if topic.startswith("forgotten/"):
            raise NotFound(error_reason_pb2.ERROR_REASON_NAMESPACE_UNKNOWN, "no such kind")
        return Retention(max_events=1)

    engine = SqliteEngine(
        tmp_path / "data", shards=1, clock=clock, retention=policy, round_interval_s=0.02
    )
    await engine.start()
    try:
        feed, served = RecordingFeed(), []
        changed = engine._shards[0].serving_changed
        engine._shards[0].serving_changed = (  # type: ignore[method-assign]
            lambda *, serving: (served.append(serving), changed(serving=serving))[1]  # type: ignore[func-returns-value]
        )
        await engine.open(TOPIC, feed)
        with structlog.testing.capture_logs() as logs:
            await engine.publish([draft(f"f{n}", "forgotten/1") for n in range(5)])
            await engine.publish(drafts("a", "b", "c", "d"))
            await feed.until(lambda seen: bool(seen.floors))
        kept = await engine.head("forgotten/1")
        assert (kept.floor, kept.head) == (0, 5)
        assert engine.shard_serving(0)
        assert served == []
        told = [entry for entry in logs if entry["event"] == "retention_unknown"]
        assert [entry["topic"] for entry in told] == ["forgotten/1"]
    finally:
        await engine.stop()


async def test_a_start_without_a_checkpointer_closes_what_it_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the process may open no further file."""
    monkeypatch.setattr(
        checkpoint, "connect_checkpointer", lambda path: sqlite3.connect(path / "not" / "there")
    )
    engine = SqliteEngine(tmp_path, shards=2)
    with pytest.raises(Unavailable) as caught:
        await engine.start()
    assert caught.value.reason == error_reason_pb2.ERROR_REASON_STORAGE_FAILED
    assert not [t.name for t in threading.enumerate() if t.name.startswith("shard-")]
    monkeypatch.undo()
    again = SqliteEngine(tmp_path, shards=2)
    await again.start()
    await again.stop()
