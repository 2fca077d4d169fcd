"""Receipts: what a user, or a publisher, says about an event that lies in the same topic."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import event_pb2, notification_pb2

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

READ = notification_pb2.RECEIPT_STATE_READ
DISMISSED = notification_pb2.RECEIPT_STATE_DISMISSED
WITHDRAWN = notification_pb2.RECEIPT_STATE_WITHDRAWN
STATES = (READ, DISMISSED, WITHDRAWN)
"""In the order in which a state moves; it never goes back."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One statement about one event.

    Attributes:
        topic: where the event lies.
        event_id: the event's id.
        state: the new one, of STATES.
        publisher: who says so.
        body: the receipt as a serialized Event without its offset.
        only_own: the event must be the publisher's own.
    """

    topic: str
    event_id: str
    state: notification_pb2.ReceiptState.ValueType
    publisher: str
    body: bytes
    only_own: bool = False


def receipt_id(event_id: str, state: notification_pb2.ReceiptState.ValueType) -> str:
    """The id of the receipt with that state: always the same, and none that a draft can have.

    Hashed, since an id is bounded and the event's own may use all of it.
    """
    return f"~{state}.{hashlib.blake2b(event_id.encode(), digest_size=16).hexdigest()}"


def receipt_body(
    event_id: str,
    state: notification_pb2.ReceiptState.ValueType,
    *,
    publisher: str,
    device: str,
    published_at: Timestamp,
) -> bytes:
    """A receipt as a serialized Event without its offset."""
    event = event_pb2.Event(
        id=receipt_id(event_id, state),
        published_at=published_at,
        publisher=publisher,
        publisher_device=device,
    )
    event.content.receipt.event_id = event_id
    event.content.receipt.state = state
    event.content.receipt.device_id = device
    return event.SerializeToString()
