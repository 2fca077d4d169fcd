"""What the application gets: a typed view of one delivered event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from google.protobuf.any_pb2 import Any as AnyMessage

from shipspeak.realtime.v1 import (
    event_pb2,
    meeting_pb2,
    metrics_pb2,
    notification_pb2,
    practice_pb2,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.timestamp_pb2 import Timestamp

    from shipspeak_realtime.cursor import Cursor

Payload: TypeAlias = (
    meeting_pb2.MeetingUpdate
    | practice_pb2.PracticeUpdate
    | notification_pb2.Notification
    | notification_pb2.ReceiptUpdate
    | metrics_pb2.MetricsUpdate
    | AnyMessage
)


@dataclass(frozen=True, slots=True)
class Event:
    """One event of one topic.

    Attributes:
        topic: where it was published.
        message: the event as it came, a `shipspeak.realtime.v1.Event`.
        cursor: resume after this event; None in volatile topics.
    """

    topic: str
    message: event_pb2.Event
    cursor: Cursor | None

    @property
    def id(self) -> str:
        """The publisher's idempotency key."""
        return self.message.id

    @property
    def offset(self) -> int:
        """Place in the topic's log, strictly rising; 0 in volatile topics."""
        return self.message.offset

    @property
    def content(self) -> event_pb2.Content:
        """All that the publisher wrote."""
        return self.message.content

    @property
    def payload(self) -> Payload | None:
        """The set member of the payload; None for a kind that this SDK does not know: skip it."""
        name = self.message.content.WhichOneof("payload")
        return None if name is None else getattr(self.message.content, name)

    @property
    def kind(self) -> str:
        """Name of the set payload member ("meeting", "other", ...); empty for an unknown kind."""
        return self.message.content.WhichOneof("payload") or ""

    @property
    def receipt(self) -> notification_pb2.ReceiptUpdate | None:
        """What is said about an earlier event: READ, DISMISSED or WITHDRAWN.

        Its `topic` is that of the event; empty = this one. None for an event that is no receipt.
        """
        content = self.message.content
        return content.receipt if content.HasField("receipt") else None

    @property
    def key(self) -> str:
        """Conflation key; empty = never conflated."""
        return self.message.content.key

    @property
    def priority(self) -> event_pb2.Priority.ValueType:
        """Lane of delivery."""
        return self.message.content.priority or event_pb2.PRIORITY_NORMAL

    @property
    def attributes(self) -> Mapping[str, str]:
        """Free attributes of the publisher."""
        return self.message.content.attributes

    @property
    def traceparent(self) -> str:
        """W3C trace context of the publisher; empty = not traced."""
        return self.message.content.traceparent

    @property
    def published_at(self) -> datetime:
        """When the hub accepted it, by the hub's clock, UTC."""
        return _utc(self.message.published_at)

    @property
    def expires_at(self) -> datetime | None:
        """After this time it is not delivered any more; None = never expires."""
        return _utc(self.message.expires_at) if self.message.HasField("expires_at") else None

    @property
    def publisher(self) -> str:
        """The authenticated publisher (the token's subject)."""
        return self.message.publisher

    @property
    def publisher_device(self) -> str:
        """The publisher's device; may be empty."""
        return self.message.publisher_device


def _utc(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(tzinfo=UTC)
