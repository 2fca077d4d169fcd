"""Ending a server: streams get their trailer, nothing hangs, nothing is left."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest

from tests.wire.board import LISTEN, Board, draining
from tests.wire.raw import PATIENCE, Answer, Raw, call, frame, post
from tests.wire.servers import Server, running_bridge

if TYPE_CHECKING:
    from hub.errors import HubError


async def opened(server: Server, path: str, body: bytes, receive_buffer: int | None = None) -> Raw:
    client = await Raw.connect(server.port, receive_buffer=receive_buffer)
    await client.send(post(path, frame(body)))
    await client.read_head()
    return client


async def rest(client: Raw) -> Answer:
    while not client.answer.complete:
        await client.read_part()
    return client.answer


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize("error", [draining(), None])
async def test_streams_end_with_unavailable(error: HubError | None) -> None:
    """With an error the session ends its stream in time; without, the bridge does at the end."""
    board = Board()
    async with running_bridge(push={LISTEN: board}) as server:
        pushed = await opened(server, LISTEN, b"")
        idle = await opened(server, "/echo.Echo/idle", b"x")
        kept = await Raw.connect(server.port)
        await board.until(lambda: len(board.members) == 1)
        begin = now()
        drained = asyncio.create_task(server.http.drain(0.3))
        answer = await rest(idle)
        assert answer.messages() == [b"x"]
        assert answer.status_message()[0] == "14"
        if error is not None:
            board.end(error)
        assert (await rest(pushed)).status_message()[0] == "14"
        assert await kept.ended() == b""
        await drained
        assert now() - begin < PATIENCE
        assert board.members[0].detached.is_set()
        assert await server.echo.seen.get() == "started"
        assert await server.echo.seen.get() == "CancelledError"
        with pytest.raises(ConnectionRefusedError):
            await Raw.connect(server.port)
        for client in (pushed, idle, kept):
            client.close()


async def test_drain_waits_for_unary_calls() -> None:
    async with running_bridge() as server:
        waiting = asyncio.create_task(call(server.port, "hang", b"", ("grpc-timeout", "1S")))
        assert await server.echo.seen.get() == "started"
        await server.http.drain(60)
        assert (await waiting).status_message()[0] == "4"


async def test_drain_waits_for_no_idle_connection() -> None:
    async with running_bridge() as server:
        fresh = await Raw.connect(server.port)
        kept = await Raw.connect(server.port)
        await kept.send(post("/echo.Echo/unary", frame(b"x")))
        assert (await kept.read_answer()).messages() == [b"x"]
        begin = now()
        await server.http.drain(2 * PATIENCE)
        assert now() - begin < PATIENCE
        assert await kept.ended() == await fresh.ended() == b""
        kept.close()
        fresh.close()


async def test_call_that_never_ends_is_cut() -> None:
    async with running_bridge() as server:
        client = await Raw.connect(server.port)
        await client.send(post("/echo.Echo/hang", frame(b"")))
        assert await server.echo.seen.get() == "started"
        begin = now()
        await server.http.drain(0.1)
        assert now() - begin < PATIENCE
        assert await server.echo.seen.get() == "CancelledError"
        with contextlib.suppress(ConnectionError):
            assert await client.ended() == b""
        client.close()


async def test_reader_that_never_reads_is_cut() -> None:
    board = Board()
    async with running_bridge(push={LISTEN: board}) as server:
        client = await opened(server, LISTEN, b"", receive_buffer=16 * 1024)
        await board.until(lambda: len(board.members) == 1)
        sink = board.members[0].sink
        while sink.writable:
            sink.send(bytes(256 * 1024))
        board.end(draining())
        begin = now()
        await server.http.drain(2 * PATIENCE)
        # The stream lingers for its reader, then its connection is cut; the drain does not wait on.
        assert now() - begin < PATIENCE
        assert board.members[0].detached.is_set()
        client.close()


async def test_stop_is_idempotent() -> None:
    async with running_bridge() as server:
        await server.http.stop()
        await server.http.stop()
        await server.http.drain(1)
