"""granian: TLS and HTTP/2 at the browsers' door, by the same application.

The whole suite runs on it with `--http-server granian` (`make prove`); this every run tries.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import TYPE_CHECKING

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.support.until import until
from tests.wire import chosen
from tests.wire.board import LISTEN, Board, draining
from tests.wire.duplex import EchoConnect
from tests.wire.raw import BINARY, PATIENCE, Answer, frame
from tests.wire.servers import Server, running_bridge
from web_bridge.websocket import SOCKET_PATH, SUBPROTOCOL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

HEADERS = {"content-type": BINARY.decode()}


@pytest.fixture
def trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    tls = chosen.make_certificate(tmp_path)
    context = ssl.create_default_context(cafile=str(tls.certificate))
    monkeypatch.setattr(chosen, "tls", tls)
    monkeypatch.setattr(chosen, "trust", context)
    return context


@contextlib.asynccontextmanager
async def http2(server: Server, trust: ssl.SSLContext) -> AsyncIterator[httpx.AsyncClient]:
    address = f"https://127.0.0.1:{server.port}"
    async with httpx.AsyncClient(
        http1=False, http2=True, verify=trust, base_url=address, timeout=30
    ) as client:
        yield client


def complete(answer: httpx.Response) -> Answer:
    return Answer(answer.status_code, list(answer.headers.items()), answer.content, complete=True)


async def test_unary_calls_over_http2(trust: ssl.SSLContext) -> None:
    async with running_bridge() as server, http2(server, trust) as client:
        answer = await client.post("/echo.Echo/unary", content=frame(b"x"), headers=HEADERS)
        assert answer.http_version == "HTTP/2"
        assert complete(answer).messages() == [b"x"]
        assert complete(answer).status_message() == ("0", "")


async def test_a_stream_over_http2_and_its_drain(trust: ssl.SSLContext) -> None:
    board = Board()
    async with running_bridge(push={LISTEN: board}) as server, http2(server, trust) as client:

        async def listen() -> bytes:
            async with client.stream("POST", LISTEN, content=frame(b""), headers=HEADERS) as answer:
                return b"".join([part async for part in answer.aiter_raw()])

        listening = asyncio.create_task(listen())
        await board.until(lambda: len(board.members) == 1)
        (member,) = board.members
        board.publish(b"event")
        await until(lambda: member.position and member.sink.writable, seconds=30)
        drained = asyncio.create_task(server.http.drain(30))
        member.sink.close(draining())
        body = await asyncio.wait_for(listening, 30)
        assert body.startswith(frame(b"event"))
        assert b"grpc-status: 14" in body
        await asyncio.wait_for(drained, 30)
        await asyncio.wait_for(member.detached.wait(), PATIENCE)


async def test_a_client_that_leaves_is_noticed_over_http2(trust: ssl.SSLContext) -> None:
    """G11."""
    board = Board()
    async with running_bridge(push={LISTEN: board}) as server:
        async with (
            http2(server, trust) as client,
            client.stream("POST", LISTEN, content=frame(b""), headers=HEADERS),
        ):
            await board.until(lambda: len(board.members) == 1)
        await asyncio.wait_for(board.members[0].detached.wait(), 20)


async def test_a_websocket_over_tls(trust: ssl.SSLContext) -> None:
    method = EchoConnect(Board())
    async with running_bridge(connect=method) as server:
        address = f"wss://127.0.0.1:{server.port}{SOCKET_PATH}"
        async with connect(
            address, ssl=trust, subprotocols=[Subprotocol(SUBPROTOCOL)], proxy=None
        ) as socket:
            await socket.send(b"x" * 200_000)
            assert await socket.recv() == b"x" * 200_000
            method.sessions[0].sink.close(draining())
            await socket.wait_closed()
            assert (socket.close_code, socket.close_reason) == (4014, "DRAINING")
