"""Refusals on the wire become typed exceptions: one table for frames, results and status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from shipspeak.realtime.v1 import error_reason_pb2, event_pb2
from shipspeak_realtime import errors

if TYPE_CHECKING:
    from collections.abc import Iterable

_PREFIX = "ERROR_REASON_"
_DETAILS_KEY = "grpc-status-details-bin"
_NANO = 1e9

_BY_NUMBER: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}

_CLASSES: dict[grpc.StatusCode, type[errors.RealtimeError]] = {
    grpc.StatusCode.UNAVAILABLE: errors.NetworkError,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.DeadlineError,
    grpc.StatusCode.UNAUTHENTICATED: errors.AuthError,
    grpc.StatusCode.PERMISSION_DENIED: errors.PermissionDeniedError,
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidRequestError,
    grpc.StatusCode.NOT_FOUND: errors.InvalidRequestError,
    grpc.StatusCode.ALREADY_EXISTS: errors.InvalidRequestError,
    grpc.StatusCode.FAILED_PRECONDITION: errors.InvalidRequestError,
    grpc.StatusCode.OUT_OF_RANGE: errors.InvalidRequestError,
    grpc.StatusCode.UNIMPLEMENTED: errors.UnsupportedError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.ServerBusyError,
    grpc.StatusCode.ABORTED: errors.ServerBusyError,
    grpc.StatusCode.INTERNAL: errors.ServerError,
    grpc.StatusCode.DATA_LOSS: errors.ServerError,
    # Transports answer CANCELLED and UNKNOWN when a proxy or a dying process cuts a call.
    grpc.StatusCode.CANCELLED: errors.NetworkError,
    grpc.StatusCode.UNKNOWN: errors.NetworkError,
}
# Reasons that say more than their code.
_BY_REASON: dict[str, type[errors.RealtimeError]] = {
    "PROTOCOL_VERSION_UNSUPPORTED": errors.ProtocolError,
    "HELLO_REQUIRED": errors.ProtocolError,
    "FRAME_MALFORMED": errors.ProtocolError,
    "OVERLOADED": errors.ServerBusyError,
    "RATE_LIMITED": errors.ServerBusyError,
}


def reason_name(reason: int) -> str:
    """The reason without its prefix; a number that this SDK does not know stays a number."""
    if not reason:
        return ""
    try:
        return error_reason_pb2.ErrorReason.Name(
            error_reason_pb2.ErrorReason.ValueType(reason)
        ).removeprefix(_PREFIX)
    except ValueError:
        return f"REASON_{reason}"


def build(code: grpc.StatusCode, reason: str, message: str, **details: Any) -> errors.RealtimeError:
    """The exception for a code and a reason; `details` as in RealtimeError."""
    kind = _BY_REASON.get(reason) or _CLASSES.get(code, errors.RealtimeError)
    return kind(message or code.name, code=code, reason=reason, **details)


def from_frame(error: event_pb2.Error, *, request_id: str = "") -> errors.RealtimeError:
    """The exception for an Error frame, or for the error beside a publish result."""
    retry_after = (
        error.retry_after.seconds + error.retry_after.nanos / _NANO
        if error.HasField("retry_after")
        else None
    )
    return build(
        _BY_NUMBER.get(error.code, grpc.StatusCode.UNKNOWN),
        reason_name(error.reason),
        error.message,
        retry_after=retry_after,
        topic=error.topic,
        metadata=dict(error.metadata),
        request_id=request_id or (str(error.request_id) if error.request_id else ""),
    )


def from_rpc(error: grpc.aio.AioRpcError) -> errors.RealtimeError:
    """The exception for a failed call, with reason and retry time from its status details."""
    reason, metadata, retry_after = _details(error.trailing_metadata())
    built = build(
        error.code(),
        reason,
        error.details() or "",
        retry_after=retry_after,
        metadata=metadata,
        topic=metadata.get("topic", ""),
    )
    built.__cause__ = error
    return built


def _details(
    trailers: Iterable[tuple[str, str | bytes]] | None,
) -> tuple[str, dict[str, str], float | None]:
    reason, metadata, retry_after = "", dict[str, str](), None
    for key, value in trailers or ():
        if key != _DETAILS_KEY or not isinstance(value, bytes):
            continue
        try:
            details = Status.FromString(value).details
        except DecodeError:
            continue
        info, retry = ErrorInfo(), RetryInfo()
        for detail in details:
            if detail.Unpack(info):
                reason, metadata = info.reason, dict(info.metadata)
            elif detail.Unpack(retry):
                retry_after = retry.retry_delay.seconds + retry.retry_delay.nanos / _NANO
    return reason, metadata, retry_after
