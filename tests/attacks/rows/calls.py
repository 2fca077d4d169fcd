"""Calls by gRPC that are too large, packed, or meant for nobody."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import grpc

from tests.attacks.attack import Act, Attack, Door
from tests.attacks.doors import said_by_call
from tests.support.raw_client import ADMIN, SERVICE, bearer

if TYPE_CHECKING:
    from tests.attacks.scene import Scene

GRPC = (Door.GRPC,)
# Only the client's own bound is lifted.
_OPTIONS = [("grpc.max_send_message_length", -1)]
_PACKED = 100_000_000


def _call(path: str, data: bytes, *metadata: tuple[str, str], packed: bool = False) -> Act:
    async def act(scene: Scene, _door: Door) -> str:
        before = scene.rss()
        compression = grpc.Compression.Gzip if packed else grpc.Compression.NoCompression
        sent = (*bearer(scene.keys.token()), *metadata)
        async with grpc.aio.insecure_channel(scene.hub.grpc, options=_OPTIONS) as channel:
            method: Any = channel.unary_unary(path)
            try:
                await method(data, metadata=sent, compression=compression, timeout=60)
            except grpc.aio.AioRpcError as error:
                scene.doors.heard.append(f"{error.details()} {error.trailing_metadata()}")
                return scene.bounded(said_by_call(error), before)
        return "OK"

    return act


async def _watches(scene: Scene, _door: Door) -> str:
    """Health watches on one connection, all held."""
    before = scene.rss()
    async with (
        grpc.aio.insecure_channel(scene.hub.grpc) as channel,
        contextlib.AsyncExitStack() as stack,
    ):
        method: Any = channel.unary_stream("/grpc.health.v1.Health/Watch")
        for _ in range(500):
            call = method(b"")
            stack.callback(call.cancel)
            await call.read()
        return scene.bounded("each answered", before)


def _path(method: str) -> str:
    return f"/{SERVICE}/{method}"


LARGE = "RESOURCE_EXHAUSTED"

ROWS = (
    Attack(
        "huge metadata",
        GRPC,
        "100 kB in a header",
        _call(_path("Publish"), b"", ("x-a", "y" * 100_000)),
        LARGE,
    ),
    Attack("a huge call", GRPC, "20 MiB", _call(_path("Publish"), bytes(20 << 20)), LARGE),
    Attack(
        "an oversize call",
        GRPC,
        "5 MiB",
        _call(_path("Publish"), bytes(5 << 20)),
        f"{LARGE} FRAME_TOO_LARGE",
    ),
    Attack(
        "a compressed bomb",
        GRPC,
        "100 MB of zeros, gzip",
        _call(_path("Publish"), bytes(_PACKED), packed=True),
        LARGE,
    ),
    Attack(
        "a method that is none",
        GRPC,
        "/Service/Nothing",
        _call(_path("Nothing"), b""),
        "UNIMPLEMENTED",
    ),
    Attack(
        "a service between instances",
        GRPC,
        "PeerService",
        _call("/shipspeak.realtime.internal.v1.PeerService/Read", b""),
        "UNIMPLEMENTED",
    ),
    Attack(
        "the admin service, garbage",
        GRPC,
        "garbage, no right",
        _call(f"/{ADMIN}/EraseUser", b"\xff"),
        "PERMISSION_DENIED RIGHT_MISSING",
    ),
    Attack("flood of watches", GRPC, "500 health watches", _watches, "each answered", flood=True),
)
