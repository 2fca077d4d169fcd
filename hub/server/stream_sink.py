"""A grpc.aio stream as a FrameSink: one writer, one frame in flight."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import grpc
import structlog

from hub.errors import Unavailable
from hub.model.wire import RUNS_TAG
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.errors import HubError
    from hub.rpc.handlers import Context
    from hub.telemetry.transports import TransportFigure

log = structlog.get_logger(__name__)
# How long the end of a stream waits for a peer that takes nothing.
LINGER_SECONDS = 1.0


class GrpcStreamSink:
    """Writes frames in the call's own task; see ``run``."""

    def __init__(self, context: Context, figure: TransportFigure) -> None:
        self.on_writable: Callable[[], None] | None = None
        self.error: HubError | None = None
        self._context = context
        self._figure = figure
        # Until the first events.
        self._opened_at = time.monotonic()
        self._loop = asyncio.get_running_loop()
        self._pending: bytes | None = None
        self._closed = False
        self._gone = False
        self._cut = False
        self._writer: asyncio.Task[None] | None = None
        self._wake: asyncio.Future[None] | None = None
        self._written: asyncio.Future[None] | None = None

    @property
    def writable(self) -> bool:
        """Whether no frame is in flight."""
        return self._pending is None and not self._closed and not self._gone

    def send(self, frame: bytes) -> None:
        """Give the writer a frame."""
        self._pending = frame
        self._figure.bytes += len(frame)
        if self._opened_at and frame.startswith(RUNS_TAG):
            self._figure.first_event(self._opened_at)
            self._opened_at = 0.0
        self._notify()

    def close(self, error: HubError | None) -> None:
        """End the stream once the frame in flight is written, or was not for LINGER_SECONDS."""
        if not self._closed:
            self._closed = True
            self.error = error
            if self._pending is not None:
                self._loop.call_later(LINGER_SECONDS, self._cut_off)
            self._notify()

    def abandon(self) -> None:
        """The peer is gone: nothing is written any more."""
        self._gone = True
        self._notify()

    async def run(self) -> None:
        """Write until closed. Returns also when the peer is gone, or was cut off."""
        self._writer = asyncio.current_task()
        try:
            await self._write_all()
        except asyncio.CancelledError:
            # Ours ends here; the call's own goes on, also when it came in the same turn.
            if not self._cut or self._writer is None or self._writer.uncancel():
                raise
            log.warning("reader_cut_off", reason=self.error and self.error.reason_name)
        finally:
            self._writer = None

    async def _write_all(self) -> None:
        while not self._gone:
            frame = self._pending
            if frame is None:
                if self._closed:
                    return
                self._wake = self._loop.create_future()
                await self._wake
                self._wake = None
                continue
            try:
                await self._context.write(frame)
            except (
                grpc.aio.UsageError,
                grpc.aio.AioRpcError,
                asyncio.InvalidStateError,
                ConnectionError,
            ):
                # The call has ended under us; the reader learns the same and detaches the session.
                self._gone = True
                return
            self._pending = None
            self._tell_written()
            if self.on_writable is not None and not self._closed:
                self.on_writable()

    async def written(self) -> None:
        """Wait until one more frame was given to the transport."""
        if self._written is None:
            self._written = self._loop.create_future()
        await asyncio.shield(self._written)

    def _cut_off(self) -> None:
        if self._pending is not None and self._writer is not None:
            self._cut = self._gone = True
            self.error = self.error or _stalled_error()
            self._writer.cancel()

    def _tell_written(self) -> None:
        if self._written is not None:
            self._written.set_result(None)
            self._written = None

    def _notify(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)


def _stalled_error() -> Unavailable:
    return Unavailable(
        reasons.ERROR_REASON_HEARTBEAT_MISSED,
        "the client took nothing of what it was sent; resume from your cursors",
        retry_after=0.0,
    )
