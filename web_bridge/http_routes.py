"""The plain HTTP side: probes, metrics, extra routes, the page, preflights."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from web_bridge.asgi import Receive, Scope, Send, answer_text
from web_bridge.body import BodyTimeout, BodyTooLarge, ClientGone, read_body
from web_bridge.coding import answer_coded
from web_bridge.handshake import refuse_handshake
from web_bridge.public_topics import TOPICS_PATH
from web_bridge.websocket import SOCKET_PATH

if TYPE_CHECKING:
    from web_bridge.cors import CorsPolicy
    from web_bridge.limits import Limits
    from web_bridge.page import Page
    from web_bridge.public_topics import PublicTopics

logger = logging.getLogger(__name__)

HttpAnswer = tuple[int, Sequence[tuple[bytes, bytes]], bytes]
RouteHandler = Callable[[Scope, bytes], Awaitable[HttpAnswer]]
Routes = Mapping[tuple[str, str], RouteHandler]

_CLOSE = (b"connection", b"close")
_NO_WEBSOCKET = f"no WebSocket here; it is at {SOCKET_PATH}"
_UPGRADE = [(b"upgrade", b"websocket"), (b"connection", b"upgrade")]


class HttpRoutes:
    """Everything that is no grpc-web call.

    Args:
        readiness: whether the hub takes calls now.
        metrics: the exposition and its content type.
        routes: further routes by verb and exact path. A handler gets the scope and the whole body
            and gives status, headers and body.
        page: static files.
        cors: who may call the further routes from a page.
        limits: of a body.
        topics: serves public topics; None: they are not offered.
        condition: what `/readyz` tells beside its status; empty: nothing.
    """

    def __init__(
        self,
        *,
        readiness: Callable[[], bool],
        metrics: Callable[[], tuple[bytes, str]],
        routes: Routes,
        page: Page,
        cors: CorsPolicy,
        limits: Limits,
        topics: PublicTopics | None = None,
        condition: Callable[[], str] = str,
    ) -> None:
        self._condition = condition
        self._readiness = readiness
        self._metrics = metrics
        self._routes = dict(routes)
        self._page = page
        self._cors = cors
        self._limits = limits
        self._topics = topics
        self._probes = {
            "/healthz": self._healthz,
            "/readyz": self._readyz,
            "/metrics": self._expose,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":
            await refuse_handshake(scope, receive, send, 404, _NO_WEBSOCKET)
            return
        verb, path = scope["method"], scope["path"]
        if path == SOCKET_PATH:
            await answer_text(send, 426, "this is a WebSocket's path\n", _UPGRADE)
        elif verb == "OPTIONS":
            await self._preflight(scope, send)
        elif (verb, path) in self._routes:
            await self._route(scope, receive, send)
        elif verb in ("GET", "HEAD"):
            if self._topics is not None and path.startswith(TOPICS_PATH):
                await self._topics.serve(scope, send)
            else:
                await self._get(scope, send)
        else:
            await self._unknown(path, send)

    async def _get(self, scope: Scope, send: Send) -> None:
        probe = self._probes.get(scope["path"])
        if probe is not None:
            await probe(scope, send)
        elif not await self._page.serve(scope, send):
            await self._unknown(scope["path"], send)

    async def _unknown(self, path: str, send: Send) -> None:
        verbs = {verb for verb, known in self._routes if known == path}
        if path == "/" or path in self._probes or path.startswith(TOPICS_PATH):
            verbs |= {"GET", "HEAD"}
        if verbs:
            allow = (b"allow", ", ".join(sorted(verbs)).encode())
            await answer_text(send, 405, "not with this verb\n", [allow])
        else:
            await answer_text(send, 404, "not found\n")

    async def _healthz(self, _scope: Scope, send: Send) -> None:
        await answer_text(send, 200, "alive\n")

    async def _readyz(self, _scope: Scope, send: Send) -> None:
        ready = self._readiness()
        told = "ready\n" if ready else "not ready\n"
        if condition := self._condition():
            told += f"{condition}\n"
        await answer_text(send, 200 if ready else 503, told)

    async def _expose(self, scope: Scope, send: Send) -> None:
        body, content_type = self._metrics()
        fields = [(b"content-type", content_type.encode())]
        await answer_coded(send, scope["headers"], 200, fields, body)

    async def _preflight(self, scope: Scope, send: Send) -> None:
        verbs = {verb for verb, path in self._routes if path == scope["path"]}
        methods = ", ".join(sorted(verbs | {"POST", "OPTIONS"})).encode()
        status, fields = self._cors.preflight(scope["headers"], methods)
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = scope["headers"]
        fields = self._cors.response_headers(headers)
        if not self._cors.permits(headers):
            await answer_text(send, 403, "this origin is not allowed\n", fields)
            return
        try:
            body = await self._body(receive)
        except ClientGone:
            return
        except BodyTimeout:
            await answer_text(send, 408, "the body did not come in time\n", [_CLOSE, *fields])
            return
        except BodyTooLarge as error:
            extra = [] if error.drained else [_CLOSE]
            await answer_text(send, 413, "the body is too large\n", [*extra, *fields])
            return
        status, own, content = await self._call(scope, body)
        await answer_coded(send, headers, status, [*own, *fields], content)

    async def _body(self, receive: Receive) -> bytes:
        limit = self._limits.message_bytes
        return await read_body(
            receive,
            limit=limit,
            discard=limit + self._limits.discard_bytes,
            seconds=self._limits.body_seconds,
        )

    async def _call(self, scope: Scope, body: bytes) -> HttpAnswer:
        try:
            return await self._routes[scope["method"], scope["path"]](scope, body)
        except Exception:
            logger.exception("%s %s failed", scope["method"], scope["path"])
            return 500, [(b"content-type", b"text/plain; charset=utf-8")], b"internal error\n"
