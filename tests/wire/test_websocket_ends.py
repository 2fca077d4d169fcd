"""How WebSockets end: by either side, by silence, by a drain."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time

import pytest

from shipspeak.realtime.v1 import frame_pb2
from tests.support.until import until
from tests.wire.board import LISTEN, Board, draining
from tests.wire.duplex import EchoConnect
from tests.wire.raw import PATIENCE, Raw, post
from tests.wire.servers import running_bridge
from tests.wire.sockets import (
    BINARY,
    CLOSE,
    CONTINUED,
    OFFER,
    PING,
    PONG,
    close_of,
    fill,
    handshake,
    message,
    opened,
    raw_socket,
    read_message,
    session_of,
    stalled_socket,
)


@pytest.fixture
def method() -> EchoConnect:
    return EchoConnect(Board())


async def test_text_ends_it(method: EchoConnect) -> None:
    async with running_bridge(connect=method) as server, opened(server) as socket:
        await socket.send("text")
        frame = frame_pb2.ServerFrame.FromString(await socket.recv())  # type: ignore[arg-type]
        assert "binary" in frame.error.message
        await socket.wait_closed()
        assert socket.close_code == 1003
        session = await session_of(method)
        await asyncio.wait_for(session.detached.wait(), PATIENCE)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x82\x01x", 1002),  # no mask
        (message(b"x", CONTINUED), 1002),  # nothing to go on with
        (message(b"x", 0x3), 1002),  # a reserved opcode
        (b"\xc2" + message(b"x")[1:], 1002),  # a reserved bit, as of compression
        (message(bytes(126), PING), 1002),  # a long control frame
        (b"GET / HTTP/1.1\r\n\r\n", 1002),
    ],
)
async def test_broken_frames_end_it(method: EchoConnect, data: bytes, code: int) -> None:
    async with running_bridge(connect=method) as server, raw_socket(server) as client:
        await client.send(data)
        assert (await close_of(client))[0] == code
        assert await client.ended() == b""
        session = await session_of(method)
        await asyncio.wait_for(session.detached.wait(), PATIENCE)


async def test_a_lost_connection_is_noticed_at_once(method: EchoConnect) -> None:
    async with running_bridge(connect=method) as server, contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(raw_socket(server)) for _ in range(20)]
        await until(lambda: len(method.sessions) == 20)
        for index, client in enumerate(clients):
            (client.abort if index % 2 else client.close)()
        for session in method.sessions:
            await asyncio.wait_for(session.detached.wait(), PATIENCE)
        app = server.app
        assert app is not None
        await until(lambda: app.open_streams == 0)


@pytest.mark.parametrize(("code", "order"), [(1000, "ended detached"), (1001, "detached ended")])
async def test_a_close_with_1000_is_a_good_bye_and_another_is_a_cut(
    method: EchoConnect, code: int, order: str
) -> None:
    """G12."""
    async with running_bridge(connect=method) as server, raw_socket(server) as client:
        session = await session_of(method)
        await client.send(message(struct.pack("!H", code), CLOSE))
        assert (await close_of(client))[0] == code
        await until(lambda: len(session.order) == 2)
        assert " ".join(session.order) == order


async def test_a_silent_peer_is_asked_and_then_cut_off(method: EchoConnect) -> None:
    """G11: a half-open connection is noticed by 2.5 heartbeats."""
    heartbeat = 0.2
    async with (
        running_bridge(connect=method, heartbeat=heartbeat) as server,
        raw_socket(server) as client,
    ):
        began = asyncio.get_running_loop().time()
        session = await session_of(method)
        assert (await read_message(client))[0] == PING
        await asyncio.wait_for(session.detached.wait(), PATIENCE)
        assert asyncio.get_running_loop().time() - began >= 2.4 * heartbeat


async def test_a_peer_that_answers_pings_is_kept(method: EchoConnect) -> None:
    async with (
        running_bridge(connect=method, heartbeat=1.0) as server,
        raw_socket(server) as client,
    ):
        for _ in range(3):
            assert await read_message(client) == (PING, b"")
            await client.send(message(b"", PONG))
        await client.send(message(b"alive"))
        assert await read_message(client) == (BINARY, b"alive")


async def test_a_peer_is_kept_through_a_pause_of_the_hub(method: EchoConnect) -> None:
    """Silence that nobody was there to break tells nothing: the peer is asked first."""
    async with (
        running_bridge(connect=method, heartbeat=1.0) as server,
        raw_socket(server) as client,
    ):
        await session_of(method)
        asyncio.get_running_loop().call_soon(time.sleep, 2.6)
        assert await read_message(client) == (PING, b"")
        await client.send(message(b"", PONG))
        await client.send(message(b"alive"))
        assert await read_message(client) == (BINARY, b"alive")


async def test_a_drain_ends_what_its_session_did_not(method: EchoConnect) -> None:
    async with running_bridge(connect=method) as server, opened(server) as socket:
        session = await session_of(method)
        drained = asyncio.create_task(server.http.drain(0.1))
        frame = frame_pb2.ServerFrame.FromString(await socket.recv())  # type: ignore[arg-type]
        assert frame.error.code == 14
        await socket.wait_closed()
        assert (socket.close_code, socket.close_reason) == (4014, "DRAINING")
        await drained
        await asyncio.wait_for(session.detached.wait(), PATIENCE)
        with pytest.raises(ConnectionRefusedError):
            await Raw.connect(server.port)


async def test_a_drain_waits_for_sessions_to_end_themselves(method: EchoConnect) -> None:
    async with running_bridge(connect=method) as server, opened(server) as socket:
        session = await session_of(method)
        drained = asyncio.create_task(server.http.drain(30))
        await asyncio.sleep(0)
        session.sink.close(None)
        await socket.wait_closed()
        assert socket.close_code == 1000
        await asyncio.wait_for(drained, PATIENCE)


async def test_a_reader_that_never_reads_is_cut_at_the_end(method: EchoConnect) -> None:
    async with running_bridge(connect=method) as server, stalled_socket(server):
        session = await session_of(method)
        fill(session.sink)
        session.sink.close(draining())
        await asyncio.wait_for(server.http.drain(2 * PATIENCE), PATIENCE)
        await asyncio.wait_for(session.detached.wait(), PATIENCE)


async def test_no_upgrade_while_an_answer_is_under_way(method: EchoConnect) -> None:
    """The task of that answer would never hear that the connection has ended."""
    board = Board()
    async with running_bridge(connect=method, push={LISTEN: board}) as server:
        client = await Raw.connect(server.port)
        await client.send(post(LISTEN, b"\0\0\0\0\0"))
        await board.until(lambda: len(board.members) == 1)
        await client.send(handshake(OFFER))
        await asyncio.wait_for(board.members[0].detached.wait(), PATIENCE)
        assert method.sessions == []
        client.close()
