"""The WebSocket door on the wire: handshakes and messages."""

from __future__ import annotations

import contextlib
import os

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from shipspeak.realtime.v1 import frame_pb2
from tests.wire.board import Board, draining
from tests.wire.duplex import EchoConnect
from tests.wire.raw import Answer, Raw, request
from tests.wire.servers import ORIGIN, Server, running_bridge
from tests.wire.sockets import (
    BINARY,
    CONTINUED,
    OFFER,
    PING,
    PONG,
    handshake,
    message,
    opened,
    raw_socket,
    read_bytes,
    read_message,
    session_of,
)
from web_bridge.websocket import SOCKET_PATH, SUBPROTOCOL


@pytest.fixture
def method() -> EchoConnect:
    return EchoConnect(Board())


async def answered(server: Server, data: bytes) -> Answer:
    client = await Raw.connect(server.port)
    try:
        await client.send(data)
        return await client.read_answer()
    finally:
        client.close()


async def test_messages_go_both_ways_and_keep_their_edges(method: EchoConnect) -> None:
    async with running_bridge(connect=method) as server, opened(server) as socket:
        assert socket.subprotocol == SUBPROTOCOL
        assert "Sec-WebSocket-Extensions" not in socket.response.headers  # type: ignore[union-attr]
        for size in (0, 1, 125, 126, 65_535, 65_536, 200_000):
            sent = os.urandom(size)
            await socket.send(sent)
            assert await socket.recv() == sent
        (caller,) = method.callers
        assert caller.transport == "websocket"
        assert caller.peer.startswith("ipv4:127.0.0.1:")
        assert caller.metadata == {}


async def test_fragments_are_put_together(method: EchoConnect) -> None:
    async with running_bridge(connect=method) as server, raw_socket(server) as client:
        await client.send(message(b"a", fin=False) + message(b"", CONTINUED, fin=False))
        await client.send(message(b"?", PING) + message(b"b", CONTINUED))
        assert await read_message(client) == (PONG, b"?")
        assert await read_message(client) == (BINARY, b"ab")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ((), 400),
        ((("sec-websocket-protocol", "shipspeak.realtime.v9"),), 400),
        ((OFFER, ("origin", "https://evil.example")), 403),
        ((OFFER, ("origin", "null")), 403),
        ((OFFER, ("origin", ORIGIN)), 101),
        ((OFFER, ("origin", "http://hub.test")), 101),
        ((("sec-websocket-protocol", f"other, {SUBPROTOCOL}"),), 101),
    ],
)
async def test_handshakes(
    method: EchoConnect, headers: tuple[tuple[str, str], ...], status: int
) -> None:
    async with running_bridge(connect=method) as server:
        client = await Raw.connect(server.port)
        await client.send(handshake(*headers))
        assert (await client.read_head()).status == status
        if status == 101:
            await session_of(method)
        else:
            assert not method.sessions
        client.close()


async def test_other_paths_have_no_socket(method: EchoConnect) -> None:
    async with running_bridge(connect=method) as server:
        answer = await answered(server, handshake(OFFER, path="/"))
        assert answer.status == 404
        assert SOCKET_PATH.encode() in answer.body
        assert (await answered(server, request("GET", SOCKET_PATH))).status == 426


async def test_a_bad_handshake_is_refused(method: EchoConnect) -> None:
    async with running_bridge(connect=method) as server:
        version = handshake(OFFER).replace(b"version: 13", b"version: 12")
        assert (await answered(server, version)).status in (400, 426)


async def test_a_refused_session_is_told_on_the_socket(method: EchoConnect) -> None:
    """A page learns nothing of a refused handshake."""
    method.refusal = draining()
    async with running_bridge(connect=method) as server, opened(server) as socket:
        frame = frame_pb2.ServerFrame.FromString(await socket.recv())  # type: ignore[arg-type]
        assert frame.error.retry_after.ToMilliseconds() == 1500
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert (socket.close_code, socket.close_reason) == (4014, "DRAINING")


async def test_frames_of_a_flush_are_shared_and_in_order(method: EchoConnect) -> None:
    async with running_bridge(connect=method) as server, contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(raw_socket(server)) for _ in range(20)]
        for client in clients:
            await client.send(message(b"board"))
        await method.board.until(lambda: len(method.board.members) == 20)
        for number in range(80):
            method.board.publish(bytes([number]) * (number * 997))
        expected = b"".join(method.board.log)
        for client in clients:
            assert await read_bytes(client, len(expected)) == expected


async def test_without_sessions_there_is_no_socket() -> None:
    async with running_bridge() as server:
        with pytest.raises(InvalidStatus) as refused:
            async with opened(server):
                pass
        assert refused.value.response.status_code == 404
