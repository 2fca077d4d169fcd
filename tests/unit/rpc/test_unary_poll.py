"""Polls under way count against the sessions of the instance."""

from __future__ import annotations

import asyncio

import pytest
from google.protobuf import duration_pb2

from hub.errors import ResourceExhausted
from hub.session.sink import Caller
from shipspeak.realtime.v1 import event_pb2, frame_pb2
from shipspeak.realtime.v1.realtime_service_pb2 import PollRequest, PollResponse
from tests.support.listening import UnaryBench
from tests.support.until import until

TOPIC = "meeting/1"


class _Polls(UnaryBench):
    async def poll(self, cursor: bytes = b"") -> PollResponse:
        subscribe = frame_pb2.Subscribe(topic=TOPIC)
        if cursor:
            subscribe.position.CopyFrom(event_pb2.Position(cursor=cursor))
        request = PollRequest(
            hello=frame_pb2.Hello(protocol_version=1),
            subscriptions=[subscribe],
            wait=duration_pb2.Duration(seconds=30),
        )
        return PollResponse.FromString(await self.unary.poll(request.SerializeToString(), Caller()))


async def test_a_poll_takes_the_room_of_a_session_and_gives_it_back() -> None:
    bench = _Polls()
    bench.sessions._max = 1
    cursor = (await bench.poll()).frames[0].subscribed.position.cursor
    waiting = asyncio.ensure_future(bench.poll(cursor))
    live = await bench.registry.open(TOPIC)
    await until(lambda: live.watchers)
    with pytest.raises(ResourceExhausted) as caught:
        await bench.poll()
    assert caught.value.reason_name == "CONNECTION_LIMIT"
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (await bench.poll()).frames
