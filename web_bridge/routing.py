"""From a method's path to its handler, through the interceptors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
import grpc.aio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

RpcHandler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Lookup: TypeAlias = "Callable[[CallDetails], RpcHandler | None]"


@dataclass(slots=True)
class CallDetails(grpc.HandlerCallDetails):
    """What interceptors and handlers see of a call before it starts."""

    method: str
    invocation_metadata: tuple[tuple[str, str | bytes], ...]


def find(handlers: Sequence[grpc.GenericRpcHandler], details: CallDetails) -> RpcHandler | None:
    """The first registered handler for a call, or None."""
    for handler in handlers:
        found = handler.service(details)
        if found is not None:
            return found
    return None


async def intercepted(
    interceptors: Sequence[grpc.aio.ServerInterceptor], lookup: Lookup, details: CallDetails
) -> RpcHandler | None:
    """The handler that the chain of interceptors gives; the first one sees the call first.

    The same interceptor objects serve grpc.aio's own server. One that wraps a handler must keep
    its kind: a stream handler may be a generator or a coroutine that writes through its context.
    """

    async def innermost(details: Any) -> RpcHandler | None:
        return lookup(details)

    continuation: Callable[[Any], Awaitable[RpcHandler | None]] = innermost
    for interceptor in reversed(interceptors):
        continuation = _bound(interceptor, continuation)
    return await continuation(details)


def _bound(
    interceptor: grpc.aio.ServerInterceptor,
    continuation: Callable[[Any], Awaitable[RpcHandler | None]],
) -> Callable[[Any], Awaitable[RpcHandler | None]]:
    async def call(details: Any) -> RpcHandler | None:
        return await interceptor.intercept_service(continuation, details)

    return call
