"""What a client says about an event after it was published: take it back, seen, put away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import realtime_service_pb2
from shipspeak_realtime.errors import RealtimeError

if TYPE_CHECKING:
    from shipspeak_realtime.parts import Parts


class FollowUps:
    """The part of a client that speaks about events which exist already."""

    _parts: Parts | None = None

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

    def _open_parts(self) -> Parts:
        if self._parts is None:
            message = "use the client inside `async with`"
            raise RuntimeError(message)
        return self._parts
