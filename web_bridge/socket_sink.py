"""Frames out over a WebSocket: one binary message each, ready-made once for all who get it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hub.session.frames import error_frame
from web_bridge.close_codes import close_code, close_reason
from web_bridge.in_flight import OneInFlight
from web_bridge.stepping import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.errors import HubError
    from hub.telemetry.transports import TransportFigure
    from web_bridge.asgi import Message
    from web_bridge.stepping import Transmit

# FIN and the opcode of a binary message; a server does not mask (RFC 6455 section 5.2).
_BINARY = 0x82


def socket_chunk(frame: bytes) -> bytes:
    """A frame as one unfragmented WebSocket message, as it goes over the wire."""
    size = len(frame)
    if size < 126:
        head = bytes((_BINARY, size))
    elif size < 65_536:
        head = bytes((_BINARY, 126)) + size.to_bytes(2)
    else:
        head = bytes((_BINARY, 127)) + size.to_bytes(8)
    return head + frame


class SocketFraming:
    """Turns a frame into an ASGI message; the message of the last frame is kept and shared.

    Args:
        figure: counts what goes out.
    """

    def __init__(self, figure: TransportFigure) -> None:
        self.figure = figure
        self._size = 0
        self._frame: bytes | None = None
        self._message: Message = {}

    def message(self, frame: bytes) -> Message:
        """The message for a frame; the same object while the same frame object is asked for."""
        if frame is not self._frame:
            chunk = socket_chunk(frame)
            self._message = {"type": "websocket.send", "bytes": frame, CHUNK: chunk}
            self._frame = frame
            self._size = len(chunk)
        self.figure.bytes += self._size
        return self._message


class SocketSink(OneInFlight):
    """A FrameSink over one WebSocket. Not writable while a send is in flight.

    Args:
        transmit: sends one ASGI message, see `web_bridge.stepping`.
        framing: shared by all sockets.
        abort: cuts the connection, where the server can.
        linger_seconds: how long the end waits for a reader that does not read.

    Attributes:
        close_as: the close code in place of the error's own, where the transport has one for it.
        on_closing: called when the close has been given to the transport.
    """

    __slots__ = ("_framing", "_written", "close_as", "on_closing")

    def __init__(
        self,
        transmit: Transmit,
        framing: SocketFraming,
        *,
        abort: Callable[[], None] | None = None,
        linger_seconds: float = 5.0,
    ) -> None:
        super().__init__(transmit, abort, linger_seconds)
        self.close_as: int | None = None
        self.on_closing: Callable[[], None] | None = None
        self._framing = framing
        self._written: asyncio.Future[None] | None = None

    def send(self, frame: bytes) -> None:
        """Give one frame to the transport; on an ended socket it is dropped.

        Raises:
            RuntimeError: a send is in flight; the frame would be lost.
        """
        if self._may_send():
            if self._opened_at:
                self._note_events(frame, self._framing.figure)
            self._put(self._framing.message(frame))

    def close(self, error: HubError | None) -> None:
        """End after what was sent: an Error frame says all of the error, the close code some of it.

        Idempotent.
        """
        if self._closed:
            return
        self._closed = True
        if error is not None:
            self._put({"type": "websocket.send", "bytes": error_frame(error)})
        code = close_code(error) if self.close_as is None else self.close_as
        self._put({"type": "websocket.close", "code": code, "reason": close_reason(error)})
        self._linger_for_reader()
        if self.on_closing is not None:
            self.on_closing()

    async def written(self) -> None:
        """Wait until the transport has taken what is in flight, or the client is gone."""
        if self._in_flight is None or self._gone:
            return
        if self._written is None:
            self._written = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._written)

    async def flushed(self) -> None:
        """Wait until the transport has taken everything, or the client is gone."""
        while self._in_flight is not None and not self._gone:
            await self.written()

    def gone(self) -> None:
        """The client has left: nothing more is sent."""
        super().gone()
        self._tell_written()

    def _sent(self, task: asyncio.Task[None]) -> None:
        super()._sent(task)
        self._tell_written()

    def _tell_written(self) -> None:
        if self._written is not None and not self._written.done():
            self._written.set_result(None)
        self._written = None
