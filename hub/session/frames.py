"""Serialized control frames. Everything here is small and pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf import duration_pb2, timestamp_pb2
from google.rpc import code_pb2

from shipspeak.realtime.v1 import event_pb2, frame_pb2

if TYPE_CHECKING:
    from hub.errors import HubError, ReasonValue


def timestamp(seconds: float) -> timestamp_pb2.Timestamp:
    """Seconds since the epoch as a Timestamp of millisecond precision."""
    return timestamp_ms(round(seconds * 1000))


def timestamp_ms(milliseconds: int) -> timestamp_pb2.Timestamp:
    """Milliseconds since the epoch as a Timestamp."""
    return timestamp_pb2.Timestamp(
        seconds=milliseconds // 1000, nanos=milliseconds % 1000 * 1_000_000
    )


def duration(seconds: float) -> duration_pb2.Duration:
    """Seconds as a Duration of millisecond precision."""
    milliseconds = round(seconds * 1000)
    return duration_pb2.Duration(
        seconds=milliseconds // 1000, nanos=milliseconds % 1000 * 1_000_000
    )


def error_message(error: HubError, *, request_id: int = 0, topic: str = "") -> event_pb2.Error:
    """A typed refusal as the contract's Error."""
    message = event_pb2.Error(
        request_id=request_id,
        topic=topic or error.topic,
        code=code_pb2.Code.ValueType(error.code),
        reason=error.reason,
        message=error.message,
        metadata=error.metadata,
    )
    if error.retry_after is not None:
        message.retry_after.CopyFrom(duration(error.retry_after))
    return message


def error_frame(error: HubError, *, request_id: int = 0, topic: str = "") -> bytes:
    """ServerFrame{error}."""
    return frame_pb2.ServerFrame(
        error=error_message(error, request_id=request_id, topic=topic)
    ).SerializeToString()


def go_away_frame(
    reason: ReasonValue, action: frame_pb2.GoAwayAction.ValueType, within: float
) -> bytes:
    """ServerFrame{go_away}; ``within`` in seconds."""
    go_away = frame_pb2.GoAway(reason=reason, action=action, within=duration(within))
    return frame_pb2.ServerFrame(go_away=go_away).SerializeToString()


def heartbeat_frame(now_ms: int, complete_as_of_ms: int | None) -> bytes:
    """ServerFrame{heartbeat}; ``complete_as_of_ms`` is None while the session lags."""
    heartbeat = frame_pb2.Heartbeat(server_time=timestamp_ms(now_ms))
    if complete_as_of_ms is not None:
        heartbeat.complete_as_of.CopyFrom(timestamp_ms(complete_as_of_ms))
    return frame_pb2.ServerFrame(heartbeat=heartbeat).SerializeToString()


def unsubscribed_frame(topic: str, *, request_id: int = 0, error: HubError | None = None) -> bytes:
    """ServerFrame{unsubscribed}."""
    unsubscribed = frame_pb2.Unsubscribed(request_id=request_id, topic=topic)
    if error is not None:
        unsubscribed.error.CopyFrom(error_message(error, topic=topic))
    return frame_pb2.ServerFrame(unsubscribed=unsubscribed).SerializeToString()


def pong_frame(nonce: int, now_ms: int) -> bytes:
    """ServerFrame{pong}."""
    return frame_pb2.ServerFrame(
        pong=frame_pb2.Pong(nonce=nonce, server_time=timestamp_ms(now_ms))
    ).SerializeToString()
