"""The part of a client that reads pages by unary calls: history and polls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2
from shipspeak_realtime.contents import duration
from shipspeak_realtime.pages import answer_of_poll, page_of_history
from shipspeak_realtime.parts import HasParts
from shipspeak_realtime.session import PROTOCOL_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from shipspeak_realtime.cursor import Cursor
    from shipspeak_realtime.pages import Page, PollAnswer


class PagesFace(HasParts):
    """Read without a subscription."""

    async def read_history(
        self,
        topic: str,
        *,
        after: Cursor | None = None,
        limit: int = 0,
        max_bytes: int = 0,
        reverse: bool = False,
        latest_per_key: bool = False,
    ) -> Page:
        """One page of a topic's log; pass its `next` as `after` for as long as it says `more`.

        Args:
            topic: kind/id[/more].
            after: read after this place (`reverse`: before it); None = from the oldest (newest).
            limit: events at most; 0 = 100.
            max_bytes: bytes at most; 0 = 262144.
            reverse: newest first.
            latest_per_key: only the latest event of each key.
        """
        request = realtime_service_pb2.ReadHistoryRequest(
            topic=topic,
            limit=limit,
            max_bytes=max_bytes,
            reverse=reverse,
            latest_per_key=latest_per_key,
            position=None if after is None else after.position(),
        )
        return page_of_history(request, await self._open_parts().calls.read_history(request))

    async def poll(
        self,
        subscriptions: Iterable[frame_pb2.Subscribe],
        *,
        wait: timedelta | float = 0.0,
        max_events: int = 0,
        max_bytes: int = 0,
    ) -> PollAnswer:
        """One Poll: what lies after the given positions, at once or within `wait`.

        Args:
            subscriptions: topics and positions, as the contract has them; for a position give
                `page.next.position()`.
            wait: seconds or a timedelta, at most 30 s.
            max_events: of one answer; 0 = 500.
            max_bytes: of one answer; 0 = 262144.
        """
        identity, asked = self._identity, tuple(subscriptions)
        request = realtime_service_pb2.PollRequest(
            hello=frame_pb2.Hello(
                protocol_version=PROTOCOL_VERSION,
                client_id=identity.client_id,
                device_id=identity.device_id,
                sdk=identity.sdk,
            ),
            subscriptions=asked,
            wait=duration(wait),
            max_events=max_events,
            max_bytes=max_bytes,
        )
        return answer_of_poll(asked, await self._open_parts().calls.poll(request))
