"""Connect and Listen on the gRPC door."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import grpc

from hub.errors import HubError
from hub.rpc.commands import farewell
from hub.rpc.handlers import Context, caller_of
from hub.rpc.status import abort, refusal_of
from hub.server.stream_sink import LINGER_SECONDS, GrpcStreamSink
from hub.session.session import MAX_CONTROL_FRAMES, Session
from shipspeak.realtime.v1 import realtime_service_pb2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hub.rpc.streams import ConnectMethod, ListenMethod
    from hub.telemetry.metrics import Metrics

SERVICE = realtime_service_pb2.DESCRIPTOR.services_by_name["RealtimeService"].full_name
_TRANSPORT = "grpc"
# A cut stream looks like a half-closed one for as long as it takes to hear of the cut.
CUT_SECONDS = 0.05


class StreamHandlers:
    """The streaming RPCs as grpc.aio handlers.

    Args:
        connect: runs Connect sessions.
        listen: opens Listen sessions.
        metrics: refusals by reason, and what the streams carry.
    """

    def __init__(self, connect: ConnectMethod, listen: ListenMethod, metrics: Metrics) -> None:
        self._connect = connect
        self._listen = listen
        self._metrics = metrics
        self._figure = metrics.transports.of(_TRANSPORT)

    def handlers(self) -> dict[str, grpc.RpcMethodHandler[bytes, bytes]]:
        """RPC name -> handler; requests and responses are bytes."""
        return {
            "Connect": grpc.stream_stream_rpc_method_handler(self.connect),
            "Listen": grpc.unary_stream_rpc_method_handler(self.listen),
        }

    async def connect(self, _requests: object, context: Context) -> None:
        """One session on a bidirectional stream."""
        sink = GrpcStreamSink(context, self._figure)
        try:
            connection = self._connect.create(caller_of(context, _TRANSPORT), sink)
        except Exception as failure:  # noqa: BLE001 - unknown ones are logged and become INTERNAL
            await abort(context, refusal_of(failure, "opening a Connect session", self._metrics))
        session = connection.session
        frames = _frames(context, session, sink)
        reader = asyncio.get_running_loop().create_task(self._connect.run(connection, frames))
        try:
            await sink.run()
        finally:
            reader.cancel()
            connection.cancel()
            session.detach()
        await _end(context, sink)

    async def listen(self, request: bytes, context: Context) -> None:
        """One session on a server stream."""
        sink = GrpcStreamSink(context, self._figure)
        try:
            attachment = await self._listen.open(request, caller_of(context, _TRANSPORT), sink)
        except HubError as error:
            for frame in farewell(error):
                await context.write(frame)
            await abort(context, error)
        try:
            await sink.run()
        finally:
            attachment.detach()
        await _end(context, sink)


async def _frames(context: Context, session: Session, sink: GrpcStreamSink) -> AsyncIterator[bytes]:
    """The client's frames; pauses while it does not read its answers."""
    while True:
        while session.control_backlog > MAX_CONTROL_FRAMES:
            await sink.written()
        data: object = await context.read()
        if not isinstance(data, bytes):
            # grpc.aio.EOF: half-closed, or the peer is gone; a write tells which.
            if context.cancelled() or context.done():
                sink.abandon()
            elif session.must_live:
                # Others see this client, and whether it left or was cut off is not the same to
                # them. A cut cancels the call in a moment, and this with it.
                await asyncio.sleep(CUT_SECONDS)
            return
        yield data


async def _end(context: Context, sink: GrpcStreamSink) -> None:
    if sink.error is None:
        return
    # The status lies behind what the peer has not read; its reading is not waited for.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            await abort(context, sink.error)
