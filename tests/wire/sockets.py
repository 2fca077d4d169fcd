"""A WebSocket on the wire: handshake, frames byte by byte, and readers that read nothing."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import connect

from tests.support.until import until
from tests.wire import chosen
from tests.wire.raw import PATIENCE, Raw, request
from web_bridge.websocket import SOCKET_PATH, SUBPROTOCOL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from websockets.asyncio.client import ClientConnection

    from hub.session.sink import FrameSink
    from tests.wire.duplex import EchoConnect, EchoSession
    from tests.wire.servers import Server

OFFER = ("sec-websocket-protocol", SUBPROTOCOL)
FILLER_BYTES = 256 * 1024
BINARY, CONTINUED, CLOSE, PING, PONG = 0x2, 0x0, 0x8, 0x9, 0xA


@contextlib.asynccontextmanager
async def opened(server: Server, **options: object) -> AsyncIterator[ClientConnection]:
    options = {"subprotocols": [SUBPROTOCOL], "max_size": None, **options}
    scheme = "wss" if chosen.trust else "ws"
    if chosen.trust:
        options["ssl"] = chosen.trust
    address = f"{scheme}://127.0.0.1:{server.port}{SOCKET_PATH}"
    async with connect(address, proxy=None, ping_interval=None, **options) as connection:  # type: ignore[arg-type]
        yield connection


def handshake(*headers: tuple[str, str], path: str = SOCKET_PATH) -> bytes:
    return request(
        "GET",
        path,
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        *headers,
    )


def message(payload: bytes, opcode: int = BINARY, *, fin: bool = True) -> bytes:
    """A client's frame; its mask is all zero."""
    first = opcode | (0x80 if fin else 0)
    if len(payload) < 126:
        head = bytes((first, 0x80 | len(payload)))
    elif len(payload) < 65_536:
        head = bytes((first, 0x80 | 126)) + struct.pack("!H", len(payload))
    else:
        head = bytes((first, 0x80 | 127)) + struct.pack("!Q", len(payload))
    return head + bytes(4) + payload


@contextlib.asynccontextmanager
async def raw_socket(server: Server) -> AsyncIterator[Raw]:
    client = await Raw.connect(server.port)
    try:
        await client.send(handshake(OFFER))
        assert (await client.read_head()).status == 101
        yield client
    finally:
        client.abort()


@contextlib.asynccontextmanager
async def stalled_socket(server: Server) -> AsyncIterator[Raw]:
    """One that reads nothing behind the handshake until it is told to resume."""
    client = await Raw.connect(server.port, receive_buffer=16 * 1024)
    try:
        await client.send(handshake(OFFER))
        assert (await client.read_head()).status == 101
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        yield client
    finally:
        client.abort()


def resume(client: Raw) -> None:
    client.writer.transport.resume_reading()  # type: ignore[attr-defined]


def fill(sink: FrameSink) -> int:
    """Give frames to a sink whose reader reads nothing, until it takes no more; how many."""
    count = 0
    while sink.writable:
        sink.send(bytes(FILLER_BYTES))
        count += 1
    return count


async def read_message(client: Raw) -> tuple[int, bytes]:
    """(opcode, payload) of the server's next frame."""
    async with asyncio.timeout(PATIENCE):
        first, size = await client.reader.readexactly(2)
        assert first & 0x80, "a fragment"
        assert size < 0x80, "a server does not mask"
        if size == 126:
            (size,) = struct.unpack("!H", await client.reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await client.reader.readexactly(8))
        return first & 0x0F, await client.reader.readexactly(size)


async def close_of(client: Raw) -> tuple[int, str]:
    """Code and reason of the server's close frame; frames before it are dropped."""
    while True:
        opcode, payload = await read_message(client)
        if opcode == CLOSE:
            return struct.unpack("!H", payload[:2])[0], payload[2:].decode()


async def session_of(method: EchoConnect) -> EchoSession:
    await until(lambda: method.sessions)
    return method.sessions[-1]


async def read_bytes(client: Raw, size: int) -> bytes:
    """So many bytes, whatever messages they came in."""
    received = bytearray()
    while len(received) < size:
        received += (await read_message(client))[1]
    return bytes(received)


def connections(server: Server) -> list[Any]:
    assert server.http._server is not None
    return list(server.http._server.server_state.connections)
