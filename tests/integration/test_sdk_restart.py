"""Publishing and reading over kill -9: nothing lost, nothing doubled, in order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import meeting_pb2
from shipspeak_realtime import Event, RealtimeClient, Receipt, State, Verdict, VerdictKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.hub_process import HubProcess

EVENTS = 150
WRITERS = 64


def update(number: int) -> meeting_pb2.UploadProgress:
    return meeting_pb2.UploadProgress(sent_bytes=number)


async def read(
    client: RealtimeClient, topic: str, count: int, told: Callable[[Verdict], None]
) -> list[Event]:
    """The first `count` events of a topic."""
    events = []
    async for event in client.subscribe(topic, start="earliest", on_verdict=told):
        events.append(event)
        if len(events) == count:
            break
    return events


async def test_a_reader_and_a_writer_outlive_a_killed_hub(hub: HubProcess):
    """D1: reconnects by itself, nothing lost, nothing twice."""
    verdicts: list[Verdict] = []
    async with RealtimeClient(hub.grpc) as writer, RealtimeClient(hub.grpc) as reader:
        reading = asyncio.create_task(read(reader, "meeting/1", EVENTS, verdicts.append))
        receipts = []
        for number in range(EVENTS):
            if number == EVENTS // 2:
                await asyncio.to_thread(hub.restart)
            receipts.append(await writer.publish("meeting/1", update(number)))
        async with asyncio.timeout(40):
            events = await reading
        stats = reader.stats()
    assert [event.content.meeting.upload.sent_bytes for event in events] == list(range(EVENTS))
    assert [event.id for event in events] == [receipt.id for receipt in receipts]
    assert [event.offset for event in events] == [receipt.offset for receipt in receipts]
    assert [verdict.kind for verdict in verdicts] == [VerdictKind.OK, VerdictKind.OK]
    assert (stats.reconnects, stats.gaps, stats.resets) == (1, 0, 0)


async def test_64_writers_of_one_client_outlive_a_killed_hub(hub: HubProcess):
    each = 20
    async with RealtimeClient(hub.grpc) as writer, RealtimeClient(hub.grpc) as reader:

        async def write(number: int) -> list[Receipt]:
            topic = f"meeting/{number % 8}"
            return [
                await writer.publish(topic, update(number * each + turn), timeout=50)
                for turn in range(each)
            ]

        writing = asyncio.gather(*(write(number) for number in range(WRITERS)))
        await asyncio.to_thread(hub.restart)
        receipts = [receipt for group in await writing for receipt in group]
        for topic in {receipt.topic for receipt in receipts}:
            mine = {receipt.offset: receipt.id for receipt in receipts if receipt.topic == topic}
            async with asyncio.timeout(20):
                events = await read(reader, topic, len(mine), lambda _verdict: None)
            assert {event.offset: event.id for event in events} == mine
    assert len({receipt.id for receipt in receipts}) == WRITERS * each


async def test_calls_that_wait_are_stored_in_their_order(hub: HubProcess):
    """A whole queue behind a hub that is away keeps the order of its calls."""
    async with RealtimeClient(hub.grpc) as client:
        await client.publish("meeting/1", update(0))
        await asyncio.to_thread(hub.kill)
        waiting = [
            asyncio.create_task(client.publish("meeting/1", update(number)))
            for number in range(1, 100)
        ]
        await asyncio.to_thread(hub.start)
        receipts = await asyncio.gather(*waiting)
    assert [receipt.offset for receipt in receipts] == sorted(r.offset for r in receipts)


async def test_the_same_id_is_stored_once(hub: HubProcess):
    """E5: a repeat gives the first offset."""
    async with RealtimeClient(hub.grpc) as client:
        first = await client.publish("meeting/1", update(1), id="one")
        await asyncio.to_thread(hub.restart)
        again = await client.publish("meeting/1", update(1), id="one")
    assert (again.offset, again.duplicate, first.duplicate) == (first.offset, True, False)


async def test_a_drained_hub_costs_nothing(hub: HubProcess):
    verdicts: list[Verdict] = []
    async with RealtimeClient(hub.grpc) as client:
        reading = asyncio.create_task(read(client, "meeting/1", 2, verdicts.append))
        await client.publish("meeting/1", update(1))
        assert await asyncio.to_thread(hub.terminate) == 0
        await asyncio.to_thread(hub.start)
        await client.publish("meeting/1", update(2))
        async with asyncio.timeout(40):
            events = await reading
    assert [event.content.meeting.upload.sent_bytes for event in events] == [1, 2]
    assert [verdict.kind for verdict in verdicts] == [VerdictKind.OK, VerdictKind.OK]


async def test_a_cursor_goes_on_in_another_program(hub: HubProcess):
    async with RealtimeClient(hub.grpc) as client:
        for number in range(10):
            await client.publish("meeting/1", update(number))
        first = await read(client, "meeting/1", 4, lambda _verdict: None)
    await asyncio.to_thread(hub.restart)
    async with RealtimeClient(hub.grpc) as client, asyncio.timeout(20):
        rest: list[int] = []
        cursor = first[-1].cursor
        assert cursor is not None
        async for event in client.subscribe("meeting/1", start=cursor):
            rest.append(event.content.meeting.upload.sent_bytes)
            if len(rest) == 6:
                break
    assert rest == list(range(4, 10))


async def test_silence_is_noticed_and_healed(hub: HubProcess):
    """A stopped process holds its connections open: only the heartbeats tell."""
    async with RealtimeClient(hub.grpc) as client:
        changes = client.connection_changes()
        reading = asyncio.create_task(read(client, "meeting/1", 2, lambda _verdict: None))
        await client.publish("meeting/1", update(1))
        async with asyncio.timeout(20):
            # Before Welcome there is no heartbeat to miss.
            async for change in changes:
                if change.state is State.LIVE:
                    break
        await asyncio.to_thread(hub.pause)
        async with asyncio.timeout(20):
            async for change in changes:
                if change.state is State.BACKOFF:
                    break
        assert change.error is not None
        assert change.error.reason == "HEARTBEAT_MISSED"
        await asyncio.to_thread(hub.resume)
        await client.publish("meeting/1", update(2))
        async with asyncio.timeout(30):
            events = await reading
    assert [event.content.meeting.upload.sent_bytes for event in events] == [1, 2]
