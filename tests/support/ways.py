"""Every way to read one topic of a real hub: the frames as they come, until the hub ends it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import grpc
from websockets.exceptions import ConnectionClosed, InvalidStatus

from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2
from tests.support.raw_client import SERVICE, RawClient, hello
from tests.support.socket_client import open_socket
from tests.wire.raw import BINARY, Raw, ask, frame, post

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from google.protobuf.message import Message

    from tests.support.hub_process import HubProcess

    Way = Callable[
        [HubProcess, str, frame_pb2.Subscribe], AsyncGenerator[frame_pb2.ServerFrame, None]
    ]

POLL_SECONDS = 1.0
_TRAILERS = 0x80
_ENDS = (grpc.aio.AioRpcError, EOFError, OSError, ConnectionClosed, InvalidStatus)


async def connect(
    hub: HubProcess, token: str, wish: frame_pb2.Subscribe
) -> AsyncGenerator[frame_pb2.ServerFrame, None]:
    """Connect on gRPC."""
    async with RawClient(hub.grpc, token) as client:
        with contextlib.suppress(*_ENDS):
            stream = client.connect()
            await stream.send(hello=hello())
            await stream.send(subscribe=wish)
            while True:
                yield await stream.read()


async def listen(
    hub: HubProcess, token: str, wish: frame_pb2.Subscribe
) -> AsyncGenerator[frame_pb2.ServerFrame, None]:
    """Listen on the bridge, as a browser does."""
    request = realtime_service_pb2.ListenRequest(hello=hello(), subscriptions=[wish])
    raw = await Raw.connect(_port(hub))
    with contextlib.suppress(*_ENDS), contextlib.closing(_Closing(raw)):
        await raw.send(_request("Listen", token, request))
        await raw.read_head()
        async for flags, message in raw.each_frame():
            if flags & _TRAILERS:
                return
            yield frame_pb2.ServerFrame.FromString(message)


async def websocket(
    hub: HubProcess, token: str, wish: frame_pb2.Subscribe
) -> AsyncGenerator[frame_pb2.ServerFrame, None]:
    """Connect's frames on a WebSocket."""
    with contextlib.suppress(*_ENDS):
        async with open_socket(hub.http) as stream:
            await stream.send(hello=hello(token=token))
            await stream.send(subscribe=wish)
            while True:
                yield await stream.read()


async def poll(
    hub: HubProcess, token: str, wish: frame_pb2.Subscribe
) -> AsyncGenerator[frame_pb2.ServerFrame, None]:
    """Long polls on gRPC, each from where the last one ended, until one is refused."""
    place = frame_pb2.Subscribe()
    place.CopyFrom(wish)
    async with RawClient(hub.grpc, token) as client:
        with contextlib.suppress(*_ENDS):
            while True:
                answer = await client.call("Poll", _poll(place))
                for told in answer.frames:
                    yield told
                    _go_on(place, told)


async def web_poll(
    hub: HubProcess, token: str, wish: frame_pb2.Subscribe
) -> AsyncGenerator[frame_pb2.ServerFrame, None]:
    """The same on the bridge."""
    place = frame_pb2.Subscribe()
    place.CopyFrom(wish)
    with contextlib.suppress(*_ENDS):
        while True:
            answer = await ask(_port(hub), _request("Poll", token, _poll(place)))
            if not answer.complete or answer.status_message()[0] != "0":
                return
            response = realtime_service_pb2.PollResponse.FromString(answer.messages()[0])
            for told in response.frames:
                yield told
                _go_on(place, told)


STREAMS: dict[str, Way] = {"connect": connect, "listen": listen, "websocket": websocket}
WAYS: dict[str, Way] = {**STREAMS, "poll": poll, "web-poll": web_poll}


class _Closing:
    """Lets `contextlib.closing` drop a connection at once."""

    def __init__(self, raw: Raw) -> None:
        self.close = raw.abort


def _poll(wish: frame_pb2.Subscribe) -> realtime_service_pb2.PollRequest:
    request = realtime_service_pb2.PollRequest(hello=hello(), subscriptions=[wish])
    request.wait.FromMilliseconds(int(POLL_SECONDS * 1000))
    return request


def _go_on(place: frame_pb2.Subscribe, told: frame_pb2.ServerFrame) -> None:
    if told.WhichOneof("control") == "subscribed":
        place.position.CopyFrom(told.subscribed.position)
    for run in told.runs:
        place.position.cursor = run.cursor
        place.position.handled_offset = run.through_offset


def _request(method: str, token: str, message: Message) -> bytes:
    return post(
        f"/{SERVICE}/{method}",
        frame(message.SerializeToString()),
        ("authorization", f"Bearer {token}"),
        content_type=BINARY,
        host="localhost",
    )


def _port(hub: HubProcess) -> int:
    return int(hub.http.rpartition(":")[2])
