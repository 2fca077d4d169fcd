"""The one table from the hub's errors to wire statuses.

They are google.rpc.Status with ErrorInfo and RetryInfo.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import grpc
import structlog
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from hub.errors import HubError, Internal
from hub.session.frames import duration
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from hub.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)

DOMAIN = "shipspeak.realtime"
DETAILS_KEY = "grpc-status-details-bin"

# gRPC's own enum by canonical number.
STATUS_CODES: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


def rich_status(error: HubError) -> status_pb2.Status:
    """A refusal as google.rpc.Status with ErrorInfo, and RetryInfo where a retry may succeed."""
    info = error_details_pb2.ErrorInfo(
        reason=error.reason_name, domain=DOMAIN, metadata=error.metadata
    )
    if error.topic:
        info.metadata["topic"] = error.topic
    status = status_pb2.Status(code=error.code, message=error.message)
    details = any_pb2.Any()
    details.Pack(info)
    status.details.append(details)
    if error.retry_after is not None:
        retry = any_pb2.Any()
        retry.Pack(error_details_pb2.RetryInfo(retry_delay=duration(error.retry_after)))
        status.details.append(retry)
    return status


def trailers_of(error: HubError) -> tuple[int, str, bytes]:
    """(grpc-status, grpc-message, grpc-status-details-bin) of a refusal."""
    return error.code, error.message, rich_status(error).SerializeToString()


# Canonical codes as HTTP statuses (google/rpc/code.proto, "HTTP Mapping").
_HTTP_STATUSES: dict[int, int] = {
    code_pb2.INVALID_ARGUMENT: 400,
    code_pb2.UNAUTHENTICATED: 401,
    code_pb2.PERMISSION_DENIED: 403,
    code_pb2.NOT_FOUND: 404,
    code_pb2.ALREADY_EXISTS: 409,
    code_pb2.FAILED_PRECONDITION: 400,
    code_pb2.ABORTED: 409,
    code_pb2.OUT_OF_RANGE: 400,
    code_pb2.RESOURCE_EXHAUSTED: 429,
    code_pb2.UNAVAILABLE: 503,
    code_pb2.UNIMPLEMENTED: 501,
    code_pb2.INTERNAL: 500,
}


def http_status(error: HubError) -> int:
    """The HTTP status of a refusal."""
    return _HTTP_STATUSES[error.code]


def refusal_of(failure: BaseException, doing: str, metrics: Metrics) -> HubError:
    """The error to answer with, as from `hub_error_of`, counted by its reason."""
    error = hub_error_of(failure, doing)
    metrics.refused.labels(error.reason_name).inc()
    return error


def hub_error_of(error: BaseException, doing: str) -> HubError:
    """The error to answer with: the error itself, or INTERNAL for an unknown failure.

    An unknown failure is logged here, and its details stay there: they may hold what the caller
    must not see.
    """
    if isinstance(error, HubError):
        return error
    log.error("unexpected_failure", doing=doing, exc_info=error)
    return Internal(
        reasons.ERROR_REASON_INTERNAL,
        "the hub failed and has logged why; try again",
        retry_after=1.0,
    )


async def abort(context: grpc.aio.ServicerContext[bytes, bytes], error: HubError) -> NoReturn:
    """End a call with a refusal."""
    code, message, details = trailers_of(error)
    await context.abort(STATUS_CODES[code], message, ((DETAILS_KEY, details),))
