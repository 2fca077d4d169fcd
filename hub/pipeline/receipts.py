"""Receipts: READ and DISMISS by a user, WITHDRAW by the event's publisher.

What a user says of events in the user's own topic lies beside them; what is said of those that are
for many lies in the user's own topic, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hub.engine.inbox import Noted
from hub.errors import (
    FailedPrecondition,
    HubError,
    InvalidArgument,
    PermissionDenied,
    event_unknown,
)
from hub.model.receipts import DISMISSED, READ, WITHDRAWN, Mark
from hub.topics.grammar import is_segment
from hub.topics.namespaces import PERSONAL
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.auth.grants import Principal
    from hub.engine.inbox import Inbox
    from hub.topics.namespaces import Namespace, Namespaces

_STATES: Final = {
    frame_pb2.VERB_READ: READ,
    frame_pb2.VERB_DISMISS: DISMISSED,
    frame_pb2.VERB_WITHDRAW: WITHDRAWN,
}


class ReceiptDesk:
    """Takes acknowledgements of events.

    Args:
        inbox: of the engine.
        namespaces: policies.
    """

    def __init__(self, inbox: Inbox, namespaces: Namespaces) -> None:
        self._inbox = inbox
        self._namespaces = namespaces

    async def acknowledge(
        self, acks: Sequence[frame_pb2.Acknowledgement], principal: Principal, device: str
    ) -> list[HubError | bool]:
        """Carry out validated acknowledgements of events, after commit.

        A refusal each, or whether the receipt that holds is the caller's (``Noted.first``).

        Args:
            acks: all with the target ``event``.
            principal: who says so.
            device: the caller's; empty = not known.
        """
        answers: list[HubError | bool] = [False] * len(acks)
        marks: list[Mark] = []
        places: list[int] = []
        for index, ack in enumerate(acks):
            try:
                marks.append(self._mark(ack, principal, device))
            except HubError as error:
                answers[index] = error
            else:
                places.append(index)
        if marks:
            results = await self._inbox.mark(marks)
            for index, result in zip(places, results, strict=True):
                if isinstance(result, HubError):
                    answers[index] = result
                else:
                    answers[index] = isinstance(result, Noted) and result.first
        return answers

    def _mark(self, ack: frame_pb2.Acknowledgement, principal: Principal, device: str) -> Mark:
        topic = ack.event.topic
        state = _STATES.get(ack.verb)
        if state is None:
            raise InvalidArgument(
                reasons.ERROR_REASON_FIELD_INVALID,
                "an event is READ, DISMISSed or WITHDRAWn; the other verbs are for deliveries",
                topic=topic,
                field="verb",
            )
        namespace = self._namespaces.of(topic)
        if not namespace.topic_class.durable:
            raise FailedPrecondition(
                reasons.ERROR_REASON_START_UNAVAILABLE,
                "a volatile topic keeps no events, nor what is said about them",
                topic=topic,
            )
        home = ""
        if state == WITHDRAWN:
            principal.require("publish", topic)
            publisher = principal.subject
        elif namespace.personal:
            publisher = _owner(topic, principal)
            principal.require("subscribe", topic)
        else:
            publisher = principal.subject
            home = _home(topic, namespace, principal)
            principal.require("subscribe", topic)
        named = ack.event.publisher
        if state == WITHDRAWN and not (principal.grants.admin and (ack.event.offset or named)):
            # Another's id may be the same: an administrator has to say whose is meant.
            if named not in {"", publisher}:
                raise event_unknown(topic, ack.event.event_id)
            named = publisher
        return Mark(
            topic, ack.event.event_id, state, publisher, device, ack.event.offset, named, home
        )


def _owner(topic: str, principal: Principal) -> str:
    """The user whose topic it is; the caller, unless an administrator speaks for the user.

    Raises:
        PermissionDenied: RIGHT_MISSING: another user's.
    """
    owner = topic.split("/")[1]
    if owner != principal.subject and not principal.grants.admin:
        raise PermissionDenied(
            reasons.ERROR_REASON_RIGHT_MISSING,
            f"{principal.subject or 'anonymous'} cannot read or dismiss what is {owner}'s",
            topic=topic,
            right="subscribe",
        )
    return owner


def _home(topic: str, namespace: Namespace, principal: Principal) -> str:
    """The caller's own topic, for what is said of an event that is for many.

    Raises:
        InvalidArgument: FIELD_INVALID: the event is in no topic of notifications.
        PermissionDenied: RIGHT_MISSING: the caller has no topic, or may not read it.
    """
    if "notification" not in namespace.payloads:
        raise InvalidArgument(
            reasons.ERROR_REASON_FIELD_INVALID,
            f"only notifications are read or dismissed; {namespace.name} topics carry none",
            topic=topic,
            field="event.topic",
        )
    home = f"{PERSONAL}/{principal.subject}"
    if not is_segment(principal.subject):
        raise PermissionDenied(
            reasons.ERROR_REASON_RIGHT_MISSING,
            f"{principal.subject or 'anonymous'} has no topic of its own to keep it in",
            topic=topic,
            right="subscribe",
        )
    principal.require("subscribe", home)
    return home
