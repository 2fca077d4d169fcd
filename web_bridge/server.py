"""Runs the application on uvicorn inside the loop that is running already.

uvicorn's own runner takes over signals and cuts streams on SIGTERM; this one leaves signals alone
and drains.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import uvicorn

from web_bridge.limits import MESSAGE_BYTES
from web_bridge.listener import USER_TIMEOUT_SECONDS, listening_socket
from web_bridge.protocol import HEAD_SECONDS, BoundedProtocol
from web_bridge.socket_protocol import HEARTBEAT_SECONDS, BoundedSocket
from web_bridge.tls import RenewedContext

if TYPE_CHECKING:
    import socket

    from hub.model.tls_files import TlsFiles
    from web_bridge.asgi import DrainableApp

logger = logging.getLogger(__name__)

BACKLOG = 4096
# Longer than the idle time of common proxies, so that they close first and never reuse a
# connection that is just being closed.
KEEP_ALIVE_SECONDS = 75
# After the grace: time for the last trailers to leave before connections are cut.
_LAST_WORDS_SECONDS = 0.25


class HttpServer:
    """One HTTP listener.

    Args:
        app: what to serve.
        host: the address to bind.
        port: 0 for a free one.
        sock: an already bound socket instead of host and port.
        user_timeout: seconds that sent data may stay unacknowledged.
        head_seconds: time for a request head.
        heartbeat: seconds of silence after which a WebSocket's peer is asked for a sign of life.
        trusted_proxies: addresses whose X-Forwarded-For is believed; others' is ignored.
        tls: None = plain text.
        shared: other processes of this user listen on the same port.

    Raises:
        OSError: a file of ``tls`` cannot be used.
    """

    def __init__(
        self,
        app: DrainableApp,
        host: str,
        port: int,
        *,
        sock: socket.socket | None = None,
        user_timeout: float = USER_TIMEOUT_SECONDS,
        head_seconds: float = HEAD_SECONDS,
        heartbeat: float = HEARTBEAT_SECONDS,
        trusted_proxies: tuple[str, ...] = (),
        tls: TlsFiles | None = None,
        shared: bool = False,
    ) -> None:
        self._app = app
        self._address = (host, port)
        self._sock = sock
        self._user_timeout = user_timeout
        self._shared = shared
        self._head_seconds = head_seconds
        self._heartbeat = heartbeat
        self._trusted = trusted_proxies
        self._certificate = RenewedContext(tls) if tls else None
        self._lost = asyncio.Event()
        self._server: uvicorn.Server | None = None
        self._ticker: asyncio.Task[None] | None = None

    async def start(self) -> int:
        """Bind and listen; the port.

        Raises:
            OSError: the address cannot be bound.
        """
        if self._sock is None:
            self._sock = listening_socket(
                *self._address, user_timeout=self._user_timeout, shared=self._shared
            )
        config = self._config()
        config.load()
        # uvicorn makes one from files, once; this one's certificate can be renewed.
        config.ssl = self._certificate.context if self._certificate else None
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets=[self._sock])
        # The Date header is made by the tick; one must be there for the first answer.
        await server.on_tick(0)
        self._server = server
        self._ticker = asyncio.create_task(self._tick(server), name="http date")
        port: int = self._sock.getsockname()[1]
        return port

    async def drain(self, grace: float) -> None:
        """Stop accepting, end the streams, wait for what is in flight, then cut what is left.

        Streams of the general path end at once with UNAVAILABLE; push streams are their sessions'
        to end within the grace, the rest get the same trailer at its end. Idempotent.

        Args:
            grace: seconds to wait at most.
        """
        server = self._server
        if server is None:
            return
        self._server = None
        for listener in server.servers:
            listener.close()
        self._app.end_streams()
        for connection in tuple(server.server_state.connections):
            connection.shutdown()
        if not await self._quiet(server, grace):
            self._app.end_pushes()
            if not await self._quiet(server, _LAST_WORDS_SECONDS):
                await self._cut(server)
        if self._ticker is not None:
            self._ticker.cancel()

    async def stop(self) -> None:
        """Drain without grace. Idempotent."""
        await self.drain(0)

    async def _quiet(self, server: uvicorn.Server, seconds: float) -> bool:
        """Wait until no connection is left; False when the time is over first."""
        try:
            async with asyncio.timeout(seconds):
                while server.server_state.connections:
                    self._lost.clear()
                    await self._lost.wait()
        except TimeoutError:
            return not server.server_state.connections
        return True

    async def _cut(self, server: uvicorn.Server) -> None:
        state = server.server_state
        logger.warning("cutting %d connections that did not end in time", len(state.connections))
        for connection in tuple(state.connections):
            connection.transport.abort()
        await self._quiet(server, _LAST_WORDS_SECONDS)
        # Their receive() reports the lost connection; what ignores that is cancelled.
        if tasks := set(state.tasks):
            _, pending = await asyncio.wait(tasks, timeout=_LAST_WORDS_SECONDS)
            for task in pending:
                task.cancel()

    def _config(self) -> uvicorn.Config:
        bounds = {"head_seconds": self._head_seconds, "lost": self._lost}
        protocol: type[Any] = type("Protocol", (BoundedProtocol,), bounds)
        alive = {"heartbeat": self._heartbeat, "lost": self._lost}
        socket_protocol: type[Any] = type("SocketProtocol", (BoundedSocket,), alive)
        return uvicorn.Config(
            self._app,
            loop="none",
            http=protocol,
            ws=socket_protocol,
            ws_max_size=MESSAGE_BYTES,
            # Frames differ little and are shared: deflate would be done anew for each reader.
            ws_per_message_deflate=False,
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level=logging.WARNING,
            access_log=False,
            server_header=False,
            proxy_headers=bool(self._trusted),
            forwarded_allow_ips=list(self._trusted),
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )

    async def _tick(self, server: uvicorn.Server) -> None:
        while True:
            await asyncio.sleep(1)
            await server.on_tick(0)
            if self._certificate is not None:
                self._certificate.renew()
