"""Failed calls as grpc.aio raises them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from hub.rpc.status import DETAILS_KEY, STATUS_CODES, trailers_of

if TYPE_CHECKING:
    from hub.errors import HubError


def refusal(error: HubError) -> grpc.aio.AioRpcError:
    """A refusal of the hub as its client sees it."""
    code, message, details = trailers_of(error)
    return rpc_error(STATUS_CODES[code], message, ((DETAILS_KEY, details),))


def rpc_error(
    code: grpc.StatusCode, message: str, trailers: tuple[tuple[str, bytes], ...] = ()
) -> grpc.aio.AioRpcError:
    """A failed call."""
    return grpc.aio.AioRpcError(
        code, grpc.aio.Metadata(), grpc.aio.Metadata(*trailers), details=message
    )
