"""The unary calls: token, deadline and typed errors in one place."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import grpc

from shipspeak_realtime.errors import AuthError, ClosedError, NetworkError
from shipspeak_realtime.transport import UNARY_TIMEOUT_SECONDS, bearer
from shipspeak_realtime.wire import from_rpc

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2
    from shipspeak_realtime.tokens import TokenSource
    from shipspeak_realtime.transport import Transport

RequestT = TypeVar("RequestT", bound="Message")
ResponseT = TypeVar("ResponseT", bound="Message")

_CLOSED = "the client was closed"


class UnaryCalls:
    """Publish, ReadHistory and Poll, on the channel of the moment."""

    def __init__(self, transport: Transport, tokens: TokenSource) -> None:
        self._transport, self._tokens = transport, tokens

    async def publish(
        self, request: frame_pb2.PublishRequest
    ) -> realtime_service_pb2.PublishResponse:
        """One Publish call.

        Raises:
            RealtimeError: when the call failed as a whole.
        """
        return await self._call(self._transport.stub.Publish, request, UNARY_TIMEOUT_SECONDS)

    async def read_history(
        self, request: realtime_service_pb2.ReadHistoryRequest
    ) -> realtime_service_pb2.ReadHistoryResponse:
        """One page of a topic's log.

        Raises:
            RealtimeError: when the call failed.
        """
        return await self._call(self._transport.stub.ReadHistory, request, UNARY_TIMEOUT_SECONDS)

    async def acknowledge(
        self, request: frame_pb2.AcknowledgeRequest
    ) -> realtime_service_pb2.AcknowledgeResponse:
        """Say something about deliveries or events; a result for each.

        Raises:
            RealtimeError: when the call failed as a whole.
        """
        return await self._call(self._transport.stub.Acknowledge, request, UNARY_TIMEOUT_SECONDS)

    async def cancel_scheduled(
        self, request: realtime_service_pb2.CancelScheduledRequest
    ) -> realtime_service_pb2.CancelScheduledResponse:
        """Take one scheduled draft back.

        Raises:
            RealtimeError: when the call failed.
        """
        method = self._transport.stub.CancelScheduled
        return await self._call(method, request, UNARY_TIMEOUT_SECONDS)

    async def poll(
        self, request: realtime_service_pb2.PollRequest
    ) -> realtime_service_pb2.PollResponse:
        """One Poll; its deadline is the wait and the time of a call.

        Raises:
            RealtimeError: when the call failed.
        """
        timeout = request.wait.seconds + UNARY_TIMEOUT_SECONDS
        return await self._call(self._transport.stub.Poll, request, timeout)

    async def touch(
        self, request: realtime_service_pb2.TouchRequest
    ) -> realtime_service_pb2.TouchResponse:
        """One Touch.

        Raises:
            RealtimeError: when the call failed.
        """
        return await self._call(self._transport.stub.Touch, request, UNARY_TIMEOUT_SECONDS)

    async def read_presence(
        self, request: realtime_service_pb2.ReadPresenceRequest
    ) -> realtime_service_pb2.ReadPresenceResponse:
        """One page of a topic's presence.

        Raises:
            RealtimeError: when the call failed.
        """
        return await self._call(self._transport.stub.ReadPresence, request, UNARY_TIMEOUT_SECONDS)

    async def _call(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[RequestT, ResponseT],
        request: RequestT,
        timeout: float,  # noqa: ASYNC109 - gRPC's own deadline, sent to the hub
    ) -> ResponseT:
        try:
            return await call(self._tokens, method, request, timeout)
        except ClosedError as error:
            if self._transport.closed:
                raise
            message = "the connection had fallen silent and was given up"
            raise NetworkError(message) from error


async def call(
    tokens: TokenSource,
    method: grpc.aio.UnaryUnaryMultiCallable[RequestT, ResponseT],
    request: RequestT,
    timeout: float,  # noqa: ASYNC109 - as above
) -> ResponseT:
    """One unary call with the present token, and once more with a new one after a refusal.

    Raises:
        RealtimeError: when the call failed.
    """
    try:
        return await _once(method, request, timeout, await tokens.current())
    except AuthError:
        if not tokens.renewable:
            raise
        # The token ran out while no session refreshed it.
        return await _once(method, request, timeout, await tokens.renew())


async def _once(
    method: grpc.aio.UnaryUnaryMultiCallable[RequestT, ResponseT],
    request: RequestT,
    timeout: float,  # noqa: ASYNC109 - as above
    token: str | None,
) -> ResponseT:
    try:
        return await method(request, timeout=timeout, metadata=bearer(token))
    except grpc.aio.AioRpcError as error:
        raise from_rpc(error) from error
    except grpc.aio.UsageError as error:
        raise ClosedError(_CLOSED) from error
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        # The caller was not cancelled: a closing channel cancels the calls on it.
        raise ClosedError(_CLOSED) from None
