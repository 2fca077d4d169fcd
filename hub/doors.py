"""Both doors on one set of methods."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from hub.dev_switches import BlockableApp
from hub.rpc.decode import MAX_MESSAGE_BYTES
from hub.rpc.handlers import unary_handlers
from hub.rpc.publish_json import publish_json
from hub.server.door import GrpcDoor
from hub.server.streams import StreamHandlers
from hub.session.manager import SILENT_HEARTBEATS
from shipspeak.realtime.v1 import realtime_service_pb2
from web_bridge.app import make_app
from web_bridge.granian_server import GranianServer
from web_bridge.hosts import KnownHosts
from web_bridge.json_routes import fixed_json, json_route
from web_bridge.page import reference_page
from web_bridge.server import HttpServer
from web_bridge.websocket import SOCKET_PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hub.dev_switches import DevSwitches
    from hub.limits.load import Load
    from hub.rpc.public import PublicMethod
    from hub.rpc.streams import ConnectMethod, ListenMethod
    from hub.rpc.unary import UnaryMethod
    from hub.server.health import Health
    from hub.settings import Settings
    from hub.telemetry.metrics import Metrics

REALTIME = realtime_service_pb2.DESCRIPTOR.services_by_name["RealtimeService"].full_name
LISTEN = f"/{REALTIME}/Listen"


@dataclass(frozen=True, slots=True)
class Methods:
    """What a hub offers, whatever the door.

    Attributes:
        tables: full name of a service -> RPC name -> unary method.
        connect, listen: the streams of RealtimeService.
        public: what anybody may read, by cacheable GET.
    """

    tables: Mapping[str, Mapping[str, UnaryMethod]]
    connect: ConnectMethod
    listen: ListenMethod
    public: PublicMethod


def back_end_door(
    settings: Settings, metrics: Metrics, methods: Methods, health: Health
) -> GrpcDoor:
    """The back ends' door.

    Raises:
        OSError: a file of its TLS cannot be read.
    """
    return GrpcDoor(
        [
            unary_handlers(service, table, metrics, "grpc")
            for service, table in methods.tables.items()
        ],
        StreamHandlers(methods.connect, methods.listen, metrics),
        health,
        tuple(methods.tables),
        settings.heartbeat_interval,
        settings.tls,
        shared=settings.workers > 1,
    )


def browser_door(
    settings: Settings,
    metrics: Metrics,
    methods: Methods,
    health: Health,
    load: Load,
    switches: DevSwitches,
    render_metrics: Callable[[], tuple[bytes, str]],
) -> HttpServer | GranianServer:
    """The browsers' door.

    Raises:
        OSError: a file of its TLS cannot be used.
    """
    publish = methods.tables[REALTIME]["Publish"]
    routes = {
        ("POST", "/v1/publish"): json_route(publish_json(publish, metrics)),
        ("GET", "/demo-config.json"): fixed_json(
            {**json.loads(settings.page_config), "dev": settings.dev}
        ),
    }
    if settings.dev:
        routes.update({route: json_route(made) for route, made in switches.methods().items()})
    app = make_app(
        handlers=[
            unary_handlers(service, table, metrics, "grpc-web")
            for service, table in methods.tables.items()
        ],
        interceptors=[],
        push={LISTEN: methods.listen},
        allowed_origins=settings.allowed_origins,
        page_dir=settings.page_dir or reference_page(),
        readiness=lambda: health.serving,
        condition=load.condition,
        metrics=render_metrics,
        routes=routes,
        max_message_bytes=MAX_MESSAGE_BYTES,
        connect_sources=settings.page_connect_sources,
        connect=methods.connect,
        public=methods.public,
        figures=metrics.transports,
    )
    app.add_generic_rpc_handlers(health.generic_handlers())
    server: Callable[..., HttpServer | GranianServer] = partial(
        HttpServer, shared=settings.workers > 1
    )
    if settings.http_server == "granian":
        server = GranianServer
    return server(
        KnownHosts(BlockableApp(app, (LISTEN, SOCKET_PATH), switches), [settings.host])
        if settings.dev
        else app,
        settings.host,
        settings.http_port,
        user_timeout=SILENT_HEARTBEATS * settings.heartbeat_interval,
        heartbeat=settings.heartbeat_interval,
        trusted_proxies=settings.trusted_proxies,
        tls=settings.tls,
    )
