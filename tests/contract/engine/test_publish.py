"""Publishing: order, repeats, conditions, groups, many at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from google.rpc import code_pb2

from hub.engine.contract import Engine, NotAttempted, Stored
from hub.errors import FailedPrecondition
from shipspeak.realtime.v1 import error_reason_pb2, event_pb2
from tests.contract.engine.harness import TOPIC, RecordingFeed, Store, offsets, read_all, stored


async def test_offsets_rise_in_the_order_of_the_drafts(engine: Engine, store: Store) -> None:
    results = stored(await engine.publish(store.drafts("a", "b", "c")))
    assert results[0].offset > 0
    assert offsets(results) == sorted({result.offset for result in results})
    assert len({result.epoch for result in results}) == 1
    assert not any(result.duplicate for result in results)
    assert [event.event_id for event in await read_all(engine)] == ["a", "b", "c"]


async def test_a_stored_event_is_a_complete_event_message(engine: Engine, store: Store) -> None:
    draft = store.draft("a", priority=event_pb2.PRIORITY_HIGH, key="k", expires_ms=7)
    (offset,) = offsets(await engine.publish([draft]))
    (event,) = await read_all(engine)
    message = event_pb2.Event.FromString(event.data)
    assert (message.id, message.offset) == ("a", offset)
    assert (event.priority, event.key, event.expires_ms) == (event_pb2.PRIORITY_HIGH, "k", 7)
    assert (event.published_ms, event.prev) == (draft.published_ms, -1)


async def test_nothing_to_publish_gives_no_results(engine: Engine) -> None:
    assert await engine.publish([]) == []


async def test_a_repeat_gives_the_original_offset_and_stores_nothing(
    engine: Engine, store: Store
) -> None:
    feed = RecordingFeed()
    await engine.open(TOPIC, feed)
    first = offsets(await engine.publish(store.drafts("a", "b")))
    again = stored(await engine.publish(store.drafts("b", "c", "a")))
    assert [result.duplicate for result in again] == [True, False, True]
    assert [again[2].offset, again[0].offset] == first
    assert [event.event_id for event in await read_all(engine)] == ["a", "b", "c"] == feed.ids


async def test_a_repeat_within_one_call_is_stored_once(engine: Engine, store: Store) -> None:
    first, second = stored(await engine.publish(store.drafts("a", "a")))
    assert (first.offset, second.duplicate) == (second.offset, True)
    assert len(await read_all(engine)) == 1


async def test_the_same_id_of_another_publisher_or_topic_is_another_event(
    engine: Engine, store: Store
) -> None:
    results = stored(
        await engine.publish(
            [
                store.draft("a"),
                store.draft("a", publisher="other"),
                store.draft("a", "meeting/43"),
            ]
        )
    )
    assert not any(result.duplicate for result in results)
    assert len(await read_all(engine)) == 2
    assert len(await read_all(engine, "meeting/43")) == 1


async def test_results_stand_in_the_order_of_the_drafts_over_many_topics(
    engine: Engine, store: Store
) -> None:
    drafts = [store.draft(f"{n}", f"meeting/{n % 13}") for n in range(130)]
    results = stored(await engine.publish(drafts))
    for draft, result in zip(drafts, results, strict=True):
        page = await engine.read(draft.topic, result.offset - 1, max_events=1, max_bytes=1)
        assert [event.event_id for event in page.events] == [draft.event_id]


async def test_an_expected_offset_stores_only_on_that_head(engine: Engine, store: Store) -> None:
    (first,) = offsets(await engine.publish([store.draft("a", expected_offset=0)]))
    refused, rest = await engine.publish(
        [store.draft("b", expected_offset=0), store.draft("c", expected_offset=first)]
    )
    assert isinstance(refused, FailedPrecondition)
    assert refused.code == code_pb2.FAILED_PRECONDITION
    assert refused.reason == error_reason_pb2.ERROR_REASON_OFFSET_MISMATCH
    assert (refused.topic, refused.metadata["head"]) == (TOPIC, str(first))
    assert rest == NotAttempted()
    assert stored(await engine.publish([store.draft("d", expected_offset=first)]))
    assert [event.event_id for event in await read_all(engine)] == ["a", "d"]


async def test_a_repeat_with_an_expected_offset_is_still_a_repeat(
    engine: Engine, store: Store
) -> None:
    draft = store.draft("a", expected_offset=0)
    (first,) = offsets(await engine.publish([draft]))
    assert await engine.publish([draft]) == [
        Stored((await engine.head(TOPIC)).epoch, first, duplicate=True)
    ]


async def test_a_failure_stops_its_topic_and_no_other(engine: Engine, store: Store) -> None:
    before, failed, other, stopped = await engine.publish(
        [
            store.draft("a"),
            store.draft("b", expected_offset=99),
            store.draft("c", "meeting/43"),
            store.draft("d"),
        ]
    )
    assert isinstance(before, Stored)
    assert isinstance(failed, FailedPrecondition)
    assert isinstance(other, Stored)
    assert stopped == NotAttempted()
    assert [event.event_id for event in await read_all(engine)] == ["a"]


async def test_a_group_is_stored_all_or_none(engine: Engine, store: Store) -> None:
    bad = [
        store.draft("a", group=1),
        store.draft("b", group=1, expected_offset=99),
        store.draft("c", group=1),
    ]
    first, second, third = await engine.publish(bad)
    assert (first, third) == (NotAttempted(), NotAttempted())
    assert isinstance(second, FailedPrecondition)
    assert await read_all(engine) == []

    good = [replace(draft, expected_offset=None) for draft in bad]
    results = stored(await engine.publish(good))
    assert not any(result.duplicate for result in results)
    assert offsets(await engine.publish(good)) == offsets(results)
    assert [event.event_id for event in await read_all(engine)] == ["a", "b", "c"]


async def test_a_failed_group_leaves_no_trace_in_its_ids(engine: Engine, store: Store) -> None:
    await engine.publish([store.draft("a", group=1), store.draft("b", group=1, expected_offset=99)])
    (again,) = stored(await engine.publish(store.drafts("a")))
    assert not again.duplicate
    assert [event.event_id for event in await read_all(engine)] == ["a"]


async def test_one_publishers_refusal_costs_the_others_nothing(
    engine: Engine, store: Store
) -> None:
    calls = [
        [store.draft(f"{n}", expected_offset=10**6 if n % 3 == 0 else None)] for n in range(60)
    ]
    answers = await asyncio.gather(*(engine.publish(call) for call in calls))
    for n, (answer,) in enumerate(answers):
        assert isinstance(answer, FailedPrecondition if n % 3 == 0 else Stored)
    assert len(await read_all(engine)) == 40


async def test_64_publishers_at_once_lose_and_double_nothing(engine: Engine, store: Store) -> None:
    acked: dict[tuple[str, int], str] = {}

    async def publisher(number: int) -> None:
        topic = f"meeting/{number % 8}"
        last = 0
        for n in range(10):
            event_id = f"{number}-{n}"
            (offset,) = offsets(await engine.publish([store.draft(event_id, topic)]))
            assert offset > last
            assert acked.setdefault((topic, offset), event_id) == event_id
            last = offset

    await asyncio.gather(*(publisher(number) for number in range(64)))
    found = {
        (f"meeting/{n}", event.offset): event.event_id
        for n in range(8)
        for event in await read_all(engine, f"meeting/{n}")
    }
    assert found == acked
    assert len(found) == 640


async def test_a_cancelled_caller_harms_nobody(engine: Engine, store: Store) -> None:
    cancelled = asyncio.ensure_future(engine.publish(store.drafts("a")))
    await asyncio.sleep(0)
    cancelled.cancel()
    assert offsets(await engine.publish(store.drafts("b")))
    assert cancelled.cancelled()
    assert {event.event_id for event in await read_all(engine)} == {"a", "b"}


async def test_calls_keep_their_order_however_many_topics_they_name(
    engine: Engine, store: Store
) -> None:
    topics = [f"meeting/{number}" for number in range(16)]
    assert len({engine.shard_of(topic) for topic in topics}) == engine.shard_count
    wide = asyncio.ensure_future(engine.publish([store.draft("first", topic) for topic in topics]))
    narrow = [
        asyncio.ensure_future(engine.publish([store.draft("second", topic)])) for topic in topics
    ]
    await asyncio.gather(wide, *narrow)
    for topic in topics:
        assert [event.event_id for event in await read_all(engine, topic)] == ["first", "second"]
