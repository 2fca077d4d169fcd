"""From what the application publishes to the contract's Content and Draft."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from shipspeak.realtime.v1 import (
    event_pb2,
    meeting_pb2,
    metrics_pb2,
    notification_pb2,
    practice_pb2,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.message import Message

_MEMBERS: dict[type[Message], str] = {
    meeting_pb2.MeetingUpdate: "meeting",
    practice_pb2.PracticeUpdate: "practice",
    notification_pb2.Notification: "notification",
    metrics_pb2.MetricsUpdate: "metrics",
    AnyMessage: "other",
}
# An inner message may be given alone; it is put into its update with attempt 1.
_MEETING_MEMBERS: dict[type[Message], str] = {
    meeting_pb2.UploadProgress: "upload",
    meeting_pb2.StageChanged: "stage_changed",
    meeting_pb2.StageProgress: "stage_progress",
    meeting_pb2.MeetingCompleted: "completed",
    meeting_pb2.MeetingFailed: "failed",
}
_PRACTICE_MEMBERS: dict[type[Message], str] = {
    practice_pb2.CoachingHint: "hint",
    practice_pb2.PracticeScore: "score",
    practice_pb2.PracticeMilestone: "milestone",
    practice_pb2.SessionAnalytics: "analytics",
}


def make_content(
    payload: Message,
    *,
    key: str = "",
    priority: event_pb2.Priority.ValueType = event_pb2.PRIORITY_UNSPECIFIED,
    attributes: Mapping[str, str] | None = None,
    traceparent: str = "",
    until_acknowledged: bool = False,
) -> event_pb2.Content:
    """The content of a draft.

    Args:
        payload: a Content (used as it is, the other arguments are then refused); a MeetingUpdate,
            PracticeUpdate, Notification or MetricsUpdate; an inner message of the first two, such
            as UploadProgress or CoachingHint; an Any; every other message is packed into an Any.
        key: conflation key; empty = never conflated.
        priority: lane of delivery.
        attributes: at most 32 of at most 1024 bytes.
        traceparent: W3C trace context; empty = not traced.
        until_acknowledged: in a user's own topic: the first of the user's devices that marks it
            read or dismisses it withdraws it from all of them.

    Raises:
        TypeError: for a Content together with other arguments.
    """
    if isinstance(payload, event_pb2.Content):
        if key or priority or attributes or traceparent or until_acknowledged:
            message = "a whole Content carries its own key, priority and other fields"
            raise TypeError(message)
        return payload
    content = event_pb2.Content(
        priority=priority,
        key=key,
        attributes=attributes,
        traceparent=traceparent,
        until_acknowledged=until_acknowledged,
    )
    kind = type(payload)
    if (inner := _MEETING_MEMBERS.get(kind)) is not None:
        content.meeting.attempt = 1
        getattr(content.meeting, inner).CopyFrom(payload)
    elif (inner := _PRACTICE_MEMBERS.get(kind)) is not None:
        getattr(content.practice, inner).CopyFrom(payload)
    elif (member := _MEMBERS.get(kind)) is not None:
        getattr(content, member).CopyFrom(payload)
    else:
        content.other.Pack(payload)
    return content


def make_draft(
    topic: str,
    content: event_pb2.Content,
    *,
    draft_id: str = "",
    ttl: timedelta | float | None = None,
    deliver_at: datetime | None = None,
    expected_offset: int | None = None,
) -> event_pb2.Draft:
    """A draft.

    Args:
        topic: kind/id[/more].
        content: what to deliver.
        draft_id: idempotency key; empty = `RealtimeClient.publish_many` gives it a UUIDv7.
        ttl: how long it is worth delivering, seconds or a timedelta; None = no end.
        deliver_at: not before this time (with a time zone); None = now.
        expected_offset: store only if this is the topic's head; 0 = only into an empty topic;
            None = always.
    """
    draft = event_pb2.Draft(id=draft_id, topic=topic, content=content)
    if ttl is not None:
        draft.ttl.CopyFrom(duration(ttl))
    if deliver_at is not None:
        if deliver_at.tzinfo is None:
            message = "deliver_at needs a time zone"
            raise TypeError(message)
        draft.deliver_at.FromDatetime(deliver_at.astimezone(UTC))
    if expected_offset is not None:
        draft.expected_offset = expected_offset
    return draft


def duration(span: timedelta | float) -> Duration:
    """A protobuf Duration from seconds or a timedelta."""
    message = Duration()
    message.FromTimedelta(span if isinstance(span, timedelta) else timedelta(seconds=span))
    return message


def seconds(span: Duration) -> float:
    """Seconds of a protobuf Duration."""
    return span.seconds + span.nanos / 1e9


def timestamp(at: float) -> Timestamp:
    """A protobuf Timestamp from wall-clock seconds since 1970."""
    whole = int(at)
    return Timestamp(seconds=whole, nanos=int((at - whole) * 1e9))
