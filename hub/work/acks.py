"""Acknowledgements of deliveries: what each verb asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hub.engine.work import Ruling, Settlement
from hub.errors import Internal, InvalidArgument, NotFound
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2

if TYPE_CHECKING:
    from hub.work.items import Lease

MAX_LEASE_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Ack:
    """One acknowledgement of a delivery; ``delay`` in seconds."""

    delivery_id: str
    verb: frame_pb2.Verb.ValueType
    delay: float = 0.0


def ruling_of(ack: Ack, lease: Lease, now: float) -> Settlement | None:
    """What an acknowledgement asks for; None = more time, which needs no writing.

    Raises:
        InvalidArgument: FIELD_INVALID: it is no verb for a delivery, or too long a time.
    """
    ref = lease.item.ref
    if ack.verb == frame_pb2.VERB_ACK:
        return Settlement(ref, Ruling.DONE)
    if ack.verb == frame_pb2.VERB_NACK:
        return Settlement(ref, Ruling.BACK, int((now + ack.delay) * 1000))
    if ack.verb == frame_pb2.VERB_REJECT:
        reason = reasons.ERROR_REASON_REJECTED_BY_MEMBER
        return Settlement(ref, Ruling.DEAD, reason=reason)
    if ack.verb == frame_pb2.VERB_EXTEND:
        if ack.delay > MAX_LEASE_SECONDS:
            raise InvalidArgument(
                reasons.ERROR_REASON_FIELD_INVALID,
                f"a lease runs on by {MAX_LEASE_SECONDS:.0f} s at most; extend it again in time",
                field="delay",
            )
        return None
    raise InvalidArgument(
        reasons.ERROR_REASON_FIELD_INVALID,
        "a delivery takes ACK, NACK, EXTEND and REJECT; READ and DISMISS are for inbox events",
        field="verb",
    )


def fault() -> Internal:
    """The hub itself failed."""
    return Internal(
        reasons.ERROR_REASON_INTERNAL,
        "the hub failed and has logged why; acknowledge again",
        retry_after=1.0,
    )


def trimmed() -> NotFound:
    """It came too late for an event that is a dead letter by now."""
    return NotFound(
        reasons.ERROR_REASON_RETENTION,
        "retention has trimmed the event before this acknowledgement; it is a dead letter",
    )
