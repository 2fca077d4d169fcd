"""uvicorn's sans-I/O WebSocket protocol with bounds, and with an eye on peers that fall silent.

It leans on attributes that uvicorn does not document (`conn`, `queue`, `frames`, `read_paused`,
`writable`, `close_sent`, `ping_timer`); tests/wire holds them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from web_bridge.extensions import ABORT_EXTENSION, DIRECT_EXTENSION

if TYPE_CHECKING:
    import asyncio

    from websockets.frames import Frame
    from websockets.http11 import Request

HEARTBEAT_SECONDS: Final = 20.0
# Of one message; a fragment costs memory however small it is.
MAX_FRAGMENTS: Final = 1024
# A peer that is silent for one heartbeat is asked, and gone when it says nothing for so many more:
# after 2.5 altogether, as in the session (G11).
_ASKED_HEARTBEATS: Final = 1.5
# Time for the closing handshake, and for what lies before it to be read.
_CLOSING_SECONDS: Final = 5.0


class BoundedSocket(WebSocketsSansIOProtocol):
    """One connection.

    Attributes:
        heartbeat: seconds.
        lost: set whenever a connection ends; made anew by each server.
    """

    heartbeat = HEARTBEAT_SECONDS
    lost: asyncio.Event

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._heard_at = 0.0
        self._asked_at: float | None = None
        self._pong = b""

    def handle_connect(self, event: Request) -> None:
        """The handshake is complete on the client's side."""
        super().handle_connect(event)
        if not self.close_sent:
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[ABORT_EXTENSION] = self.transport.abort
            extensions[DIRECT_EXTENSION] = (self.transport, self._holds_back)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over."""
        super().connection_lost(exc)
        self.lost.set()

    def data_received(self, data: bytes) -> None:
        """Whatever comes is a sign of life."""
        self._hear()
        super().data_received(data)

    def resume_writing(self) -> None:
        """The peer has read: a sign of life, and there is room for the pong that was due."""
        self._hear()
        super().resume_writing()
        if self._pong and not self.transport.is_closing():
            self.transport.write(self._pong)
        self._pong = b""

    def shutdown(self) -> None:
        """The server drains: a session ends its socket itself, with its own close code."""
        if not self.handshake_complete or self.close_sent:
            super().shutdown()

    def handle_cont(self, event: Frame) -> None:
        """A message goes on."""
        if len(self.frames) < MAX_FRAGMENTS:
            super().handle_cont(event)
        elif not self.close_sent:
            self.conn.fail(1009, f"over {MAX_FRAGMENTS} fragments")
            self.handle_parser_exception()

    def handle_parser_exception(self) -> None:
        """Tell the peer what was wrong with its bytes; what it still sends is thrown away.

        Closed at once, the connection would be reset under a peer that is still writing, and it
        would never read why.
        """
        sent = self.conn.close_sent
        if self.close_sent or sent is None:
            return
        self.close_sent = True
        self.queue.put_nowait(
            {"type": "websocket.disconnect", "code": sent.code, "reason": sent.reason}
        )
        if not self.transport.is_closing():
            self.transport.write(b"".join(self.conn.data_to_send()))
            self._close_in_time()
            if self.transport.can_write_eof():
                self.transport.write_eof()
            if self.read_paused:
                self.read_paused = False
                self.transport.resume_reading()

    def handle_ping(self) -> None:
        """Answer; to a peer that does not read, only once it does (RFC 6455 section 5.5.3)."""
        pongs = self.conn.data_to_send()
        if self._holds_back():
            self._pong = pongs[-1] if pongs else self._pong
        elif not self.transport.is_closing():
            self.transport.write(b"".join(pongs))

    def start_keepalive(self) -> None:
        """Watch the peer from now on."""
        self._heard_at = self.loop.time()
        self.ping_timer = self.loop.call_later(self.heartbeat, self._watch)

    async def send(self, message: Any) -> None:
        """Send one message; a close is waited for, but not for ever."""
        await super().send(message)
        if message["type"] == "websocket.close" and not self.transport.is_closing():
            self._close_in_time()

    def _close_in_time(self) -> None:
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(_CLOSING_SECONDS, self.transport.abort)

    def _holds_back(self) -> bool:
        """Whether nothing may be written past `send`."""
        return self.close_sent or not self.writable.is_set()

    def _hear(self) -> None:
        self._heard_at = self.loop.time()
        self._asked_at = None

    def _watch(self) -> None:
        """Ask a silent peer for a sign of life; cut it off when none comes.

        Only time that has passed since it was asked tells anything: the hub itself may have stood
        still before.
        """
        if self.close_sent or self.transport.is_closing():
            return
        if self.read_paused:
            # It is the hub that does not listen.
            self._hear()
        now = self.loop.time()
        if self._asked_at is None and now >= self._heard_at + self.heartbeat:
            self._asked_at = now
            if not self._holds_back():
                self.conn.send_ping(b"")
                self.transport.write(b"".join(self.conn.data_to_send()))
        if self._asked_at is None:
            due = self._heard_at + self.heartbeat
        else:
            due = self._asked_at + _ASKED_HEARTBEATS * self.heartbeat
            if now >= due:
                self.transport.abort()
                return
        self.ping_timer = self.loop.call_at(due, self._watch)
