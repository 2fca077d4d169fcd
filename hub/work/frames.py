"""Serialized frames of work subscriptions; an event's bytes are taken over as they were stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hub.model.wire import delimited
from hub.session.frames import error_message, timestamp
from shipspeak.realtime.v1 import frame_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hub.errors import HubError
    from hub.work.items import Handover

# A CRITICAL event waits behind one of them at most (G8).
MAX_FRAME_BYTES: Final = 64 * 1024

_EVENT_TAG: Final = 0x32  # Delivery.event = 6
_DELIVERY_TAG: Final = 0x0A  # Deliveries.deliveries = 1
_DELIVERIES_TAG: Final = 0x3A  # ServerFrame.deliveries = 7


def delivery_frames(
    work: str, deliveries: Iterable[Handover]
) -> Iterator[tuple[bytes, list[Handover]]]:
    """ServerFrames{deliveries} of about MAX_FRAME_BYTES at most, or of one event.

    Each comes with its deliveries.
    """
    parts: list[bytes] = []
    inside: list[Handover] = []
    size = 0
    for handover in deliveries:
        head = frame_pb2.Delivery(
            work=work,
            delivery_id=handover.delivery_id,
            topic=handover.topic,
            attempt=handover.attempt,
            deadline=timestamp(handover.deadline),
        )
        delivery = head.SerializeToString() + delimited(_EVENT_TAG, handover.data)
        if parts and size + len(delivery) > MAX_FRAME_BYTES:
            yield delimited(_DELIVERIES_TAG, b"".join(parts)), inside
            parts, inside, size = [], [], 0
        parts.append(delimited(_DELIVERY_TAG, delivery))
        inside.append(handover)
        size += len(delivery)
    if parts:
        yield delimited(_DELIVERIES_TAG, b"".join(parts)), inside


def work_opened_frame(name: str, members: int, request_id: int) -> bytes:
    """ServerFrame{work_opened}."""
    opened = frame_pb2.WorkOpened(request_id=request_id, name=name, members=members)
    return frame_pb2.ServerFrame(work_opened=opened).SerializeToString()


def work_closed_frame(name: str, *, request_id: int = 0, error: HubError | None = None) -> bytes:
    """ServerFrame{work_closed}; with an error when the hub ends the membership."""
    closed = frame_pb2.WorkClosed(request_id=request_id, name=name)
    if error is not None:
        closed.error.CopyFrom(error_message(error))
    return frame_pb2.ServerFrame(work_closed=closed).SerializeToString()
