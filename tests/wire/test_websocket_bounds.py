"""What a WebSocket's peer can make the hub keep, and what it cannot."""

from __future__ import annotations

import asyncio
import os

import pytest

from hub.session.session import MAX_CONTROL_FRAMES
from tests.support.until import until
from tests.wire.board import Board
from tests.wire.duplex import EchoConnect
from tests.wire.raw import PATIENCE
from tests.wire.servers import running_bridge
from tests.wire.sockets import (
    CONTINUED,
    PING,
    PONG,
    close_of,
    connections,
    fill,
    message,
    opened,
    raw_socket,
    read_bytes,
    read_message,
    resume,
    session_of,
    stalled_socket,
)
from web_bridge.limits import MESSAGE_BYTES
from web_bridge.socket_protocol import MAX_FRAGMENTS


@pytest.fixture
def method() -> EchoConnect:
    return EchoConnect(Board())


async def test_a_message_over_the_limit_ends_it(method: EchoConnect) -> None:
    """Its sender learns why, although it is still writing."""
    async with running_bridge(connect=method) as server, raw_socket(server) as client:
        whole = message(bytes(MESSAGE_BYTES + 1))
        writing = asyncio.create_task(client.send(whole))
        assert (await close_of(client))[0] == 1009
        await asyncio.gather(writing, return_exceptions=True)
        session = await session_of(method)
        await asyncio.wait_for(session.detached.wait(), PATIENCE)
        assert session.frames == []


async def test_fragments_count_together(method: EchoConnect) -> None:
    async with running_bridge(connect=method) as server, raw_socket(server) as client:
        half = bytes(MESSAGE_BYTES // 2 + 1)
        await client.send(message(half, fin=False))
        writing = asyncio.create_task(client.send(message(half, CONTINUED)))
        assert (await close_of(client))[0] == 1009
        await asyncio.gather(writing, return_exceptions=True)


async def test_endless_empty_fragments_end_it(method: EchoConnect) -> None:
    async with running_bridge(connect=method) as server, raw_socket(server) as client:
        empty = message(b"", CONTINUED, fin=False)
        await client.send(message(b"", fin=False) + empty * (MAX_FRAGMENTS + 10))
        assert (await close_of(client))[0] == 1009


async def test_a_stalled_reader_is_bounded_delays_nobody_and_loses_nothing(
    method: EchoConnect,
) -> None:
    """G7."""
    board = method.board
    async with running_bridge(connect=method) as server, stalled_socket(server) as client:
        await client.send(message(b"board"))
        await board.until(lambda: len(board.members) == 1)
        (member,) = board.members
        board.log.extend([os.urandom(64 * 1024) for _ in range(200)])
        while member.sink.writable:
            member.sink.send(board.log[member.position])
            member.position += 1
        held = member.position
        assert held < 200
        (connection,) = connections(server)
        assert connection.transport.get_write_buffer_size() <= 192 * 1024
        async with opened(server) as other:
            await other.send(b"prompt")
            assert await other.recv() == b"prompt"
        assert member.position == held
        resume(client)
        expected = b"".join(board.log)
        assert await read_bytes(client, len(expected)) == expected


async def test_pings_without_reading_gather_no_pongs(method: EchoConnect) -> None:
    async with running_bridge(connect=method) as server, stalled_socket(server) as client:
        await client.send(message(b"board"))
        await method.board.until(lambda: len(method.board.members) == 1)
        member = method.board.members[0]
        fill(member.sink)
        (connection,) = connections(server)
        before = connection.transport.get_write_buffer_size()
        for number in range(2000):
            await client.send(message(b"%0125d" % number, PING))
        await client.send(message(b"read"))
        session = await session_of(method)
        await until(lambda: b"read" in session.frames)
        assert connection.transport.get_write_buffer_size() <= before
        resume(client)
        # Once it reads it gets the pong of the last one.
        while (answer := await read_message(client))[0] != PONG:
            pass
        assert answer == (PONG, b"%0125d" % 1999)


async def test_answers_that_nobody_reads_stop_the_reading(method: EchoConnect) -> None:
    async with running_bridge(connect=method) as server, stalled_socket(server) as client:
        await client.send(message(b"board"))
        await method.board.until(lambda: len(method.board.members) == 1)
        session = method.sessions[0]
        fill(session.sink)
        session.backlog = MAX_CONTROL_FRAMES + 1
        await client.send(message(b"first") + message(b"second"))
        await until(lambda: b"first" in session.frames)
        assert b"second" not in session.frames
        session.backlog = 0
        resume(client)
        while b"second" not in session.frames:
            await read_message(client)
        client.abort()
        await asyncio.wait_for(session.detached.wait(), PATIENCE)


async def test_a_waiting_reader_that_is_cut_is_let_go(method: EchoConnect) -> None:
    async with running_bridge(connect=method) as server, stalled_socket(server) as client:
        session = await session_of(method)
        fill(session.sink)
        session.backlog = MAX_CONTROL_FRAMES + 1
        await client.send(message(b"first"))
        client.abort()
        await asyncio.wait_for(session.detached.wait(), PATIENCE)
