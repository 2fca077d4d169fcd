"""Routes that speak JSON: the hub's methods, and fixed texts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hub.session.sink import Caller
from web_bridge.admission import peer_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from web_bridge.asgi import Scope
    from web_bridge.http_routes import HttpAnswer, RouteHandler

_FIELDS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


def json_route(method: Callable[[bytes, Caller], Awaitable[tuple[int, bytes]]]) -> RouteHandler:
    """A route for a method that takes a body and its caller, and gives an HTTP status and JSON."""

    async def handle(scope: Scope, body: bytes) -> HttpAnswer:
        status, text = await method(body, Caller(_headers(scope), peer_of(scope), "http"))
        return status, _FIELDS, text

    return handle


def fixed_json(value: Mapping[str, object]) -> RouteHandler:
    """A route that always answers the same."""
    text = json.dumps(value).encode()

    async def handle(_scope: Scope, _body: bytes) -> HttpAnswer:
        return 200, _FIELDS, text

    return handle


def _headers(scope: Scope) -> dict[str, str]:
    return {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }
