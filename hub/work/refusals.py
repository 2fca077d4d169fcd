"""What the room refuses, and why."""

from __future__ import annotations

from hub.errors import InvalidArgument, NotFound
from shipspeak.realtime.v1 import error_reason_pb2 as reasons


def unknown_delivery() -> NotFound:
    """Of an acknowledgement that is too late, or not its sender's."""
    return NotFound(
        reasons.ERROR_REASON_DELIVERY_UNKNOWN,
        "there is no such delivery of yours: it was acknowledged, or its time has passed and the "
        "event goes to another member; drop it",
    )


def unknown_work(name: str) -> NotFound:
    """Of a subscription that is not there, or that a session takes no part in."""
    return NotFound(
        reasons.ERROR_REASON_WORK_UNKNOWN,
        f"there is no work subscription {name!r} here, or this session takes no part in it",
    )


def fixed_already(name: str, field: str, value: str) -> InvalidArgument:
    """Of a member that opens a subscription as something else than it is."""
    return InvalidArgument(
        reasons.ERROR_REASON_FIELD_INVALID,
        f"the first member of {name} has fixed {field} as {value}; use that, or another name",
        field=f"open_work.{field}",
    )
