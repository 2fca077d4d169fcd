"""Receipts: what a user, or a publisher, says about an event.

A receipt lies in the topic of its event; what one user says about an event that is for many lies in
that user's own topic, and counts for that user alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from shipspeak.realtime.v1 import event_pb2, notification_pb2

READ = notification_pb2.RECEIPT_STATE_READ
DISMISSED = notification_pb2.RECEIPT_STATE_DISMISSED
WITHDRAWN = notification_pb2.RECEIPT_STATE_WITHDRAWN
STATES = (READ, DISMISSED, WITHDRAWN)
"""In the order in which a state moves; it never goes back."""

# No draft's id has this character, and it stands behind all that one may have: ids from here on
# are those of receipts, and from the second on those of receipts about events of other topics. The
# SQL of engines knows it, too.
FIRST_RECEIPT: Final = "~"
FIRST_ELSEWHERE: Final = "~~"


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
        said_in: where the receipt is to lie; empty = beside the event.
    """

    topic: str
    event_id: str
    state: notification_pb2.ReceiptState.ValueType
    publisher: str
    device: str = ""
    offset: int = 0
    event_publisher: str = ""
    said_in: str = ""

    @property
    def home(self) -> str:
        """The topic of the receipt."""
        return self.said_in or self.topic

    @property
    def elsewhere(self) -> bool:
        """Whether the event lies in another topic than the receipt."""
        return self.home != self.topic

    def means(self, offset: int, publisher: str) -> bool:
        """Whether it is about the event with its id that stands there."""
        return self.offset in {0, offset} and self.event_publisher in {"", publisher}


def receipt_id(
    event_id: str,
    offset: int,
    state: notification_pb2.ReceiptState.ValueType,
    topic: str = "",
) -> str:
    """The id of the receipt with that state: always the same, and none that a draft can have.

    The event's id is hashed, since ids are bounded and it may use all of that; with it ``topic``,
    the event's where it is not the receipt's.
    """
    about = f"{topic} {event_id}" if topic else event_id
    digest = hashlib.blake2b(about.encode(), digest_size=16).hexdigest()
    return f"{FIRST_ELSEWHERE if topic else FIRST_RECEIPT}{state}.{offset}.{digest}"


def is_receipt(event_id: str) -> bool:
    """Whether an event of this id is a receipt."""
    return event_id >= FIRST_RECEIPT


def is_receipt_elsewhere(event_id: str) -> bool:
    """Whether an event of this id is a receipt about an event of another topic."""
    return event_id >= FIRST_ELSEWHERE


def receipt_body(mark: Mark, offset: int, now_ms: int) -> bytes:
    """A receipt about the event at ``offset``, as a serialized Event without its own offset."""
    topic = mark.topic if mark.elsewhere else ""
    event = event_pb2.Event(
        id=receipt_id(mark.event_id, offset, mark.state, topic),
        publisher=mark.publisher,
        publisher_device=mark.device,
    )
    event.published_at.FromMilliseconds(now_ms)
    event.content.receipt.event_id = mark.event_id
    event.content.receipt.offset = offset
    event.content.receipt.state = mark.state
    event.content.receipt.device_id = mark.device
    event.content.receipt.topic = topic
    return event.SerializeToString()
