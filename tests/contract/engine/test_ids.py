"""The memory of ids: its own lifetime, and ids older than it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.engine.sqlite import Retention
from hub.errors import FailedPrecondition
from shipspeak.realtime.v1 import error_reason_pb2
from tests.contract.engine.harness import (
    TOPIC,
    RecordingFeed,
    Store,
    offsets,
    read_all,
    stored,
)

if TYPE_CHECKING:
    from hub.engine.contract import Engine


async def trim_all_but_two(engine: Engine, store: Store) -> int:
    """Store "a" and enough behind it that it is trimmed; returns its offset."""
    feed = RecordingFeed()
    await engine.open(TOPIC, feed)
    results = offsets(await engine.publish(store.drafts("a", "b", "c", "d")))
    await feed.until(lambda seen: bool(seen.floors) and seen.floors[-1] >= results[1])
    return results[0]


async def test_an_id_is_remembered_after_its_event_was_trimmed(store: Store) -> None:
    store.retention[TOPIC] = Retention(max_events=1)
    engine = await store.open()
    first = await trim_all_but_two(engine, store)
    (again,) = stored(await engine.publish(store.drafts("a")))
    assert (again.offset, again.duplicate) == (first, True)


async def test_an_id_beyond_the_memory_is_found_in_the_log(store: Store) -> None:
    store.lifetime_s = 100.0
    engine = await store.open()
    (first,) = offsets(await engine.publish(store.drafts("a")))
    sent_ms = store.clock()
    store.clock.advance(1000)
    (again,) = stored(await engine.publish([store.draft("a", first_sent_ms=sent_ms)]))
    assert (again.offset, again.duplicate) == (first, True)
    assert len(await read_all(engine)) == 1


async def test_an_id_beyond_the_memory_and_not_in_the_log_is_refused(store: Store) -> None:
    store.lifetime_s = 100.0
    engine = await store.open()
    sent_ms = store.clock()
    store.clock.advance(101)
    (refused,) = await engine.publish([store.draft("a", first_sent_ms=sent_ms)])
    assert isinstance(refused, FailedPrecondition)
    assert refused.reason == error_reason_pb2.ERROR_REASON_IDEMPOTENCY_EXPIRED
    assert refused.topic == TOPIC
    assert await read_all(engine) == []


async def test_a_late_first_attempt_within_the_memory_is_stored(store: Store) -> None:
    store.lifetime_s = 100.0
    engine = await store.open()
    sent_ms = store.clock()
    store.clock.advance(99)
    (result,) = stored(await engine.publish([store.draft("a", first_sent_ms=sent_ms)]))
    assert not result.duplicate
