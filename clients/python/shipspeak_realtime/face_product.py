"""The part of a client that speaks the product's words: practice, figures, news, progress."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from shipspeak_realtime.analytics import AnalyticsStream
from shipspeak_realtime.notifications import NotificationPublisher
from shipspeak_realtime.practice import PracticePublisher
from shipspeak_realtime.user_progress import UserProgress, publish_progress

if TYPE_CHECKING:
    from shipspeak_realtime.client import RealtimeClient
    from shipspeak_realtime.clock import Clock
    from shipspeak_realtime.receipts import Receipt


class ProductFace:
    """Typed publishers beside `RealtimeClient.meeting`."""

    _clock: Clock

    def practice(self, session_id: str) -> PracticePublisher:
        """A publisher of one practice session's feedback, on topic practice/<session_id>.

        ::

            async with hub.practice("7") as practice:
                await practice.hint("pace", "Slow down a little.")
                practice.score(71, {"clarity": 80})
                await practice.finish(elapsed=300)
        """
        return PracticePublisher(self._client, session_id, clock=self._clock)

    def analytics(self, topic: str, *, key: str = "figures") -> AnalyticsStream:
        """A publisher of named figures on a topic.

        ::

            async with hub.analytics("practice/7") as figures:
                figures.set("pace", 142, unit="words/min", window=10)
                figures.add("fillers", window=60)

        Args:
            topic: kind/id[/more] that takes figures: of a meeting, a practice session, a user, the
                system or the public.
            key: tells several sets of figures on one topic apart.
        """
        return AnalyticsStream(self._client, topic, key, clock=self._clock)

    @property
    def notifications(self) -> NotificationPublisher:
        """A publisher of notifications: `await hub.notifications.feature("Themes are here")`."""
        return NotificationPublisher(self._client, self._clock)

    async def publish_user_progress(self, user: str, progress: UserProgress) -> Receipt:
        """Tell a user's progress, whole, on topic user/<user>/progress.

        Whoever reads that topic with `last=1` has it at once, and then every change.
        """
        return await publish_progress(self._client, user, progress)

    @property
    def _client(self) -> RealtimeClient:
        # A face is always a client's.
        return cast("RealtimeClient", self)
