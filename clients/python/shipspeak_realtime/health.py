"""Ask a hub whether it serves, by the standard health service (grpc.health.v1)."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import TYPE_CHECKING

import grpc
from google.protobuf.wrappers_pb2 import Int32Value, StringValue

from shipspeak_realtime.errors import NetworkError
from shipspeak_realtime.transport import make_channel
from shipspeak_realtime.wire import from_rpc

if TYPE_CHECKING:
    from collections.abc import Callable

_CHECK = "/grpc.health.v1.Health/Check"


class Health(Enum):
    """The answer, with the numbers of grpc.health.v1."""

    UNKNOWN = 0
    SERVING = 1
    NOT_SERVING = 2
    SERVICE_UNKNOWN = 3


async def check_health(
    server: str,
    service: str = "",
    *,
    credentials: grpc.ChannelCredentials | None = None,
    timeout: float = 5.0,  # noqa: ASYNC109 - one bound for connect and one for the call
) -> Health:
    """Ask once; needs no token.

    Args:
        server: gRPC target.
        service: full name of a service, or a shard ("shard/0"); empty = the hub as a whole.
        credentials: of TLS; None = plain text.
        timeout: seconds, for the connection and again for the call.

    Raises:
        NetworkError: with reason NOT_CONNECTED: no connection.
        RealtimeError: the connection stands and the call failed; code NOT_FOUND: unknown service.
    """
    async with make_channel(server, credentials) as channel:
        try:
            async with asyncio.timeout(timeout):
                await channel.channel_ready()
        except TimeoutError as error:
            message = f"no connection to {server} within {timeout:g} s"
            raise NetworkError(message, reason="NOT_CONNECTED") from error
        # HealthCheckRequest is one string in field 1 and its answer one enum in field 1, as these
        # wrappers are: the health package would be one more dependency for two numbers.
        serialize: Callable[[StringValue], bytes] = StringValue.SerializeToString
        check = channel.unary_unary(
            _CHECK, request_serializer=serialize, response_deserializer=Int32Value.FromString
        )
        try:
            answer = await check(StringValue(value=service), timeout=timeout)
        except grpc.aio.AioRpcError as error:
            raise from_rpc(error) from error
    return Health(answer.value) if answer.value in _NUMBERS else Health.UNKNOWN


_NUMBERS = {health.value for health in Health}
