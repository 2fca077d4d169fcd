"""Restart: epoch, offsets, events, ids and floors are the store's, not the process's."""

from __future__ import annotations

import asyncio

import pytest

from hub.engine.contract import Verdict
from hub.engine.sqlite import Retention
from hub.errors import Unavailable
from tests.contract.engine.harness import (
    TOPIC,
    RecordingFeed,
    Store,
    cursor_at,
    offsets,
    read_all,
    stored,
)


async def test_everything_is_as_it_was(store: Store) -> None:
    engine = await store.open()
    first = stored(await engine.publish(store.drafts("a", "b")))
    before, state = await read_all(engine), await engine.head(TOPIC)
    cursor = await cursor_at(engine, first[0].offset, "a")
    untouched = await engine.open("meeting/empty", RecordingFeed())

    engine = await store.open()
    assert await engine.head(TOPIC) == state
    assert await engine.head("meeting/empty") == untouched
    assert await read_all(engine) == before
    assert (await engine.resume(TOPIC, cursor)).verdict is Verdict.OK
    again, new = stored(await engine.publish(store.drafts("b", "c")))
    assert (again.offset, again.duplicate) == (first[1].offset, True)
    assert new.offset > first[1].offset
    assert new.epoch == first[0].epoch


async def test_the_floor_survives(store: Store) -> None:
    store.retention[TOPIC] = Retention(max_events=1)
    engine = await store.open()
    feed = RecordingFeed()
    await engine.open(TOPIC, feed)
    results = offsets(await engine.publish(store.drafts(*"abcd")))
    await feed.until(lambda seen: bool(seen.floors) and seen.floors[-1] == results[1])

    engine = await store.open()
    assert (await engine.head(TOPIC)).floor == results[1]
    gap = await engine.resume(TOPIC, await cursor_at(engine, results[0], "a"))
    assert (gap.verdict, gap.lost) == (Verdict.GAP, results[1] - results[0])


async def test_stop_finishes_what_was_accepted(store: Store) -> None:
    engine = await store.open()
    publishing = [asyncio.ensure_future(engine.publish(store.drafts(f"{n}"))) for n in range(50)]
    await asyncio.sleep(0)
    await store.close()
    answers = [await one for one in publishing]
    assert len({offset for answer in answers for offset in offsets(answer)}) == 50
    engine = await store.open()
    assert len(await read_all(engine)) == 50


async def test_a_stopped_engine_refuses_with_a_typed_error(store: Store) -> None:
    engine = await store.open()
    assert all(engine.shard_serving(shard) for shard in range(engine.shard_count))
    await store.close()
    (refused,) = await engine.publish(store.drafts("a"))
    assert isinstance(refused, Unavailable)
    with pytest.raises(Unavailable):
        await engine.head(TOPIC)
    with pytest.raises(Unavailable):
        await engine.open(TOPIC, RecordingFeed())
    assert not any(engine.shard_serving(shard) for shard in range(engine.shard_count))


async def test_a_topic_stays_in_its_shard(store: Store) -> None:
    engine = await store.open()
    places = [engine.shard_of(f"meeting/{n}") for n in range(200)]
    assert set(places) == set(range(engine.shard_count))
    engine = await store.open()
    assert [engine.shard_of(f"meeting/{n}") for n in range(200)] == places
