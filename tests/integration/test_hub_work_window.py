"""Work on a real hub shares the session's window with what else it reads (E1, G7, G8)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from google.protobuf.duration_pb2 import Duration
from google.protobuf.wrappers_pb2 import BytesValue

from shipspeak.realtime.v1 import event_pb2, frame_pb2
from tests.support.raw_client import RawClient, draft
from tests.support.work_member import Member, acks

if TYPE_CHECKING:
    from tests.support.hub_process import HubProcess
    from tests.support.raw_client import Stream

WINDOW = 65_536
BODY = 30_000
FRAME = 65_536 + BODY
WORKS = 4
EVENTS = 20


async def publish_work(client: RawClient, topic: str) -> None:
    for number in range(EVENTS):
        content = event_pb2.Content()
        content.other.Pack(BytesValue(value=bytes(BODY)))
        one = draft(topic, number, content=content)
        (result,) = await client.publish(one)
        assert result.outcome == frame_pb2.OUTCOME_STORED


async def member(client: RawClient, kind: str) -> Stream:
    """A session in four work subscriptions that reads an urgent topic, too."""
    stream, _ = await client.session(window_bytes=WINDOW)
    await stream.subscribe(f"practice/{kind}")
    for number in range(WORKS):
        opening = frame_pb2.OpenWork(
            name=f"{kind}-{number}", pattern=f"meeting/{kind}", max_outstanding=100
        )
        await stream.send(request_id=1, open_work=opening)
        await stream.control("work_opened")
    return stream


async def test_an_urgent_event_comes_before_further_work(shared_hub: HubProcess) -> None:
    """G8: behind a window of work, and one frame, however much work there is."""
    kind = secrets.token_hex(4)
    async with RawClient(shared_hub.grpc) as client:
        stream = await member(client, kind)
        await publish_work(client, f"meeting/{kind}")
        urgent = draft(f"practice/{kind}", 1)
        urgent.content.priority = event_pb2.PRIORITY_CRITICAL
        (result,) = await client.publish(urgent)
        assert result.outcome == frame_pb2.OUTCOME_STORED
        ahead = handed_out = 0
        while not (frame := await stream.read()).runs:
            if frame.HasField("deliveries"):
                ahead += frame.ByteSize()
                handed_out += len(frame.deliveries.deliveries)
        assert 0 < ahead < WINDOW + FRAME
        # All the rest comes as the member reports what it has handled.
        total = ahead + frame.ByteSize()
        while handed_out < WORKS * EVENTS:
            await stream.send(window=frame_pb2.Window(handled_bytes=total))
            handed = await stream.until(lambda frame: frame.HasField("deliveries"))
            total += handed.ByteSize()
            handed_out += len(handed.deliveries.deliveries)
        assert handed_out == WORKS * EVENTS


async def test_what_a_stalled_member_holds_passes_on_when_its_lease_ends(
    shared_hub: HubProcess,
) -> None:
    """E1, G7: it neither reads nor leaves, over a real connection; others get all of it.

    What its connection never took is a first attempt for them.
    """
    kind = secrets.token_hex(4)
    topic, events = f"meeting/{kind}", 60
    async with RawClient(shared_hub.grpc) as client, RawClient(shared_hub.grpc) as other:
        stalled = await Member.join(
            client, kind, topic, max_outstanding=1000, ack_deadline=Duration(seconds=10)
        )
        content = event_pb2.Content()
        content.other.Pack(BytesValue(value=bytes(200_000)))
        for number in range(events):
            await other.publish(draft(topic, number, content=content))
        healthy = await Member.join(other, kind, topic, max_outstanding=8)
        attempts: dict[str, int] = {}
        while len(attempts) < events:
            # Longer than the lease, or the silence, of the one that has stalled.
            frame = await healthy.stream.until(lambda frame: frame.HasField("deliveries"), 60)
            got = list(frame.deliveries.deliveries)
            attempts |= {one.event.id: one.attempt for one in got}
            await healthy.stream.send(acknowledge=acks(frame_pb2.VERB_ACK, *got))
        assert set(attempts.values()) == {1, 2}
        stalled.die()
