"""The two servers that the wire checks run against: our bridge, and stock sonora."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from grpc_health.v1 import health, health_pb2_grpc
from sonora.asgi import grpcASGI

from tests.wire import chosen
from tests.wire.echo import Echo
from tests.wire.raw import PATIENCE
from web_bridge.app import make_app
from web_bridge.granian_server import GranianServer
from web_bridge.limits import Limits
from web_bridge.server import HttpServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from web_bridge.bridge import GrpcWebBridge
    from web_bridge.push import PushMethod
    from web_bridge.websocket import DuplexMethod

ORIGIN = "https://app.example"
# Short times, so that a test of a timer is quick; still far longer than a turn of the loop.
LIMITS = Limits(body_seconds=1.0, discard_bytes=256 * 1024, linger_seconds=0.3)
MESSAGE_BYTES = 64 * 1024


@dataclass
class Server:
    port: int
    echo: Echo
    http: Any
    health: Any = None
    app: GrpcWebBridge | None = None
    ready: list[bool] = field(default_factory=lambda: [True])
    # Seconds that a check waits for what comes at once.
    patience: float = PATIENCE


class Stock(grpcASGI):  # type: ignore[misc]
    """Stock sonora; only what the runner's drain calls is added."""

    def end_streams(self) -> None:
        """Stock cannot."""

    def end_pushes(self) -> None:
        """Stock has none."""


@contextlib.asynccontextmanager
async def running_bridge(
    *,
    push: Mapping[str, PushMethod] | None = None,
    interceptors: Sequence[Any] = (),
    origins: Sequence[str] = (ORIGIN,),
    page_dir: Path | None = None,
    routes: Any = None,
    limits: Limits = LIMITS,
    head_seconds: float = 30.0,
    connect: DuplexMethod | None = None,
    heartbeat: float = 20.0,
) -> AsyncIterator[Server]:
    echo, ready = Echo(), [True]
    app = make_app(
        handlers=(echo.handler(),),
        interceptors=interceptors,
        push=push or {},
        allowed_origins=origins,
        page_dir=page_dir,
        readiness=lambda: ready[0],
        metrics=lambda: (b"hub_up 1\n", "text/plain; version=0.0.4"),
        routes=routes,
        max_message_bytes=MESSAGE_BYTES,
        connect_sources=("https://jobs.example",),
        limits=limits,
        connect=connect,
    )
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, app)
    http: HttpServer | GranianServer
    if chosen.tls is not None:
        http = GranianServer(app, "127.0.0.1", 0, heartbeat=heartbeat, tls=chosen.tls)
    else:
        http = HttpServer(app, "127.0.0.1", 0, head_seconds=head_seconds, heartbeat=heartbeat)
    server = Server(await http.start(), echo, http, servicer, app, ready)
    try:
        yield server
    finally:
        await http.stop()


@contextlib.asynccontextmanager
async def running_stock() -> AsyncIterator[Server]:
    echo = Echo()
    app = Stock()
    app.add_generic_rpc_handlers((echo.handler(),))
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, app)
    http = HttpServer(app, "127.0.0.1", 0)
    # What it breaks never comes.
    server = Server(await http.start(), echo, http, servicer, patience=1.0)
    try:
        yield server
    finally:
        await http.stop()
