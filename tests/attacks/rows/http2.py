"""Floods of HTTP/2 frames at the gRPC door, and frames that break the protocol."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from tests.attacks.attack import Act, Attack, Door
from tests.attacks.http2 import Wire, wire
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.attacks.scene import Scene

GRPC = (Door.GRPC,)
CANCEL = 8
_CANCELLED, _RESOURCE_EXHAUSTED = "1", "8"
MANY = 3000
# In pieces, so that the hub is read and written in turns.
PIECE = 100
# How long a deaf peer goes on; no bound on the hub.
DEAF_SECONDS = 1.0


def _flood(make: Callable[[Wire], list[bytes]]) -> Act:
    """Frames, and whether the hub answers on the connection behind them."""

    async def act(scene: Scene, _door: Door) -> str:
        async with wire(scene.hub.grpc) as line:
            frames = make(line)
            await line.send(
                b"".join(frames[at : at + PIECE]) for at in range(0, len(frames), PIECE)
            )
            return await line.fate()

    return act


def _resets(line: Wire) -> list[bytes]:
    """Rapid reset: calls that are taken back in the same breath."""
    return [
        line.headers(stream, "Publish") + RstStreamFrame(stream, CANCEL).serialize()
        for stream in range(1, 2 * MANY, 2)
    ]


def _pings(_line: Wire) -> list[bytes]:
    return [PingFrame(0, opaque_data=n.to_bytes(8, "big")).serialize() for n in range(MANY)]


def _settings(_line: Wire) -> list[bytes]:
    return [SettingsFrame(0, settings={4: 65_535}).serialize()] * MANY


def _priorities(_line: Wire) -> list[bytes]:
    return [PriorityFrame(2 * n + 1, stream_weight=3).serialize() for n in range(MANY)]


def _continued(line: Wire) -> list[bytes]:
    """A header block without an end, 24 MB of it."""
    more = ContinuationFrame(1, line.encoder.encode([("x-a", "y" * 8000)])).serialize()
    return [HeadersFrame(1, line.block("Publish")).serialize(), *[more] * MANY]


def _continued_by_nothing(line: Wire) -> list[bytes]:
    """The same, of empty frames: no bound on bytes is ever reached."""
    more = ContinuationFrame(1, b"").serialize()
    return [HeadersFrame(1, line.block("Publish")).serialize(), *[more] * 10 * MANY]


def _header_bomb(line: Wire) -> list[bytes]:
    """One long field, and 2,000 references to it: 6 MB in 4 kB."""
    block = line.block("Publish", ("x-bomb", "b" * 3000))
    block += b"".join(line.encoder.encode([("x-bomb", "b" * 3000)]) for _ in range(2000))
    frame = HeadersFrame(1, block)
    frame.flags.add("END_HEADERS")
    frame.flags.add("END_STREAM")
    return [frame.serialize()]


def _empty_data(line: Wire) -> list[bytes]:
    return [line.headers(1, "Connect"), *[DataFrame(1, b"").serialize()] * 10 * MANY]


def _window(_line: Wire) -> list[bytes]:
    """More credit than a window may have."""
    return [WindowUpdateFrame(0, window_increment=2**31 - 1).serialize()] * 3


def _no_window(_line: Wire) -> list[bytes]:
    return [WindowUpdateFrame(0, window_increment=1).serialize()] * MANY


def _huge(_line: Wire) -> list[bytes]:
    return [b"\x7f\xff\xff\x00\x00\x00\x00\x00\x01" + bytes(100_000)]


def _backwards(line: Wire) -> list[bytes]:
    return [line.headers(9, "Publish"), line.headers(3, "Publish")]


def _on_zero(_line: Wire) -> list[bytes]:
    return [b"\x00\x00\x01\x00\x00\x00\x00\x00\x00x"]


def _settings_of_three_bytes(_line: Wire) -> list[bytes]:
    return [b"\x00\x00\x03\x04\x00\x00\x00\x00\x00abc"]


def _bad_block(_line: Wire) -> list[bytes]:
    frame = HeadersFrame(1, b"\xff" * 40)
    frame.flags.add("END_HEADERS")
    return [frame.serialize()]


def _deaf(make: Callable[[Wire], list[bytes]]) -> Act:
    """Frames that are answered, from a peer that reads no answer: it is held back, or cut."""

    async def act(scene: Scene, _door: Door) -> str:
        before = scene.rss()
        async with wire(scene.hub.grpc, read=False) as line:
            line.writer.transport.pause_reading()  # type: ignore[attr-defined]
            frames = b"".join(make(line))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DEAF_SECONDS):
                    for _ in range(500):
                        await line.send(frames)
            return scene.bounded("bounded", before)

    return act


async def _no_preface(scene: Scene, _door: Door) -> str:
    async with wire(scene.hub.grpc, preface=b"") as line:
        await line.send(b"GET / HTTP/1.1\r\nhost: hub\r\n\r\n")
        await line.ended()
        return "cut"


async def _streams(scene: Scene, _door: Door) -> str:
    """Sessions without a Hello, all on one connection."""
    async with wire(scene.hub.grpc) as line:
        await line.send(line.headers(2 * n + 1, "Connect") for n in range(MANY))
        await until(lambda: line.statuses)
        assert await line.fate() == "goes on"
        # By the address' rate, and by gRPC itself where too many wait to be looked at.
        refused = set(line.statuses.values())
        return "refused" if refused <= {_RESOURCE_EXHAUSTED, _CANCELLED} else str(refused)


def _row(name: str, sent: str, make: Callable[[Wire], list[bytes]], expected: str) -> Attack:
    return Attack(name, GRPC, sent, _flood(make), expected, flood=True)


ROWS = (
    _row("flood of resets", f"{MANY} calls, each reset at once", _resets, "goes on"),
    _row("flood of HTTP/2 pings", f"{MANY} PING", _pings, "goes on"),
    _row("flood of settings", f"{MANY} SETTINGS", _settings, "goes on"),
    _row("flood of priorities", f"{MANY} PRIORITY", _priorities, "goes on"),
    _row("flood of continuations", "24 MB of CONTINUATION, no end", _continued, "cut"),
    _row("flood of empty continuations", f"{10 * MANY} of no bytes", _continued_by_nothing, "cut"),
    _row("flood of empty data", f"{10 * MANY} DATA of no bytes", _empty_data, "cut"),
    _row("flood of window updates", f"{MANY} of one byte", _no_window, "goes on"),
    _row("header bomb", "6 MB of headers in 4 kB", _header_bomb, "goes on"),
    _row("a window beyond its bound", "3 x 2**31 - 1", _window, "goes on"),
    _row("a frame of 8 MB", "its head, and garbage", _huge, "cut"),
    _row("streams backwards", "stream 3 after stream 9", _backwards, "goes on"),
    _row("data on stream 0", "DATA of stream 0", _on_zero, "goes on"),
    _row("settings of three bytes", "SETTINGS, 3 bytes", _settings_of_three_bytes, "cut"),
    _row("a header block that is none", "0xff in HPACK", _bad_block, "cut"),
    Attack(
        "pings of a deaf peer",
        GRPC,
        "pings, no answer read",
        _deaf(_pings),
        "bounded",
        flood=True,
    ),
    Attack(
        "settings of a deaf peer",
        GRPC,
        "settings, no answer read",
        _deaf(_settings),
        "bounded",
        flood=True,
    ),
    Attack("HTTP/1 at the gRPC door", GRPC, "GET /", _no_preface, "cut"),
    Attack(
        "flood of streams",
        GRPC,
        f"{MANY} sessions on a connection",
        _streams,
        "refused",
        flood=True,
    ),
)
