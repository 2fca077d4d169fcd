"""The application factory: one ASGI application for all that browsers and probes ask for."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import grpc
from prometheus_client import CollectorRegistry

from hub.telemetry.transports import TransportFigures
from web_bridge.bridge import GrpcWebBridge
from web_bridge.cors import CorsPolicy
from web_bridge.http_routes import HttpRoutes, Routes
from web_bridge.limits import MESSAGE_BYTES, Limits
from web_bridge.page import Page
from web_bridge.public_topics import PublicTopics
from web_bridge.websocket import TRANSPORT, SocketDoor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import grpc.aio

    from web_bridge.context import Clock
    from web_bridge.public_topics import PublicRead
    from web_bridge.push import PushMethod
    from web_bridge.websocket import DuplexMethod


def make_app(
    *,
    handlers: Sequence[grpc.GenericRpcHandler],
    interceptors: Sequence[grpc.aio.ServerInterceptor],
    push: Mapping[str, PushMethod],
    allowed_origins: Sequence[str],
    page_dir: Path | None,
    readiness: Callable[[], bool],
    condition: Callable[[], str] = str,
    metrics: Callable[[], tuple[bytes, str]],
    routes: Routes | None = None,
    max_message_bytes: int = MESSAGE_BYTES,
    connect_sources: Sequence[str] = (),
    limits: Limits | None = None,
    connect: DuplexMethod | None = None,
    public: PublicRead | None = None,
    figures: TransportFigures | None = None,
    clock: Clock = time.monotonic,
) -> GrpcWebBridge:
    """Build the application.

    Args:
        handlers: what generated code registers; more may follow by ``add_generic_rpc_handlers``.
        interceptors: grpc.aio interceptors, the first one outermost.
        push: push methods by full name, ``/package.Service/Method``; they win over handlers.
        allowed_origins: origins of pages that may call; ``*`` in development only.
        page_dir: the built page; None or missing: ``/`` says how to build it.
        readiness: whether the hub takes calls now.
        condition: what `/readyz` tells beside that; empty: nothing.
        metrics: the exposition and its content type.
        routes: further routes by verb and exact path.
        max_message_bytes: the largest request message.
        connect_sources: origins that the page may call beside the hub, for its content policy.
        limits: all other bounds; ``max_message_bytes`` wins over the one in there.
        connect: opens the sessions of WebSockets; None: they are not offered.
        public: reads public topics; None: they are not offered.
        figures: of the transports; None: nobody looks at them.
        clock: a monotonic clock in seconds.

    Raises:
        ValueError: an allowed origin that no browser can send.
    """
    bounds = replace(limits or Limits(), message_bytes=max_message_bytes)
    cors = CorsPolicy(allowed_origins)
    counted = figures or TransportFigures(CollectorRegistry())
    http = HttpRoutes(
        readiness=readiness,
        condition=condition,
        metrics=metrics,
        routes=routes or {},
        page=Page(page_dir, connect_sources),
        cors=cors,
        limits=bounds,
        topics=None if public is None else PublicTopics(public, counted.of("public-poll")),
    )
    sockets = None
    if connect is not None:
        sockets = SocketDoor(connect, cors, bounds, counted.of(TRANSPORT))
    app = GrpcWebBridge(
        http,
        interceptors=interceptors,
        push=push,
        cors=cors,
        limits=bounds,
        figures=counted,
        sockets=sockets,
        clock=clock,
    )
    app.add_generic_rpc_handlers(tuple(handlers))
    return app
