"""Streams through nginx: nothing is held back, and WebSockets pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2
from tests.support.raw_client import RawClient, draft, hello
from tests.support.socket_client import open_socket
from tests.wire.raw import PREFIX, frame

if TYPE_CHECKING:
    from tests.proxy.nginx import Nginx
    from tests.support.hub_process import HubProcess

LISTEN = "/shipspeak.realtime.v1.RealtimeService/Listen"


async def test_a_websocket_passes(hub: HubProcess, nginx: Nginx) -> None:
    async with open_socket(nginx.http, origin=nginx.http) as stream, RawClient(hub.grpc) as client:
        await stream.welcomed()
        await stream.subscribe("meeting/ws")
        await client.publish(draft("meeting/ws", 1))
        assert [event.offset for event in await stream.events(1)] == [1]


async def test_a_grpc_web_stream_is_not_held_back(hub: HubProcess, nginx: Nginx) -> None:
    request = realtime_service_pb2.ListenRequest(
        hello=hello(), subscriptions=[frame_pb2.Subscribe(topic="meeting/stream")]
    )
    async with (
        RawClient(hub.grpc) as client,
        httpx.AsyncClient(timeout=30) as http,
        http.stream(
            "POST",
            nginx.http + LISTEN,
            content=frame(request.SerializeToString()),
            headers={"content-type": "application/grpc-web+proto"},
        ) as answer,
    ):
        received, kinds = b"", []
        async for part in answer.aiter_raw():
            received += part
            while len(received) >= PREFIX.size:
                _, size = PREFIX.unpack_from(received)
                if len(received) < PREFIX.size + size:
                    break
                message = frame_pb2.ServerFrame.FromString(received[PREFIX.size :][:size])
                received = received[PREFIX.size + size :]
                kinds.append(message.WhichOneof("control") or "runs")
            if kinds == ["welcome", "subscribed"]:
                await client.publish(draft("meeting/stream", 1))
            if "runs" in kinds:
                break
        assert kinds == ["welcome", "subscribed", "runs"]
