"""WebSockets that break RFC 6455, and frames that no session takes."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from typing import TYPE_CHECKING, Any

import grpc

from shipspeak.realtime.v1 import frame_pb2
from tests.attacks.attack import Act, Attack, Door
from tests.attacks.doors import said_by, said_by_call
from tests.attacks.rows.shared import STREAMS, on_stream
from tests.support.raw_client import RawClient, hello
from tests.support.socket_client import open_socket
from tests.wire.raw import Raw, ask
from tests.wire.sockets import (
    BINARY,
    CONTINUED,
    OFFER,
    PING,
    PONG,
    handshake,
    message,
    read_message,
)
from web_bridge.socket_protocol import MAX_FRAGMENTS

if TYPE_CHECKING:
    from tests.attacks.scene import Scene

SOCKET = (Door.WEBSOCKET,)
CLOSE = 0x8
TEXT = 0x1


def _closed_by(*frames: bytes, after_hello: bool = True) -> Act:
    """Frames on a WebSocket, and the code that it is closed with."""

    async def act(scene: Scene, _door: Door) -> str:
        client = await Raw.connect(scene.doors.port)
        try:
            await client.send(handshake(OFFER))
            assert (await client.read_head()).status == 101
            if after_hello:
                await client.send(message(_hello(scene)))
            # The end may come while it is still being sent.
            with contextlib.suppress(ConnectionError):
                await client.send(b"".join(frames))
            return await _end(client)
        finally:
            client.abort()

    return act


async def _end(client: Raw) -> str:
    try:
        async with asyncio.timeout(30):
            while True:
                opcode, payload = await read_message(client)
                if opcode == CLOSE:
                    return f"CLOSE {struct.unpack('!H', payload[:2])[0]}"
    except (asyncio.IncompleteReadError, ConnectionError):
        return "cut"


def _hello(scene: Scene) -> bytes:
    said = hello(token=scene.keys.token())
    return frame_pb2.ClientFrame(hello=said).SerializeToString()


def _unmasked(payload: bytes) -> bytes:
    return bytes((0x80 | BINARY, len(payload))) + payload


def _fragments(count: int) -> bytes:
    first = message(b"", fin=False)
    return first + message(b"", CONTINUED, fin=False) * count


async def _endless(scene: Scene, _door: Door) -> str:
    """A frame that says it has 2**62 bytes."""
    head = bytes((0x80 | BINARY, 0x80 | 127)) + struct.pack("!Q", 1 << 62) + bytes(4)
    return await _closed_by(head)(scene, Door.WEBSOCKET)


async def _no_subprotocol(scene: Scene, _door: Door) -> str:
    return f"HTTP {(await ask(scene.doors.port, handshake())).status}"


async def _elsewhere(scene: Scene, _door: Door) -> str:
    return f"HTTP {(await ask(scene.doors.port, handshake(OFFER, path='/metrics'))).status}"


async def _deflate(scene: Scene, _door: Door) -> str:
    """Offers compression, and is not taken up on it: no bomb can be sent."""
    offer = ("sec-websocket-extensions", "permessage-deflate")
    client = await Raw.connect(scene.doors.port)
    try:
        await client.send(handshake(OFFER, offer))
        answer = await client.read_head()
        assert answer.header("sec-websocket-extensions") is None
        return f"HTTP {answer.status}"
    finally:
        client.abort()


async def _text(scene: Scene, _door: Door) -> str:
    async with open_socket(scene.hub.http) as stream:
        await stream.welcomed(token=scene.keys.token())
        await stream.connection.send("text")
        code, _, reasons = await stream.closed()
        return f"CLOSE {code} {' '.join(reasons)}"


async def _no_hello(scene: Scene, door: Door) -> str:
    """Begins with something else."""
    frame = frame_pb2.ClientFrame(ping=frame_pb2.Ping(nonce=1)).SerializeToString()
    if door is Door.WEBSOCKET:
        async with open_socket(scene.hub.http) as stream:
            await stream.send_bytes(frame)
            return said_by((await stream.read()).error)
    async with RawClient(scene.hub.grpc, scene.keys.token()) as client:
        connected = client.connect()
        await connected.send_bytes(frame)
        try:
            while True:
                await connected.read()
        except grpc.aio.AioRpcError as error:
            return said_by_call(error)


async def _second_hello(scene: Scene, door: Door) -> str:
    """Says Hello again, as another."""

    async def talk(stream: Any) -> str:
        await stream.send(request_id=2, hello=hello(token=scene.keys.token("bob", admin=True)))
        return said_by(await stream.control("error"))

    return await on_stream(scene, door, talk)


async def _old_version(scene: Scene, door: Door) -> str:
    frame = frame_pb2.ClientFrame(hello=hello(protocol_version=99)).SerializeToString()
    if door is Door.WEBSOCKET:
        async with open_socket(scene.hub.http) as stream:
            await stream.send_bytes(frame)
            return said_by(await stream.control("error"))
    async with RawClient(scene.hub.grpc, scene.keys.token()) as client:
        connected = client.connect()
        await connected.send_bytes(frame)
        code, reason = await connected.end()
        return f"{code.name} {reason}"


async def _oversize(scene: Scene, door: Door) -> str:
    """A frame of 5 MiB on a session."""

    async def talk(stream: Any) -> str:
        await stream.send_bytes(bytes(5 << 20))
        return said_by(await stream.control("error"))

    return await on_stream(scene, door, talk)


ROWS = (
    Attack(
        "unmasked frames",
        SOCKET,
        "a frame without a mask",
        _closed_by(_unmasked(b"x")),
        "CLOSE 1002",
    ),
    Attack(
        "fragments without an end",
        SOCKET,
        f"{MAX_FRAGMENTS + 10} empty fragments",
        _closed_by(_fragments(MAX_FRAGMENTS + 10)),
        "CLOSE 1009",
    ),
    Attack(
        "a message in a message",
        SOCKET,
        "a new message among fragments",
        _closed_by(message(b"a", fin=False), message(b"b")),
        "CLOSE 1002",
    ),
    Attack(
        "a continuation of nothing",
        SOCKET,
        "opcode 0 at first",
        _closed_by(message(b"a", CONTINUED)),
        "CLOSE 1002",
    ),
    Attack(
        "an oversize WebSocket message",
        SOCKET,
        "5 MiB",
        _closed_by(message(bytes(5 << 20))),
        "CLOSE 1009",
    ),
    Attack(
        "an oversize gRPC frame",
        (Door.GRPC,),
        "5 MiB",
        _oversize,
        "RESOURCE_EXHAUSTED FRAME_TOO_LARGE",
    ),
    Attack(
        "oversize in fragments",
        SOCKET,
        "5 fragments of 1 MiB",
        _closed_by(
            message(bytes(1 << 20), fin=False), *[message(bytes(1 << 20), CONTINUED, fin=False)] * 4
        ),
        "CLOSE 1009",
    ),
    Attack("a frame of 2**62 bytes", SOCKET, "its head", _endless, "CLOSE 1009"),
    Attack(
        "reserved bits",
        SOCKET,
        "RSV1, as of a compressed message",
        _closed_by(bytes((0xC0 | BINARY, 0x81)) + bytes(4) + b"x"),
        "CLOSE 1002",
    ),
    Attack("reserved opcode", SOCKET, "opcode 0xB", _closed_by(message(b"", 0xB)), "CLOSE 1002"),
    Attack(
        "a long ping",
        SOCKET,
        "a ping of 200 bytes",
        _closed_by(message(bytes(200), PING)),
        "CLOSE 1002",
    ),
    Attack(
        "a ping in fragments",
        SOCKET,
        "a ping without FIN",
        _closed_by(message(b"", PING, fin=False)),
        "CLOSE 1002",
    ),
    Attack(
        "a close of one byte",
        SOCKET,
        "a close frame of one byte",
        _closed_by(message(b"x", CLOSE)),
        "CLOSE 1002",
    ),
    Attack(
        "text that is no UTF-8 on a WebSocket",
        SOCKET,
        "a text frame of \\xff",
        _closed_by(message(b"\xff", TEXT)),
        "CLOSE 1007",
    ),
    Attack("text on a WebSocket", SOCKET, "a text message", _text, "CLOSE 1003 FRAME_MALFORMED"),
    Attack(
        "pongs that nobody asked for",
        SOCKET,
        "1,000 pongs, then a bad frame",
        _closed_by(message(b"", PONG) * 1000, message(b"", 0xB)),
        "CLOSE 1002",
    ),
    Attack("no subprotocol", SOCKET, "a handshake without one", _no_subprotocol, "HTTP 400"),
    Attack("a WebSocket elsewhere", SOCKET, "an upgrade at /metrics", _elsewhere, "HTTP 404"),
    Attack("a compressed WebSocket", SOCKET, "permessage-deflate offered", _deflate, "HTTP 101"),
    Attack(
        "no Hello", STREAMS, "a Ping as first frame", _no_hello, "INVALID_ARGUMENT HELLO_REQUIRED"
    ),
    Attack(
        "a second Hello",
        STREAMS,
        "another's Hello on a session",
        _second_hello,
        "INVALID_ARGUMENT FIELD_INVALID",
    ),
    Attack(
        "another protocol version",
        STREAMS,
        "version 99",
        _old_version,
        "FAILED_PRECONDITION PROTOCOL_VERSION_UNSUPPORTED",
    ),
)
