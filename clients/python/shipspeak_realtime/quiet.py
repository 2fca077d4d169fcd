"""A subscription whose events nobody reads: it is there for the topic's presence alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipspeak_realtime.subscription import QUEUE_EVENTS, Subscription

if TYPE_CHECKING:
    from shipspeak.realtime.v1 import event_pb2, frame_pb2
    from shipspeak_realtime.runs import Action
    from shipspeak_realtime.stats import Stats


class QuietSubscription(Subscription):
    """Keeps its place in the topic and drops what comes."""

    def __init__(self, topic: str, stats: Stats) -> None:
        super().__init__(
            topic,
            start="latest",
            last=None,
            stats=stats,
            on_open=lambda _own: None,
            on_close=lambda _own: None,
            on_verdict=None,
            conflate=False,
            grant="",
            queue_events=QUEUE_EVENTS,
        )

    def take(self, run: event_pb2.TopicRun) -> Action:
        """Follow the run, and drop its events."""
        action = super().take(run)
        self._line.clear()
        return action

    def subscribed(self, answer: frame_pb2.Subscribed) -> None:
        """Follow the answer; its verdict is told to nobody."""
        super().subscribed(answer)
        self._line.clear()
