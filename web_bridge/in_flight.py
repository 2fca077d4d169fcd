"""What all push sinks have in common: one send in flight, and what must follow it waits."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from typing import TYPE_CHECKING

from hub.model.wire import RUNS_TAG

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.telemetry.transports import TransportFigure
    from web_bridge.asgi import Message
    from web_bridge.stepping import Transmit

logger = logging.getLogger(__name__)


class OneInFlight:
    """A way out with at most one send under way.

    Args:
        transmit: sends one ASGI message, see `web_bridge.stepping`.
        abort: cuts the connection, where the server can.
        linger_seconds: how long the end waits for a reader that does not read.
    """

    __slots__ = (
        "_abort",
        "_closed",
        "_gone",
        "_in_flight",
        "_linger",
        "_linger_seconds",
        "_opened_at",
        "_transmit",
        "_waiting",
        "on_writable",
    )

    def __init__(
        self, transmit: Transmit, abort: Callable[[], None] | None, linger_seconds: float
    ) -> None:
        self.on_writable: Callable[[], None] | None = None
        self._transmit = transmit
        self._abort = abort
        self._linger_seconds = linger_seconds
        self._linger: asyncio.TimerHandle | None = None
        self._in_flight: asyncio.Task[None] | None = None
        # Only what must follow the send in flight: a first frame behind the headers, the end.
        self._waiting: deque[Message] | None = None
        self._closed = False
        self._gone = False
        # By the monotonic clock; 0 once the first events went out.
        self._opened_at = time.monotonic()

    @property
    def writable(self) -> bool:
        """Whether `send` may be called now."""
        return self._in_flight is None and not self._closed

    @property
    def closed(self) -> bool:
        """Whether the stream was ended or the client is gone."""
        return self._closed

    def gone(self) -> None:
        """The client has left: nothing more is sent."""
        self._closed = self._gone = True
        self._waiting = None
        self.on_writable = None
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None
        if self._in_flight is not None:
            self._in_flight.cancel()

    def _note_events(self, frame: bytes, figure: TransportFigure) -> None:
        """Note when the first events go out."""
        if frame.startswith(RUNS_TAG):
            figure.first_event(self._opened_at)
            self._opened_at = 0.0

    def _may_send(self) -> bool:
        """Whether a frame goes out; on an ended stream it is dropped.

        Raises:
            RuntimeError: a send is in flight; the frame would be lost.
        """
        if self._closed:
            return False
        if self._in_flight is not None:
            msg = "send() while the sink is not writable"
            raise RuntimeError(msg)
        return True

    def _linger_for_reader(self) -> None:
        """The end waits behind a send: cut the connection of a reader that does not read it."""
        if self._in_flight is not None and self._abort is not None:
            loop = asyncio.get_running_loop()
            self._linger = loop.call_later(self._linger_seconds, self._abort)

    def _put(self, message: Message) -> None:
        """Send a message now, or right after the send in flight."""
        if self._gone:
            return
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
        # ASGI: a send to a client that has left may raise OSError.
        if not isinstance(error, OSError):
            logger.warning("a push stream's send failed", exc_info=error)
        self.gone()
        if self._abort is not None:
            self._abort()
