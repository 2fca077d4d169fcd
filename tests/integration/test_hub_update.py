"""UpdateSubscriptions on a real hub: what a subscription that goes on takes over."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import error_reason_pb2, event_pb2, frame_pb2, realtime_service_pb2
from tests.support.raw_client import RawClient, draft, hello

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.hub_process import HubProcess

WINDOW = 65_536


def _bulk(topic: str, number: int) -> event_pb2.Draft:
    made = event_pb2.Draft(id=f"e{number}", topic=topic)
    made.content.key = "k"
    made.content.other.type_url = "type.example/bulk"
    made.content.other.value = bytes(20_000)
    return made


async def test_a_kept_subscription_takes_over_what_it_asks_for_now(
    start_hub: Callable[..., HubProcess],
) -> None:
    """A set that asks for conflation of a topic that is subscribed already gets it."""
    topic = f"meeting/{secrets.token_hex(4)}"
    hub = await asyncio.to_thread(start_hub, "--heartbeat", "3")
    async with RawClient(hub.grpc) as client, asyncio.timeout(60):
        listener = client.listen(frame_pb2.Subscribe(topic=topic), hello=hello(window_bytes=WINDOW))
        session_id = (await listener.read()).welcome.session_id
        await listener.control("subscribed")
        drafts = [_bulk(topic, number) for number in range(40)]
        await client.publish(*drafts)
        got, last = 0, 0
        while got < WINDOW:
            frame = await listener.until(lambda frame: frame.runs)
            got, last = got + frame.ByteSize(), frame.runs[-1].through_offset
        for _ in range(2):  # seconds between them: it lags by now
            await listener.until(lambda frame: frame.WhichOneof("control") == "heartbeat")
            await client.call("Touch", realtime_service_pb2.TouchRequest(session_id=session_id))
        update = realtime_service_pb2.UpdateSubscriptionsRequest(
            session_id=session_id,
            revision=1,
            subscriptions=[frame_pb2.Subscribe(topic=topic, conflate=True)],
        )
        await client.call("UpdateSubscriptions", update)
        events = conflated = 0
        while last < len(drafts):
            touch = realtime_service_pb2.TouchRequest(session_id=session_id, handled_bytes=got)
            await client.call("Touch", touch)
            frame = await listener.until(lambda frame: frame.runs)
            got += frame.ByteSize()
            for run in frame.runs:
                events, conflated = events + len(run.events), conflated + run.conflated
                last = run.through_offset
        assert conflated > events, "the latest of the key, and a count"


async def test_a_kept_subscription_is_not_conflated_where_nothing_may_be(
    shared_hub: HubProcess,
) -> None:
    topic = f"user/{secrets.token_hex(4)}"
    async with RawClient(shared_hub.grpc) as client, asyncio.timeout(60):
        await _refused(client, topic)


async def _refused(client: RawClient, topic: str) -> None:
    listener = client.listen(frame_pb2.Subscribe(topic=topic))
    session_id = (await listener.read()).welcome.session_id
    await listener.control("subscribed")
    update = realtime_service_pb2.UpdateSubscriptionsRequest(
        session_id=session_id,
        revision=1,
        subscriptions=[frame_pb2.Subscribe(topic=topic, conflate=True)],
    )
    await client.call("UpdateSubscriptions", update)
    refused = await listener.control("error")
    assert (refused.topic, refused.reason) == (
        topic,
        error_reason_pb2.ERROR_REASON_CONFLATION_NOT_ALLOWED,
    )
    await client.publish(draft(topic, 1))
    assert len(await listener.events(1)) == 1, "it goes on as it was"
