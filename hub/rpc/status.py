"""The one table from the hub's errors to wire statuses.

They are google.rpc.Status with ErrorInfo and RetryInfo.
"""

from __future__ import annotations

from typing import NoReturn

import grpc
import structlog
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from hub.errors import HubError, Internal
from hub.session.frames import duration
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

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
