"""Retention: from the old end, by count and age, told to feeds, readers and cursors."""

from __future__ import annotations

from hub.engine.contract import Verdict
from hub.engine.sqlite import Retention
from tests.contract.engine.harness import (
    TOPIC,
    RecordingFeed,
    Store,
    cursor_at,
    offsets,
    read_all,
)

PLENTY = 1 << 20


async def test_a_count_keeps_one_more_than_it_promises(store: Store) -> None:
    store.retention[TOPIC] = Retention(max_events=5)
    engine = await store.open()
    feed = RecordingFeed()
    await engine.open(TOPIC, feed)
    stored = offsets(await engine.publish(store.drafts(*"abcdefghij")))
    await feed.until(lambda seen: bool(seen.floors) and seen.floors[-1] >= stored[3])
    assert feed.floors == sorted(feed.floors)
    assert feed.floors[-1] == stored[3]
    assert [event.event_id for event in await read_all(engine)] == list("efghij")
    state = await engine.head(TOPIC)
    assert (state.floor, state.head, state.floor_id) == (stored[3], stored[-1], "d")

    five_back = await engine.resume(TOPIC, await cursor_at(engine, stored[4], "e"))
    assert five_back.verdict is Verdict.OK


async def test_a_page_across_the_floor_tells_it(store: Store) -> None:
    store.retention[TOPIC] = Retention(max_events=1)
    engine = await store.open()
    feed = RecordingFeed()
    await engine.open(TOPIC, feed)
    stored = offsets(await engine.publish(store.drafts(*"abcd")))
    await feed.until(lambda seen: bool(seen.floors) and seen.floors[-1] >= stored[1])
    page = await engine.read(TOPIC, 0, max_events=10, max_bytes=PLENTY)
    assert page.state.floor == stored[1] > page.after
    assert [event.event_id for event in page.events] == ["c", "d"]
    latest = await engine.read_latest(TOPIC, before=0, max_events=10, max_bytes=PLENTY)
    assert not latest.more


async def test_age_removes_what_is_old_and_keeps_what_is_not(store: Store) -> None:
    store.retention[TOPIC] = Retention(max_age_s=60)
    engine = await store.open()
    feed = RecordingFeed()
    await engine.open(TOPIC, feed)
    old = offsets(await engine.publish(store.drafts("a", "b")))
    store.clock.advance(50)
    await engine.publish(store.drafts("c"))
    c_ms = store.clock()
    assert feed.floors == []
    store.clock.advance(20)
    await feed.until(lambda seen: bool(seen.floors))
    assert (feed.floors, feed.oldest_ms) == ([old[-1]], [c_ms])
    state = await engine.head(TOPIC)
    assert (state.floor, state.oldest_ms) == (old[-1], c_ms)
    assert [event.event_id for event in await read_all(engine)] == ["c"]


async def test_a_log_that_aged_away_goes_on_with_its_offsets(store: Store) -> None:
    store.retention[TOPIC] = Retention(max_age_s=60)
    engine = await store.open()
    feed = RecordingFeed()
    await engine.open(TOPIC, feed)
    stored = offsets(await engine.publish(store.drafts("a", "b")))
    epoch = (await engine.head(TOPIC)).epoch
    store.clock.advance(61)
    await feed.until(lambda seen: bool(seen.floors) and seen.floors[-1] == stored[-1])
    assert feed.oldest_ms[-1] == 0
    state = await engine.head(TOPIC)
    assert (state.head, state.floor, state.oldest_ms) == (stored[-1], stored[-1], 0)

    engine = await store.open()
    (later,) = offsets(await engine.publish(store.drafts("c")))
    state = await engine.head(TOPIC)
    assert later > stored[-1]
    assert (state.epoch, state.head, state.oldest_ms) == (epoch, later, store.clock())


async def test_a_topic_without_bounds_keeps_everything(store: Store) -> None:
    store.retention["meeting/1"] = Retention(max_events=1)
    engine = await store.open()
    feed = RecordingFeed()
    await engine.open("meeting/1", feed)
    for topic in (TOPIC, "meeting/1"):
        await engine.publish([store.draft(f"{n}", topic) for n in range(50)])
    await feed.until(lambda seen: bool(seen.floors) and seen.floors[-1] == 48)
    assert len(await read_all(engine)) == 50
    assert (await engine.head(TOPIC)).floor == 0


async def test_more_than_one_chunk_is_trimmed(store: Store) -> None:
    store.retention[TOPIC] = Retention(max_events=10)
    engine = await store.open()
    feed = RecordingFeed()
    await engine.open(TOPIC, feed)
    for batch in range(4):
        await engine.publish(store.drafts(*(f"{batch}-{n}" for n in range(400))))
    head = (await engine.head(TOPIC)).head
    await feed.until(lambda seen: bool(seen.floors) and seen.floors[-1] == head - 11)
    assert len(await read_all(engine)) == 11
    assert feed.floors == sorted(set(feed.floors))
