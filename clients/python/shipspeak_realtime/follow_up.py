"""What a client says about an event after it was published: take it back, seen, put away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2
from shipspeak_realtime.errors import RealtimeError
from shipspeak_realtime.parts import HasParts
from shipspeak_realtime.wire import from_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shipspeak_realtime.events import Event
    from shipspeak_realtime.receipts import Receipt

_MAX_ACKS = 500


class FollowUps(HasParts):
    """The part of a client that speaks about events which exist already."""

    async def cancel_scheduled(self, topic: str, id: str) -> bool:  # noqa: A002 - as in publish
        """Take back a draft of one's own that waits for its `deliver_at`.

        Returns:
            False when none waits: it was released or cancelled, or never scheduled.
        """
        request = realtime_service_pb2.CancelScheduledRequest(topic=topic, id=id)
        try:
            await self._open_parts().calls.cancel_scheduled(request)
        except RealtimeError as error:
            if error.reason != "SCHEDULE_UNKNOWN":
                raise
            return False
        return True

    async def mark_read(self, *events: Event | Receipt) -> Sequence[bool]:
        """Say that the user has seen events.

        Every device of the user gets it as an event of the user's own topic (`user/<id>`) whose
        `receipt` is set; to say it again changes nothing. Events of that topic can be marked, and
        notifications for many (`system/all`): of those it counts for this user alone.

        Returns:
            For each, whether this device was first to say it. Of an event that was published with
            `until_acknowledged` one device alone is told so, and the event is withdrawn from all.
            Without a `device_id` a repeat after a lost answer is told False.

        Raises:
            PermissionDeniedError: the topic is another user's.
            RealtimeError: EVENT_UNKNOWN: the topic keeps no such event any more.
        """
        return await self._acknowledge(frame_pb2.VERB_READ, events)

    async def dismiss(self, *events: Event | Receipt) -> Sequence[bool]:
        """Say that the user has put events away; otherwise as `mark_read`."""
        return await self._acknowledge(frame_pb2.VERB_DISMISS, events)

    async def withdraw(self, *events: Event | Receipt) -> None:
        """Take back events that this client's principal has published, on any topic with a log.

        Their content is removed; who comes later does not get it, and who had it gets an event
        whose `receipt` says WITHDRAWN.

        Raises:
            RealtimeError: EVENT_UNKNOWN: the topic keeps no such event of this publisher.
        """
        await self._acknowledge(frame_pb2.VERB_WITHDRAW, events)

    async def _acknowledge(
        self, verb: frame_pb2.Verb.ValueType, events: Sequence[Event | Receipt]
    ) -> Sequence[bool]:
        """One call for each 500; the first refusal is raised once all were tried."""
        refused: RealtimeError | None = None
        first: list[bool] = []
        for start in range(0, len(events), _MAX_ACKS):
            request = frame_pb2.AcknowledgeRequest(device_id=self._identity.device_id)
            for event in events[start : start + _MAX_ACKS]:
                ack = request.acks.add(verb=verb)
                ack.event.topic, ack.event.event_id = event.topic, event.id
                ack.event.offset = event.offset
            answer = await self._open_parts().calls.acknowledge(request)
            for result in answer.results:
                first.append(result.first)
                if result.HasField("error") and refused is None:
                    refused = from_frame(result.error)
        if refused is not None:
            raise refused
        return first
