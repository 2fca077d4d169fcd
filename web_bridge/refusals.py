"""The bridge's own refusals, with the contract's reasons."""

from __future__ import annotations

from hub.errors import InvalidArgument, ResourceExhausted, Unavailable, Unimplemented
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

_RETRY_SECONDS = 1.0


def malformed(what: str) -> InvalidArgument:
    """The request is no grpc-web message."""
    return InvalidArgument(
        reasons.ERROR_REASON_FRAME_MALFORMED, f"malformed grpc-web request: {what}"
    )


def not_binary() -> InvalidArgument:
    """A WebSocket message is text."""
    return InvalidArgument(
        reasons.ERROR_REASON_FRAME_MALFORMED,
        "a text message came; send each ClientFrame as one binary message",
    )


def bad_header(name: str, rule: str, message: str) -> InvalidArgument:
    """A header breaks a rule of gRPC's metadata."""
    return InvalidArgument(reasons.ERROR_REASON_FIELD_INVALID, message, field=name, rule=rule)


def not_offered(feature: str, message: str) -> Unimplemented:
    """The bridge does not do that."""
    return Unimplemented(reasons.ERROR_REASON_FEATURE_UNAVAILABLE, message, feature=feature)


def too_large(max_bytes: int) -> ResourceExhausted:
    """The request message is over the limit."""
    return ResourceExhausted(
        reasons.ERROR_REASON_FRAME_TOO_LARGE,
        f"the request message is over {max_bytes} bytes; send less at once",
        max_bytes=max_bytes,
    )


def too_many_streams() -> ResourceExhausted:
    """No further stream is opened."""
    return ResourceExhausted(
        reasons.ERROR_REASON_CONNECTION_LIMIT,
        "too many streams are open; try again later",
        retry_after=_RETRY_SECONDS,
    )


def draining() -> Unavailable:
    """The instance ends its streams."""
    return Unavailable(
        reasons.ERROR_REASON_DRAINING,
        "the hub is draining; connect again",
        retry_after=_RETRY_SECONDS,
    )
