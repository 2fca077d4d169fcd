"""What stands in the file of a durable outbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shipspeak.realtime.v1 import event_pb2


@dataclass(frozen=True, slots=True)
class NewRow:
    """A draft to be kept.

    Attributes:
        id: idempotency key; an id that waits already is kept once.
        topic: where it goes.
        body: the serialized Draft, without a ttl.
        queued_at: wall-clock seconds.
        expires_at: wall-clock seconds after which nobody wants it; None = no end.
    """

    id: str
    topic: str
    body: bytes
    queued_at: float
    expires_at: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """A draft that waits.

    Attributes:
        seq: its place; rising in the order in which drafts were kept, over all processes.
        id: idempotency key.
        topic: where it goes.
        body: the serialized Draft.
        expires_at: wall-clock seconds; None = no end.
        first_sent_at: wall-clock seconds of the first try that may have been made; None = none was.
    """

    seq: int
    id: str
    topic: str
    body: bytes
    expires_at: float | None
    first_sent_at: float | None


@dataclass(frozen=True, slots=True)
class OutboxState:
    """How full an outbox is.

    Attributes:
        waiting: drafts that are not stored at the hub yet.
        bytes: serialized, of all drafts in the file.
        refused: drafts that the hub refused for good; they stay until retried or discarded.
        oldest_at: wall-clock seconds since when the oldest one waits; None = none does.
    """

    waiting: int
    bytes: int
    refused: int
    oldest_at: float | None


@dataclass(frozen=True, slots=True)
class RefusedDraft:
    """A draft that the hub refused.

    Attributes:
        draft: as it was published.
        why: the hub's reason and words.
        refused_at: wall-clock seconds.
    """

    draft: event_pb2.Draft
    why: str
    refused_at: float
