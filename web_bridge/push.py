"""The lean path for push streams: one task per connection, parked; frames go out without it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Protocol

from web_bridge.framing import data_frame, encode_text, trailer_frame
from web_bridge.response import ResponseHead, checked
from web_bridge.status import Status, status_of
from web_bridge.stepping import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.errors import HubError
    from hub.session.sink import Attachment, Caller, FrameSink
    from web_bridge.asgi import Message
    from web_bridge.stepping import Transmit

logger = logging.getLogger(__name__)


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
    """

    def __init__(self, *, text: bool) -> None:
        self._text = text
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
        return self._message


class PushSink:
    """A FrameSink over one grpc-web response. Not writable while a send is in flight.

    Args:
        transmit: sends one ASGI message, see `web_bridge.stepping`.
        framing: shared by all sinks of one mode.
        head: the response's headers.
        abort: cuts the connection, where the server can.
        linger_seconds: how long the end of the stream waits for a reader that does not read.
    """

    __slots__ = (
        "_abort",
        "_closed",
        "_framing",
        "_head",
        "_in_flight",
        "_linger",
        "_linger_seconds",
        "_started",
        "_transmit",
        "_waiting",
        "on_writable",
    )

    def __init__(
        self,
        transmit: Transmit,
        framing: SharedFraming,
        head: ResponseHead,
        *,
        abort: Callable[[], None] | None = None,
        linger_seconds: float = 5.0,
    ) -> None:
        self.on_writable: Callable[[], None] | None = None
        self._transmit = transmit
        self._framing = framing
        self._head = head
        self._abort = abort
        self._linger_seconds = linger_seconds
        self._linger: asyncio.TimerHandle | None = None
        self._in_flight: asyncio.Task[None] | None = None
        # Only what must follow the send in flight: a first frame behind the headers, the trailer.
        self._waiting: deque[Message] | None = None
        self._started = False
        self._closed = False

    @property
    def writable(self) -> bool:
        """Whether `send` may be called now."""
        return self._in_flight is None and not self._closed

    @property
    def closed(self) -> bool:
        """Whether the stream was ended or the client is gone."""
        return self._closed

    def send(self, frame: bytes) -> None:
        """Give one frame to the transport.

        On an ended stream this does nothing: the client resumes by its cursor.

        Raises:
            RuntimeError: a send is in flight; the frame would be lost.
        """
        if self._closed:
            return
        if self._in_flight is not None:
            msg = "send() while the sink is not writable"
            raise RuntimeError(msg)
        if not self._started:
            self.start()
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
        if self._in_flight is not None and self._abort is not None:
            loop = asyncio.get_running_loop()
            self._linger = loop.call_later(self._linger_seconds, self._abort)

    def gone(self) -> None:
        """The client has left: nothing more is sent."""
        self._closed = True
        self._waiting = None
        self.on_writable = None
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None
        if self._in_flight is not None:
            self._in_flight.cancel()

    def _send_headers(self, failed: Status | None) -> None:
        self._started = True
        fields = self._head.fields([], failed)
        self._put({"type": "http.response.start", "status": 200, "headers": fields})

    def _put(self, message: Message) -> None:
        """Send a message now, or right after the send in flight."""
        if self._in_flight is not None:
            if self._waiting is None:
                self._waiting = deque()
            self._waiting.append(message)
            return
        try:
            task = self._transmit(message)
        except Exception as error:  # noqa: BLE001 - logged in _failed; one stream must not stop a flush
            self._failed(error)
            return
        if task is not None:
            self._in_flight = task
            task.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        """The send in flight is done; the loop calls this, never `send` itself."""
        self._in_flight = None
        if task.cancelled():
            self.gone()
            return
        if (error := task.exception()) is not None:
            self._failed(error)
            return
        while self._waiting and self._in_flight is None:
            self._put(self._waiting.popleft())
        if self.writable and self.on_writable is not None:
            self.on_writable()

    def _failed(self, error: BaseException) -> None:
        # The server's receive() reports the lost connection; the session is detached there.
        logger.warning("a push stream's send failed", exc_info=error)
        self.gone()
        if self._abort is not None:
            self._abort()
