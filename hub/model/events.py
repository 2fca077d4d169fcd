"""Drafts on their way into a log, and the events that a log gives back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shipspeak.realtime.v1 import event_pb2

CRITICAL = event_pb2.PRIORITY_CRITICAL
HIGH = event_pb2.PRIORITY_HIGH
NORMAL = event_pb2.PRIORITY_NORMAL
LOW = event_pb2.PRIORITY_LOW


@dataclass(frozen=True, slots=True)
class Append:
    """A validated draft, ready to be stored.

    Attributes:
        topic: the full topic name.
        event_id: the publisher's idempotency key.
        publisher: the authenticated publisher; the dedup key is (topic, publisher, event_id).
        body: the serialized ``Event`` message without its ``offset`` field. Since the order of
            fields does not matter in protobuf, body + encoded offset is a complete Event.
        priority: 1 (CRITICAL) to 4 (LOW).
        key: conflation key; empty = never conflated.
        published_ms: acceptance, milliseconds since the epoch by the hub's clock.
        expires_ms: end of usefulness, milliseconds since the epoch; 0 = never.
        expected_offset: store only if the topic's head is this; None = always.
        first_sent_ms: when the publisher first sent this id; 0 = not said, so now.
        group: appends with the same non-zero group are stored all or none (one topic).
    """

    topic: str
    event_id: str
    publisher: str
    body: bytes
    priority: int
    key: str
    published_ms: int
    expires_ms: int = 0
    expected_offset: int | None = None
    first_sent_ms: int = 0
    group: int = 0


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event of a topic's log.

    Attributes:
        offset: place in the log, > 0; 0 in volatile topics.
        prev: offset of the event before it in the same topic when it was stored; 0 = it is the
            first. Known for live events only; -1 when read back from the log.
        event_id: the publisher's id.
        data: the complete serialized ``Event`` message; empty = it was withdrawn, and only its
            place and its id are left.
        priority, key, published_ms, expires_ms: as in Append.
    """

    offset: int
    prev: int
    event_id: str
    data: bytes
    priority: int
    key: str
    published_ms: int
    expires_ms: int

    @property
    def withdrawn(self) -> bool:
        """Whether the event was taken out of the log: it is counted and not delivered."""
        return not self.data


def withdrawn(event: StoredEvent) -> StoredEvent:
    """What is left of an event that was withdrawn."""
    return replace(event, data=b"", key="")
