"""Scheduled drafts: kept until they are due, and taken back by their publisher."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hub.errors import InvalidArgument, NotFound, Unimplemented
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from hub.auth.grants import Principal
    from hub.engine.schedule import Schedule
    from shipspeak.realtime.v1 import event_pb2, realtime_service_pb2

HORIZON_DAYS: Final = 365
_HORIZON_MS: Final = HORIZON_DAYS * 86_400_000


def deliver_ms(
    draft: event_pb2.Draft, now_ms: int, *, durable: bool, together: bool, offered: bool
) -> int | None:
    """When a draft is to be delivered, milliseconds since the epoch; None = now.

    Args:
        draft: validated.
        now_ms: the hub's clock.
        durable: its topic has a log.
        together: its batch is all-or-nothing.
        offered: the engine keeps a schedule.

    Raises:
        InvalidArgument: FIELD_INVALID: what is asked for together with it cannot hold.
        Unimplemented: FEATURE_UNAVAILABLE.
    """
    if not draft.HasField("deliver_at"):
        return None
    if not durable:
        raise _cannot(draft, "deliver_at", "a volatile topic keeps nothing for later")
    if together:
        raise _cannot(draft, "deliver_at", "a draft for later cannot be part of all_or_nothing")
    if draft.HasField("expected_offset"):
        raise _cannot(draft, "expected_offset", "a draft for later cannot expect an offset")
    if not offered:
        raise Unimplemented(
            reasons.ERROR_REASON_FEATURE_UNAVAILABLE,
            "this hub's engine keeps no schedule; publish the draft when it is due",
            topic=draft.topic,
            feature="deliver_at",
        )
    try:
        at_ms = draft.deliver_at.ToMilliseconds()
    except ValueError as error:
        raise _cannot(draft, "deliver_at", "it is outside the years 1 to 9999") from error
    if at_ms > now_ms + _HORIZON_MS:
        raise _cannot(draft, "deliver_at", f"it is more than {HORIZON_DAYS} days ahead")
    return at_ms if at_ms > now_ms else None


def _cannot(draft: event_pb2.Draft, field: str, why: str) -> InvalidArgument:
    return InvalidArgument(
        reasons.ERROR_REASON_FIELD_INVALID, f"{field}: {why}", topic=draft.topic, field=field
    )


class Canceller:
    """Takes scheduled drafts back.

    Args:
        schedule: of the engine.
    """

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule

    async def cancel(
        self, request: realtime_service_pb2.CancelScheduledRequest, principal: Principal
    ) -> None:
        """Take one of the caller's own drafts back.

        Raises:
            PermissionDenied: RIGHT_MISSING.
            NotFound: SCHEDULE_UNKNOWN: released, cancelled before, another publisher's, or never
                there.
        """
        principal.require("publish", request.topic)
        if not await self._schedule.cancel(request.topic, principal.subject, request.id):
            raise NotFound(
                reasons.ERROR_REASON_SCHEDULE_UNKNOWN,
                f"no draft {request.id} of yours waits in {request.topic}; "
                "it was released or cancelled, or never scheduled",
                topic=request.topic,
            )


def first_sent_ms(draft: event_pb2.Draft) -> int:
    """When the publisher first sent the draft's id, milliseconds since the epoch; 0 = not said.

    Raises:
        InvalidArgument: FIELD_INVALID: no time of the years 1 to 9999.
    """
    if not draft.HasField("first_sent_at"):
        return 0
    try:
        return draft.first_sent_at.ToMilliseconds()
    except ValueError as error:
        raise InvalidArgument(
            reasons.ERROR_REASON_FIELD_INVALID,
            "first_sent_at is outside the years 1 to 9999",
            topic=draft.topic,
            field="first_sent_at",
        ) from error
