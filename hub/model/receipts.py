"""Receipts: what a user, or a publisher, says about an event that lies in the same topic."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from shipspeak.realtime.v1 import event_pb2, notification_pb2

READ = notification_pb2.RECEIPT_STATE_READ
DISMISSED = notification_pb2.RECEIPT_STATE_DISMISSED
WITHDRAWN = notification_pb2.RECEIPT_STATE_WITHDRAWN
STATES = (READ, DISMISSED, WITHDRAWN)
"""In the order in which a state moves; it never goes back."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One statement about an event, or about several with the same id.

    Attributes:
        topic: where the event lies.
        event_id: the event's id; unique per publisher only.
        state: the new one, of STATES.
        publisher: who says so.
        device: of whom says so; empty = not known.
        offset: the event's; 0 = whatever has the id.
        event_publisher: the event's; empty = whoever.
    """

    topic: str
    event_id: str
    state: notification_pb2.ReceiptState.ValueType
    publisher: str
    device: str = ""
    offset: int = 0
    event_publisher: str = ""

    def means(self, offset: int, publisher: str) -> bool:
        """Whether it is about the event with its id that stands there."""
        return self.offset in {0, offset} and self.event_publisher in {"", publisher}


def receipt_id(event_id: str, offset: int, state: notification_pb2.ReceiptState.ValueType) -> str:
    """The id of the receipt with that state: always the same, and none that a draft can have.

    The event's id is hashed, since ids are bounded and it may use all of that.
    """
    digest = hashlib.blake2b(event_id.encode(), digest_size=16).hexdigest()
    return f"~{state}.{offset}.{digest}"


def receipt_body(mark: Mark, offset: int, now_ms: int) -> bytes:
    """A receipt about the event at ``offset``, as a serialized Event without its own offset."""
    event = event_pb2.Event(
        id=receipt_id(mark.event_id, offset, mark.state),
        publisher=mark.publisher,
        publisher_device=mark.device,
    )
    event.published_at.FromMilliseconds(now_ms)
    event.content.receipt.event_id = mark.event_id
    event.content.receipt.offset = offset
    event.content.receipt.state = mark.state
    event.content.receipt.device_id = mark.device
    return event.SerializeToString()
