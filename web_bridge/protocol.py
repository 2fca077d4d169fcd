"""uvicorn's HTTP/1.1 protocol with bounds on the request head, and a way to cut a connection.

It leans on attributes that uvicorn does not document (`transport`, `scope`, `loop`, `flow`);
tests/wire holds them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from web_bridge.extensions import ABORT_EXTENSION, DIRECT_EXTENSION

if TYPE_CHECKING:
    import asyncio

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 30.0
_TIMEOUT_ANSWER = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class BoundedProtocol(HttpToolsProtocol):
    """One connection. A head that is too long gets 400, one that is too slow 408.

    Attributes:
        head_seconds: time for a request head.
        lost: set whenever a connection ends; made anew by each server.
    """

    head_seconds = HEAD_SECONDS
    lost: asyncio.Event

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connected; it owes a request head."""
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over."""
        self._disarm()
        super().connection_lost(exc)
        self.lost.set()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._head_bytes = 0
        self._arm()
        extensions: dict[str, Any] = {
            ABORT_EXTENSION: self.transport.abort,
            DIRECT_EXTENSION: (self.transport, self._write_paused),
        }
        self.scope["extensions"] = extensions

    def on_url(self, url: bytes) -> None:
        """A piece of the request target."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header field."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._disarm()
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over to the WebSocket protocol.

        Not while an answer is under way on it: that one's task would never hear of the end.
        """
        before: RequestResponseCycle | None = self.cycle
        if before is None or before.response_complete:
            super().handle_websocket_upgrade()
        else:
            self.transport.abort()

    def _write_paused(self) -> bool:
        return self.flow.write_paused

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: the application answers such requests itself."""

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES:
            # The parser turns it into its own error, which uvicorn answers with 400.
            msg = "the request head is too long"
            raise ValueError(msg)

    def _arm(self) -> None:
        self._disarm()
        self._head_timer = self.loop.call_later(self.head_seconds, self._head_late)

    def _disarm(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_late(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(_TIMEOUT_ANSWER)
            self.transport.close()
