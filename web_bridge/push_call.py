"""One push stream from admission to its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from web_bridge.status import DEADLINE_EXCEEDED, Status, failure_status

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.session.sink import Attachment, Caller
    from web_bridge.asgi import Receive
    from web_bridge.push import PushMethod, PushSink


class PushCall:
    """Ties a sink to what the hub attached to it, and ends both together.

    Args:
        sink: the stream's way out.
    """

    __slots__ = ("_attachment", "_over", "_sink")

    def __init__(self, sink: PushSink) -> None:
        self._sink = sink
        self._attachment: Attachment | None = None
        self._over = False

    async def open(
        self, method: PushMethod, request: bytes, caller: Caller, idle_seconds: float
    ) -> None:
        """Attach the sink; a refusal ends the stream with its status.

        Args:
            method: what to open.
            request: the request message.
            caller: who calls.
            idle_seconds: the headers go out after this much silence.
        """
        headers = asyncio.get_running_loop().call_later(idle_seconds, self._sink.start)
        try:
            self._attachment = await method.open(request, caller, self._sink)
        except Exception as failure:  # noqa: BLE001 - unknown ones are logged and become INTERNAL
            self._sink.end(failure_status(failure, "opening a push stream"))
        else:
            if self._over:
                self._attachment.detach()
            self._sink.start()
        finally:
            headers.cancel()

    def end(self, status: Status) -> None:
        """End the stream with a status and let the hub go. Idempotent."""
        self._sink.end(status)
        self._release()

    def expire(self) -> None:
        """The deadline has passed."""
        self.end(DEADLINE_EXCEEDED)

    def gone(self) -> None:
        """The client has left, or has read the end. Idempotent."""
        self._sink.gone()
        self._release()

    def _release(self) -> None:
        self._over = True
        if self._attachment is not None:
            self._attachment.detach()


async def park(receive: Receive, over: Callable[[], None]) -> None:
    """Wait until the client is gone or the response is complete, then call back.

    The ASGI rule makes both one event: receive() gives http.disconnect once a response was sent
    in full or the connection was closed.
    """
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
    finally:
        over()
