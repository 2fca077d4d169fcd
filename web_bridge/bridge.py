"""The grpc-web side of the door, built on sonora's grpcASGI.

What is left of sonora is registration: `add_generic_rpc_handlers` and its table of handlers, the
fall-through to `_application`, and the grpc.Server type that generated ``add_X_to_server``
functions want. Routing walks the same table, but hands over the call's metadata, which sonora
leaves out. The request path is our own, because sonora loses statuses, messages and
disconnects: the checks in tests/wire run against both.
"""

from __future__ import annotations

import asyncio
import functools
import re
import time
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.message import DecodeError
from sonora.asgi import grpcASGI

from hub.errors import HubError
from hub.session.sink import Caller
from web_bridge.admission import Admitted, HttpRefused, admit, response_head
from web_bridge.asgi import Receive, Scope, Send, header
from web_bridge.body import ClientGone
from web_bridge.call import Call, ReaderStalled
from web_bridge.content import is_text
from web_bridge.context import BridgeContext, Clock
from web_bridge.extensions import abort_of, direct_of
from web_bridge.push import PushMethod, PushSink, SharedFraming
from web_bridge.push_call import PushCall, park
from web_bridge.refusals import draining, malformed, not_offered, too_many_streams
from web_bridge.response import Response, ResponseHead
from web_bridge.routing import CallDetails, RpcHandler, find, intercepted
from web_bridge.status import CallRefused, Status, failure_status, status_of
from web_bridge.stepping import Transmit, transmitter
from web_bridge.websocket import SOCKET_PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import grpc.aio

    from hub.telemetry.transports import TransportFigures
    from web_bridge.cors import CorsPolicy
    from web_bridge.limits import Limits
    from web_bridge.websocket import SocketDoor

# /package.Service/Method
_METHOD_PATH = re.compile(r"/[A-Za-z_]\w*(\.[A-Za-z_]\w*)+/[A-Za-z_]\w*")


class GrpcWebBridge(grpcASGI):  # type: ignore[misc]  # sonora ships no types
    """An ASGI application: grpc-web calls to registered services; the rest goes to `application`.

    Args:
        application: what answers every request that is no grpc-web call.
        interceptors: grpc.aio interceptors, the first one outermost. Push methods do their own.
        push: push methods by full name, ``/package.Service/Method``.
        cors: who may call.
        limits: bounds of one request.
        figures: count what push streams carry.
        sockets: serves WebSockets at their path; None: they are not offered.
        clock: a monotonic clock in seconds.
    """

    def __init__(
        self,
        application: Callable[[Scope, Receive, Send], Any],
        *,
        interceptors: Sequence[grpc.aio.ServerInterceptor],
        push: Mapping[str, PushMethod],
        cors: CorsPolicy,
        limits: Limits,
        figures: TransportFigures,
        sockets: SocketDoor | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        super().__init__(application, enable_cors=False)
        self._interceptors = tuple(interceptors)
        self._push = dict(push)
        self._cors = cors
        self._limits = limits
        self._sockets = sockets
        self._clock = clock
        self._framing = {
            False: SharedFraming(figures.of("grpc-web"), text=False),
            True: SharedFraming(figures.of("grpc-web-text"), text=True),
        }
        self._streams: set[Call] = set()
        self._pushes: set[PushCall] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        sockets = self._sockets
        if sockets and scope["type"] == "websocket" and scope["path"] == SOCKET_PATH:
            await sockets(scope, receive, send)
            return
        if scope["type"] != "http" or scope["method"] == "OPTIONS" or not self._is_call(scope):
            await self._application(scope, receive, send)
            return
        try:
            head = response_head(scope, self._cors, self._limits)
        except HttpRefused as error:
            await error.send(send)
            return
        await self._serve(scope, receive, send, head)

    def end_streams(self, status: Status | None = None) -> None:
        """End the streams of the general path (health watches): they never end by themselves."""
        for call in tuple(self._streams):
            call.end(status or status_of(draining()))

    def end_pushes(self, status: Status | None = None) -> None:
        """End the push streams and WebSockets that their sessions have not ended."""
        for call in tuple(self._pushes):
            call.end(status or status_of(draining()))
        if self._sockets is not None:
            self._sockets.end()

    @property
    def open_streams(self) -> int:
        """Streams and WebSockets that are open now."""
        sockets = 0 if self._sockets is None else self._sockets.open
        return len(self._streams) + len(self._pushes) + sockets

    def _is_call(self, scope: Scope) -> bool:
        """Whether a gRPC answer is wanted, be it a refusal: told by content type or by path."""
        if is_text(header(scope["headers"], b"content-type")) is not None:
            return True
        path = scope["path"]
        return path in self._push or _METHOD_PATH.fullmatch(path) is not None

    async def _serve(self, scope: Scope, receive: Receive, send: Send, head: ResponseHead) -> None:
        try:
            call = await admit(scope, receive, head, self._limits)
            method = scope["path"]
            if method in self._push:
                transmit = transmitter(send, direct_of(scope))
                parked = await self._open_push(method, call, transmit, head, abort_of(scope))
            else:
                await self._run(method, call, receive, send, head)
                return
        except ClientGone:
            return
        except HttpRefused as error:
            await error.send(send)
            return
        except HubError as error:
            await Response(send, head).finish(status_of(error))
            return
        except CallRefused as error:
            await Response(send, head, close=error.close).finish(error.status)
            return
        except ReaderStalled:
            if (abort := abort_of(scope)) is not None:
                abort()
            return
        # The parked task keeps nothing of the admission alive.
        del call, head, scope, send, transmit
        await park(receive, parked)

    async def _open_push(
        self,
        method: str,
        call: Admitted,
        transmit: Transmit,
        head: ResponseHead,
        abort: Callable[[], None] | None,
    ) -> Callable[[], None]:
        """Open a push stream; what to call when its connection is over."""
        sink = PushSink(
            transmit,
            self._framing[head.text],
            head,
            abort=abort,
            linger_seconds=self._limits.linger_seconds,
        )
        push = PushCall(sink)
        self._pushes.add(push)
        deadline = None
        if call.timeout is not None:
            deadline = asyncio.get_running_loop().call_later(call.timeout, push.expire)
        over = functools.partial(self._push_over, push, deadline)
        metadata = {key: value for key, value in call.metadata if isinstance(value, str)}
        caller = Caller(metadata=metadata, peer=call.peer, transport="grpc-web")
        try:
            await push.open(
                self._push[method], call.message, caller, self._limits.header_idle_seconds
            )
        except BaseException:
            over()
            raise
        return over

    def _push_over(self, push: PushCall, deadline: asyncio.TimerHandle | None) -> None:
        if deadline is not None:
            deadline.cancel()
        self._pushes.discard(push)
        push.gone()

    async def _run(
        self, method: str, admitted: Admitted, receive: Receive, send: Send, head: ResponseHead
    ) -> None:
        details = CallDetails(method, admitted.metadata)
        handler = await self._handler(details)
        function, streaming = _function(method, handler)
        request = _decoded(handler, admitted.message)
        response = Response(send, head)
        deadline = None if admitted.timeout is None else self._clock() + admitted.timeout
        context = BridgeContext(
            response,
            serializer=handler.response_serializer if handler else None,
            metadata=admitted.metadata,
            peer=admitted.peer,
            deadline=deadline,
            clock=self._clock,
            streaming=streaming,
        )
        call = Call(method, function, request, context, response, self._limits, streaming=streaming)
        if not streaming:
            await call.run(receive)
            return
        if len(self._streams) >= self._limits.streams:
            raise too_many_streams()
        self._streams.add(call)
        try:
            await call.run(receive)
        finally:
            self._streams.discard(call)

    async def _handler(self, details: CallDetails) -> RpcHandler | None:
        try:
            return await intercepted(self._interceptors, self._route, details)
        except HubError:
            raise
        except Exception as error:
            status = failure_status(error, f"an interceptor of {details.method}")
            raise CallRefused(status) from error

    def _route(self, details: CallDetails) -> RpcHandler | None:
        return find(self._handlers, details)


def _function(method: str, handler: RpcHandler | None) -> tuple[Any, bool]:
    """The servicer's function and whether it streams.

    Raises:
        Unimplemented: for an unknown method, and for one that needs a client stream.
    """
    if handler is None:
        raise not_offered(method, f"unknown method {method}")
    if handler.request_streaming:
        raise not_offered(
            method,
            f"{method} needs a client stream, which grpc-web does not have; use native gRPC",
        )
    if handler.response_streaming:
        return handler.unary_stream, True
    return handler.unary_unary, False


def _decoded(handler: RpcHandler | None, message: bytes) -> Any:
    if handler is None or handler.request_deserializer is None:
        return message
    try:
        return handler.request_deserializer(message)
    except (DecodeError, ValueError) as error:
        raise malformed("the message cannot be parsed") from error
