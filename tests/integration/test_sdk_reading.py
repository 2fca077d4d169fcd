"""Reading at any pace: slow readers, volatile topics, history, polls, states."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from google.protobuf.wrappers_pb2 import BytesValue

from shipspeak.realtime.v1 import event_pb2, frame_pb2, meeting_pb2, practice_pb2
from shipspeak_realtime import (
    Cursor,
    InvalidRequestError,
    RealtimeClient,
    State,
    Verdict,
    VerdictKind,
    describe,
    stable_ids,
)
from shipspeak_realtime.window import DEFAULT_WINDOW_BYTES

if TYPE_CHECKING:
    from tests.support.hub_process import HubProcess

UPDATE = meeting_pb2.UploadProgress(sent_bytes=1)
BIG = BytesValue(value=b"x" * 20_000)
HEARTBEAT = 1.0


async def test_a_reader_that_stalls_closes_the_window_and_loses_nothing(shared_hub: HubProcess):
    """4 MB wait; the stalled reader holds a window of them, outlives the watchdogs, catches up."""
    count = 200
    async with RealtimeClient(shared_hub.grpc) as writer, RealtimeClient(shared_hub.grpc) as reader:
        await asyncio.gather(*(writer.publish("meeting/slow", BIG) for _ in range(count)))
        loop = asyncio.get_running_loop()
        async with reader.subscribe("meeting/slow", start="earliest", queue_events=4) as slow:
            events = aiter(slow)
            offsets = [(await anext(events)).offset]
            # Longer than both sides take silence for death.
            stalled_until = loop.time() + 4 * HEARTBEAT
            while loop.time() < stalled_until:
                await writer.publish("meeting/other", UPDATE)
            assert reader.stats().bytes_received < 2 * DEFAULT_WINDOW_BYTES
            async with asyncio.timeout(30):
                while len(offsets) < count:
                    offsets.append((await anext(events)).offset)
        assert offsets == list(range(1, count + 1))
        stats = reader.stats()
        assert (stats.reconnects, stats.duplicates, stats.gaps, stats.holes) == (0, 0, 0, 0)


async def test_volatile_topics_have_no_cursor_and_say_so(shared_hub: HubProcess):
    hint = practice_pb2.CoachingHint(aspect="pace", text="slower")
    verdicts: list[Verdict] = []
    async with (
        asyncio.timeout(20),
        RealtimeClient(shared_hub.grpc) as client,
        client.subscribe("signal/1", on_verdict=verdicts.append) as subscription,
    ):
        changes = client.connection_changes()
        async for change in changes:
            if change.state is State.LIVE:
                break
        receipt = await client.publish("signal/1", hint)
        event = await anext(aiter(subscription))
    assert [verdict.kind for verdict in verdicts] == [VerdictKind.LIVE]
    assert (receipt.outcome.name, receipt.offset) == ("ACCEPTED", 0)
    assert (event.offset, event.cursor, event.id) == (0, None, receipt.id)
    assert describe(event) == 'hint pace "slower"'


async def test_latest_gives_what_comes_after_the_answer(shared_hub: HubProcess):
    async with asyncio.timeout(20), RealtimeClient(shared_hub.grpc) as client:
        before = await client.publish("meeting/latest", UPDATE)
        async with client.subscribe("meeting/latest") as subscription:
            async for change in client.connection_changes():
                if change.state is State.LIVE:
                    break
            after = await client.publish("meeting/latest", UPDATE)
            event = await anext(aiter(subscription))
    assert (before.offset, event.id) == (1, after.id)


async def test_an_event_shows_what_was_published(shared_hub: HubProcess):
    async with asyncio.timeout(20), RealtimeClient(shared_hub.grpc) as client:
        await client.publish(
            "meeting/shown",
            UPDATE,
            key="progress",
            priority=event_pb2.PRIORITY_HIGH,
            ttl=60,
            attributes={"source": "test"},
            id="shown-1",
        )
        event = await anext(aiter(client.subscribe("meeting/shown", start="earliest")))
    assert (event.id, event.offset, event.key, event.kind) == ("shown-1", 1, "progress", "meeting")
    assert event.priority == event_pb2.PRIORITY_HIGH
    assert dict(event.attributes) == {"source": "test"}
    assert event.expires_at is not None
    assert (event.expires_at - event.published_at).total_seconds() == 60
    assert isinstance(event.payload, meeting_pb2.MeetingUpdate)
    assert event.payload.attempt == 1


async def test_a_meeting_from_upload_to_result(shared_hub: HubProcess):
    async with asyncio.timeout(20), RealtimeClient(shared_hub.grpc) as client:
        for _ in range(2):
            # The second worker starts over with the ids of the first: nothing is stored twice.
            async with client.meeting(
                "life", stages=["transcribe", "analyse"], id_factory=stable_ids("life.1")
            ) as meeting:
                await meeting.upload(10, 10)
                for stage in meeting.stages:
                    async with meeting.stage(stage):
                        pass
                await meeting.completed("/meetings/life")
        lines = []
        async for event in client.subscribe("meeting/life", start="earliest"):
            lines.append(describe(event))
            if event.content.meeting.HasField("completed"):
                break
        head = (await client.read_history("meeting/life")).head
    assert lines == [
        "upload 100% (10 B of 10 B)",
        "stage_changed transcribe (1 of 2)",
        "stage_progress transcribe 100%",
        "stage_changed analyse (2 of 2) after transcribe",
        "stage_progress analyse 100%",
        "completed /meetings/life",
    ]
    assert head == len(lines)


@pytest.mark.parametrize("reverse", [False, True])
async def test_history_in_pages_both_ways(shared_hub: HubProcess, reverse: bool):
    topic = f"meeting/pages-{reverse}"
    async with asyncio.timeout(20), RealtimeClient(shared_hub.grpc) as client:
        for _ in range(10):
            await client.publish(topic, UPDATE)
        offsets: list[int] = []
        after: Cursor | None = None
        more = True
        while more:
            page = await client.read_history(topic, after=after, limit=4, reverse=reverse)
            assert (page.topic, page.verdict, page.head) == (topic, VerdictKind.OK, 10)
            offsets += [event.offset for event in page.events]
            after, more = page.next, page.more
    assert offsets == sorted(range(1, 11), reverse=reverse)


async def test_a_cursor_from_history_goes_on_with_the_next_event(shared_hub: HubProcess):
    async with asyncio.timeout(20), RealtimeClient(shared_hub.grpc) as client:
        for _ in range(6):
            await client.publish("meeting/places", UPDATE)
        first = await client.read_history("meeting/places", limit=2)
        for reverse in (False, True):
            page = await client.read_history(
                "meeting/places", after=None if reverse else first.next, limit=4, reverse=reverse
            )
            places = [event for event in page.events if event.cursor and event.offset < 6]
            for event in places:
                following = await client.read_history("meeting/places", after=event.cursor)
                assert following.events[0].offset == event.offset + 1
            assert places or reverse


async def test_a_poll_gives_what_a_stream_would(shared_hub: HubProcess):
    """G3r: the same events and cursors by polling."""
    topic = "meeting/poll"
    async with asyncio.timeout(20), RealtimeClient(shared_hub.grpc) as client:
        await client.publish(topic, UPDATE)
        ask = frame_pb2.Subscribe(topic=topic, at=frame_pb2.START_EARLIEST)
        offsets: list[int] = []
        while not offsets:
            page = (await client.poll([ask], wait=5)).pages[topic]
            offsets = [event.offset for event in page.events]
            assert page.next is not None
            ask = frame_pb2.Subscribe(topic=topic, position=page.next.position())
        await client.publish(topic, UPDATE)
        assert page.events[-1].cursor == page.next
        after = (await client.poll([ask], wait=5)).pages[topic]
    assert offsets == [1]
    assert [event.offset for event in after.events] == [2]
    assert after.verdict is VerdictKind.OK


async def test_a_poll_refuses_one_topic_and_answers_the_others(shared_hub: HubProcess):
    async with asyncio.timeout(20), RealtimeClient(shared_hub.grpc) as client:
        names = ("meeting/fine", "nokind/1", "signal/1")
        answer = await client.poll([frame_pb2.Subscribe(topic=name) for name in names])
    fine, refused, live = (answer.pages[name] for name in names)
    assert isinstance(refused.error, InvalidRequestError)
    assert (refused.next, fine.error, live.error) == (None, None, None)
    assert (live.verdict, live.next) == (VerdictKind.LIVE, None)
    assert fine.next is not None


async def test_states_and_the_round_trip(hub: HubProcess):
    """D3: the round trip is measured on the session."""
    seen = []
    async with asyncio.timeout(40), RealtimeClient(hub.grpc) as client:
        assert client.state is State.IDLE
        changes = client.connection_changes()
        waiting = asyncio.ensure_future(anext(aiter(changes)))
        await asyncio.sleep(0)
        async with client.subscribe("meeting/1"):
            seen.append((await waiting).state)
            async for change in changes:
                seen.append(change.state)
                if change.state is State.LIVE:
                    break
            assert 0 < await client.ping() < 30
            assert client.stats().rtt_seconds is not None
            assert client.welcome is not None
            assert client.welcome.window_bytes == DEFAULT_WINDOW_BYTES
            await asyncio.to_thread(hub.restart)
            async for change in changes:
                if change.state is State.LIVE:
                    break
            assert client.stats().reconnects == 1
    assert seen == [State.AUTHENTICATING, State.CONNECTING, State.SYNCING, State.LIVE]


async def test_who_comes_late_to_a_meeting_is_told_the_latest_of_each_kind(
    shared_hub: HubProcess,
):
    """G4r: beginnings and the result whole, of the upload and of each stage the latest progress."""
    async with asyncio.timeout(30), RealtimeClient(shared_hub.grpc) as client:
        async with client.meeting("late", stages=("upload", "analyse")) as meeting:
            async with meeting.stage("upload"):
                for sent in (1, 2, 3):
                    await meeting.upload(sent, 3)
                    await meeting.flush()
            async with meeting.stage("analyse", total=3) as stage:
                for _ in range(2):
                    await stage.advance()
                    await meeting.flush()
            await meeting.completed("/r")
        told = []
        async for event in client.subscribe("meeting/late", start="snapshot"):
            told.append(tuple(describe(event).split(" ")[:2]))
            if told[-1][0] == "completed":
                break
    assert told == [
        ("stage_changed", "upload"),
        ("upload", "100%"),
        ("stage_progress", "upload"),
        ("stage_changed", "analyse"),
        ("stage_progress", "analyse"),
        ("completed", "/r"),
    ]
