"""Feeds: what is stored after the head that ``open`` answered, all of it, once, in order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import event_pb2
from tests.contract.engine.harness import TOPIC, RecordingFeed, Store, offsets, read_all
from tests.support.until import until

if TYPE_CHECKING:
    from hub.engine.contract import Engine


async def test_a_feed_gets_what_is_stored_after_the_head(engine: Engine, store: Store) -> None:
    (first,) = offsets(await engine.publish(store.drafts("a")))
    feed = RecordingFeed()
    state = await engine.open(TOPIC, feed)
    assert (state.head, state.floor) == (first, 0)
    assert state.oldest_ms == store.clock()
    second, third = offsets(await engine.publish(store.drafts("b", "c")))
    assert [(e.event_id, e.offset, e.prev) for e in feed.events] == [
        ("b", second, first),
        ("c", third, second),
    ]
    assert event_pb2.Event.FromString(feed.events[0].data).offset == second


async def test_the_first_event_of_a_topic_has_no_predecessor(engine: Engine, store: Store) -> None:
    feed = RecordingFeed()
    state = await engine.open(TOPIC, feed)
    assert (state.head, state.floor, state.oldest_ms) == (0, 0, 0)
    (result,) = await engine.publish(store.drafts("a"))
    assert [event.prev for event in feed.events] == [0]
    assert state.epoch == result.epoch != 0  # type: ignore[union-attr]


async def test_a_feed_has_the_events_before_their_publisher_is_answered(
    engine: Engine, store: Store
) -> None:
    feed = RecordingFeed()
    await engine.open(TOPIC, feed)
    for n in range(20):
        await engine.publish(store.drafts(f"{n}"))
        assert feed.ids[-1] == f"{n}"


async def test_a_feed_hears_of_its_topic_alone(engine: Engine, store: Store) -> None:
    feed = RecordingFeed()
    await engine.open(TOPIC, feed)
    await engine.publish([store.draft("a", f"meeting/{n}") for n in range(30)])
    assert feed.ids == []


async def test_a_closed_feed_is_not_called(engine: Engine, store: Store) -> None:
    kept, closed = RecordingFeed(), RecordingFeed()
    await engine.open(TOPIC, kept)
    await engine.open(TOPIC, closed)
    engine.close(TOPIC, closed)
    engine.close(TOPIC, closed)
    await engine.publish(store.drafts("a"))
    assert (kept.ids, closed.ids) == (["a"], [])


async def test_a_cancelled_open_leaves_no_feed(engine: Engine, store: Store) -> None:
    feed = RecordingFeed()
    opening = asyncio.ensure_future(engine.open(TOPIC, feed))
    await asyncio.sleep(0)
    opening.cancel()
    await engine.publish(store.drafts("a"))
    assert opening.cancelled()
    assert feed.ids == []


async def test_opening_under_load_leaves_no_hole(engine: Engine, store: Store) -> None:
    stop = asyncio.Event()

    async def publisher(number: int) -> None:
        n = 0
        while not stop.is_set():
            await engine.publish(store.drafts(f"{number}-{n}", f"{number}-{n}+"))
            n += 1

    async def opener() -> tuple[int, RecordingFeed]:
        feed = RecordingFeed()
        state = await engine.open(TOPIC, feed)
        assert all(event.offset > state.head for event in feed.events)
        await feed.until(lambda seen: len(seen.events) > 20)
        return state.head, feed

    publishers = [asyncio.ensure_future(publisher(number)) for number in range(16)]
    opened: list[tuple[int, RecordingFeed]] = []
    for _ in range(5):
        opened += await asyncio.gather(*(opener() for _ in range(4)))
    stop.set()
    await asyncio.gather(*publishers)

    log = [(event.offset, event.event_id) for event in await read_all(engine)]
    for head, feed in opened:
        assert [(e.offset, e.event_id) for e in feed.events] == [p for p in log if p[0] > head]
        assert [e.prev for e in feed.events] == [head, *(e.offset for e in feed.events[:-1])]
    assert len({head for head, _ in opened}) > 1


async def test_everything_stored_before_complete_as_of_was_handed_over(
    engine: Engine, store: Store
) -> None:
    feed = RecordingFeed()
    await engine.open(TOPIC, feed)
    assert engine.complete_as_of_ms() == store.clock()
    began = store.clock()
    publishing = asyncio.ensure_future(engine.publish(store.drafts("a")))
    while not publishing.done():
        store.clock.advance(1)
        if not feed.events:
            # It may be stored since any moment after ``began``, and was not handed over.
            proved = (await engine.head(TOPIC)).head == 1
            if proved and not feed.events:
                assert engine.complete_as_of_ms() <= store.clock()
        await asyncio.sleep(0)
    # An engine that is told by another one says so with the next beat.
    await until(lambda: began < engine.complete_as_of_ms() == store.clock())
