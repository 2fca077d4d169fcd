"""The lean path for push streams: one task per connection, parked; frames go out without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from web_bridge.framing import data_frame, encode_text, trailer_frame
from web_bridge.in_flight import OneInFlight
from web_bridge.response import ResponseHead, checked
from web_bridge.status import Status, status_of
from web_bridge.stepping import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.errors import HubError
    from hub.session.sink import Attachment, Caller, FrameSink
    from hub.telemetry.transports import TransportFigure
    from web_bridge.asgi import Message
    from web_bridge.stepping import Transmit


class PushMethod(Protocol):
    """A server stream that the hub pushes into, instead of a handler that yields."""

    async def open(self, request: bytes, caller: Caller, sink: FrameSink) -> Attachment:
        """Attach a sink to what the request asks for. Frames may be sent before this returns.

        Args:
            request: the request message as it came, not yet decoded.
            caller: who calls.
            sink: where frames go.

        Raises:
            HubError: refused; the bridge ends the call with its status.
        """


class SharedFraming:
    """Turns a frame into an ASGI message; the message of the last frame is kept and shared.

    The hub gives the same bytes object to every sink of a flush, so all of them send one message
    object and a text-mode frame is encoded once.

    Args:
        figure: counts what goes out.
        text: whether in text mode.
    """

    def __init__(self, figure: TransportFigure, *, text: bool) -> None:
        self.figure = figure
        self._text = text
        self._size = 0
        self._frame: bytes | None = None
        self._message: Message = {}

    def message(self, frame: bytes) -> Message:
        """The message for a frame; the same object while the same frame object is asked for."""
        if frame is not self._frame:
            body = data_frame(frame)
            if self._text:
                body = encode_text(body)
            chunk = b"%x\r\n%b\r\n" % (len(body), body)
            self._message = {
                "type": "http.response.body",
                "body": body,
                "more_body": True,
                CHUNK: chunk,
            }
            self._frame = frame
            self._size = len(body)
        self.figure.bytes += self._size
        return self._message


class PushSink(OneInFlight):
    """A FrameSink over one grpc-web response. Not writable while a send is in flight.

    Args:
        transmit: sends one ASGI message, see `web_bridge.stepping`.
        framing: shared by all sinks of one mode.
        head: the response's headers.
        abort: cuts the connection, where the server can.
        linger_seconds: how long the end of the stream waits for a reader that does not read.
    """

    __slots__ = ("_framing", "_head", "_started")

    def __init__(
        self,
        transmit: Transmit,
        framing: SharedFraming,
        head: ResponseHead,
        *,
        abort: Callable[[], None] | None = None,
        linger_seconds: float = 5.0,
    ) -> None:
        super().__init__(transmit, abort, linger_seconds)
        self._framing = framing
        self._head = head
        self._started = False

    def send(self, frame: bytes) -> None:
        """Give one frame to the transport.

        On an ended stream this does nothing: the client resumes by its cursor.

        Raises:
            RuntimeError: a send is in flight; the frame would be lost.
        """
        if self._may_send():
            if not self._started:
                self.start()
            if self._opened_at:
                self._note_events(frame, self._framing.figure)
            self._put(self._framing.message(frame))

    def start(self) -> None:
        """Send the headers now, so that an idle stream is seen to be open. Idempotent."""
        if self._started or self._closed:
            return
        self._send_headers(None)
        # Some servers hold the headers back until a first body event comes.
        self._put({"type": "http.response.body", "body": b"", "more_body": True})

    def close(self, error: HubError | None) -> None:
        """End the stream after what was sent: with OK, or with the error's status. Idempotent."""
        if not self._closed:
            self.end(status_of(error))

    def end(self, status: Status) -> None:
        """End the stream with a status. Idempotent."""
        if self._closed:
            return
        self._closed = True
        status = checked(status)
        if not self._started:
            self._send_headers(status if status.number else None)
        body = self._head.encode(trailer_frame(status))
        self._put({"type": "http.response.body", "body": body, "more_body": False})
        self._linger_for_reader()

    def _send_headers(self, failed: Status | None) -> None:
        self._started = True
        fields = self._head.fields([], failed)
        self._put({"type": "http.response.start", "status": 200, "headers": fields})
