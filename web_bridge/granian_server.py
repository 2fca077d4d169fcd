"""Runs the application on granian inside the loop that is running already: TLS and HTTP/2.

granian's own runner takes over signals and has no drain; its embedded server is driven here. It
leans on what granian does not document (`AbstractServer._init_shared_socket`, `wrks`); the wire
suite holds it.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
from typing import TYPE_CHECKING, Any

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from web_bridge.asgi import answer_text
from web_bridge.handshake import refuse_handshake
from web_bridge.limits import MESSAGE_BYTES
from web_bridge.listener import USER_TIMEOUT_SECONDS, listening_socket
from web_bridge.server import BACKLOG

if TYPE_CHECKING:
    import socket

    from hub.model.tls_files import TlsFiles
    from web_bridge.asgi import DrainableApp, Receive, Scope, Send

logger = logging.getLogger(__name__)

# Open requests and not requests a second: idle streams count, and probes must never wait for them.
_OPEN_REQUESTS = 60_000
_LAST_WORDS_SECONDS = 0.25
_CUT_SECONDS = 2.0


class GranianMissing(OSError):
    """granian is not installed."""


class GranianServer:
    """One HTTP listener.

    Args:
        app: what to serve.
        host: the address to bind.
        port: 0 for a free one.
        user_timeout: seconds that sent data may stay unacknowledged.
        heartbeat: seconds between HTTP/2 pings to a peer.
        trusted_proxies: addresses whose X-Forwarded-For is believed; others' is ignored.
        tls: None = plain text. The files are read once: a new certificate needs a restart.
    """

    def __init__(
        self,
        app: DrainableApp,
        host: str,
        port: int,
        *,
        user_timeout: float = USER_TIMEOUT_SECONDS,
        heartbeat: float = 20.0,
        trusted_proxies: tuple[str, ...] = (),
        tls: TlsFiles | None = None,
    ) -> None:
        self._app = app
        # The same rule as uvicorn's: it is uvicorn's.
        self._outer: Any = app
        if trusted_proxies:
            self._outer = ProxyHeadersMiddleware(app, list(trusted_proxies))  # type: ignore[arg-type]
        self._address = (host, port)
        self._user_timeout = user_timeout
        self._heartbeat = heartbeat
        self._tls = tls
        self._sock: socket.socket | None = None
        self._server: Any = None
        self._serving: asyncio.Task[None] | None = None
        self._open: set[asyncio.Task[Any]] = set()
        self._none_open = asyncio.Event()
        self._none_open.set()
        self._draining = False

    async def start(self) -> int:
        """Bind and listen; the port.

        Raises:
            GranianMissing: it is not installed.
            OSError: the address cannot be bound.
        """
        self._sock = listening_socket(*self._address, user_timeout=self._user_timeout)
        self._sock.listen(BACKLOG)
        self._server = _embedded(self._serve, self._sock, self._heartbeat, self._tls)
        self._serving = asyncio.create_task(self._server.serve(), name="granian")
        # Until it has taken the socket over.
        await asyncio.sleep(0)
        port: int = self._sock.getsockname()[1]
        return port

    async def drain(self, grace: float) -> None:
        """Stop accepting, end the streams, wait for what is in flight, then cut what is left.

        Idempotent.

        Args:
            grace: seconds to wait at most.
        """
        server, self._server = self._server, None
        if server is None:
            return
        # granian's own end would cut WebSockets, so it comes last; what comes new is refused.
        self._draining = True
        self._app.end_streams()
        if not await self._quiet(grace):
            self._app.end_pushes()
            if not await self._quiet(_LAST_WORDS_SECONDS):
                await self._cut()
        server.stop()
        await self._end(server)
        if self._sock is not None:
            self._sock.close()

    async def stop(self) -> None:
        """Drain without grace. Idempotent."""
        await self.drain(0)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, known by its task."""
        if self._draining:
            await _refuse(scope, receive, send)
            return
        task = asyncio.current_task()
        if task is None:
            msg = "a request without a task"
            raise RuntimeError(msg)
        self._open.add(task)
        self._none_open.clear()
        try:
            await self._outer(scope, receive, send)
        finally:
            self._open.discard(task)
            if not self._open:
                self._none_open.set()

    async def _end(self, server: Any) -> None:
        """Wait for granian's own end, which waits for its connections."""
        if self._serving is None:
            return
        done, _ = await asyncio.wait({self._serving}, timeout=_CUT_SECONDS)
        if not done:
            for worker in server.wrks:
                worker.kill()
            self._serving.cancel()
            await asyncio.wait({self._serving}, timeout=_CUT_SECONDS)

    async def _quiet(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._none_open.wait()
        return not self._open

    async def _cut(self) -> None:
        logger.warning("cutting %d requests that did not end in time", len(self._open))
        left = set(self._open)
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=_LAST_WORDS_SECONDS)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await refuse_handshake(scope, receive, send, 503, "the hub is draining")
    else:
        await answer_text(send, 503, "the hub is draining\n")


def _embedded(app: Any, sock: socket.socket, heartbeat: float, tls: TlsFiles | None) -> Any:
    try:
        from granian.constants import Interfaces, SSLProtocols  # noqa: PLC0415 - optional
        from granian.http import HTTP1Settings, HTTP2Settings  # noqa: PLC0415 - optional

        holder: Any = importlib.import_module("granian.net").SocketHolder
        from granian.server.embed import Server  # noqa: PLC0415 - optional
    except ImportError as error:
        msg = "granian is not installed: pip install 'shipspeak-realtime-hub[granian]'"
        raise GranianMissing(msg) from error

    class OnOurSocket(Server):  # type: ignore[misc,unused-ignore]
        """It listens on a socket that has the options of our streams."""

        def _init_shared_socket(self) -> None:
            # It closes what it is given.
            self._sfd: Any = os.dup(sock.fileno())
            self._shd: Any = holder(self._sfd, False, BACKLOG)  # noqa: FBT003 - granian's own

    return OnOurSocket(
        app,
        interface=Interfaces.ASGINL,
        backlog=BACKLOG,
        backpressure=_OPEN_REQUESTS,
        log_enabled=False,
        ssl_cert=tls.certificate if tls else None,
        ssl_key=tls.key if tls else None,
        ssl_ca=tls.client_ca if tls else None,
        ssl_client_verify=bool(tls and tls.client_ca),
        ssl_protocol_min=SSLProtocols.tls12,
        http1_settings=HTTP1Settings(header_read_timeout=30_000, max_buffer_size=MESSAGE_BYTES),
        http2_settings=HTTP2Settings(
            keep_alive_interval=round(heartbeat * 1000),
            keep_alive_timeout=round(1.5 * heartbeat),
            max_concurrent_streams=1000,
            max_headers_size=64 * 1024,
            # What lies here can no longer be overtaken by something more important.
            max_send_buffer_size=64 * 1024,
        ),
    )
