"""The methods as gRPC handlers of bytes: decoding is ours, so that garbage gets a typed answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
from grpc.aio import ServicerContext

from hub.model.certificate import client_certificate
from hub.rpc.status import abort, refusal_of
from hub.session.sink import Caller

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from hub.rpc.unary import UnaryMethod
    from hub.telemetry.metrics import Metrics

Context = ServicerContext[bytes, bytes]


def caller_of(context: Context, transport: str) -> Caller:
    """What a gRPC context tells of its caller."""
    metadata = {
        key.lower(): value
        for key, value in context.invocation_metadata() or ()
        if isinstance(value, str)
    }
    certificate = client_certificate(context.auth_context())
    return Caller(metadata, context.peer(), transport, certificate)


def unary_handlers(
    service: str, methods: Mapping[str, UnaryMethod], metrics: Metrics, transport: str
) -> grpc.GenericRpcHandler:
    """A service's unary methods for one door.

    Args:
        service: full name.
        methods: RPC name -> method.
        metrics: refusals are counted by reason.
        transport: name of the door.
    """
    handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        name: grpc.unary_unary_rpc_method_handler(
            _unary(f"{service}/{name}", method, metrics, transport)
        )
        for name, method in methods.items()
    }
    return grpc.method_handlers_generic_handler(service, handlers)


def _unary(
    name: str, method: UnaryMethod, metrics: Metrics, transport: str
) -> Callable[[bytes, Context], Awaitable[bytes]]:
    async def call(request: bytes, context: Context) -> bytes:
        try:
            return await method(request, caller_of(context, transport))
        except Exception as failure:  # noqa: BLE001 - unknown ones are logged and become INTERNAL
            await abort(context, refusal_of(failure, name, metrics))

    return call
