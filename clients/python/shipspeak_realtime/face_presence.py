"""The part of a client that speaks about who is in a topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import realtime_service_pb2
from shipspeak_realtime.parts import HasParts
from shipspeak_realtime.presence import PresenceReader, members_of_page
from shipspeak_realtime.present import say_presence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shipspeak_realtime.clock import Clock
    from shipspeak_realtime.presence import Members, PresenceState


class PresenceFace(HasParts):
    """Watch, say and read presence."""

    _clock: Clock

    def presence(self, topic: str) -> PresenceReader:
        """Watch who is in a topic: `async for members in hub.presence("meeting/42")`.

        It may stand beside a subscription of the same topic, and shares its session.

        Args:
            topic: kind/id[/more]; takes the rights `subscribe` and `presence`.
        """
        connection = self._open_parts().connection
        return PresenceReader(topic, connection.watch, connection.unwatch)

    async def set_presence(
        self,
        topic: str,
        state: PresenceState = "online",
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Say what others see of this client in a topic, now and after every reconnect.

        Without a session it is said when one opens. What comes faster than the hub takes it waits,
        and the latest is said. "offline", and the client's `close`, leave.

        Args:
            topic: kind/id[/more]; takes the right `presence`.
            state: "online", "active", "away" or "offline".
            metadata: facts for display; at most 8, of 256 characters.

        Raises:
            ValueError: for another state; nothing is said.
            RealtimeError: the hub's refusal, typed.
        """
        parts = self._open_parts()
        await say_presence(parts.connection, parts.calls, topic, state, metadata, self._clock)

    async def read_presence(
        self, topic: str, *, counts_only: bool = False, page: str = ""
    ) -> Members:
        """Who is in a topic at this moment, in pages of 100.

        Args:
            topic: kind/id[/more]; takes the rights `subscribe` and `presence`.
            counts_only: no members.
            page: `next_page` of the page before; empty = the first.
        """
        request = realtime_service_pb2.ReadPresenceRequest(
            topic=topic, counts_only=counts_only, page=page
        )
        answer = await self._open_parts().calls.read_presence(request)
        return members_of_page(topic, answer, counts_only=counts_only)
