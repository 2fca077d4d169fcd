"""Writes down what one reader is given, and tells when it has come far enough."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from tests.guarantees.history import Claim, Delivery, Reconnect, Subscriber
from tests.guarantees.recording import RecordingReceiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from shipspeak_realtime import Event


class Recorder:
    """The pen of one subscriber.

    Args:
        name: of the reader.
        topics: that it reads.
        clock: seconds.
        from_latest: it began at the end of each topic; else at the oldest event.

    Attributes:
        transport: by which frames come now.
        receivers: where it stands in each topic.
    """

    def __init__(
        self,
        name: str,
        topics: Sequence[str],
        clock: Callable[[], float] = time.monotonic,
        *,
        from_latest: bool = False,
    ) -> None:
        self.subscriber = Subscriber(name)
        for topic in topics:
            self.subscriber.started[topic] = None if from_latest else 0
        self.transport = "connect"
        self.receivers = {
            topic: RecordingReceiver(
                self.subscriber, lambda: self.transport, clock, on_moved=self._on_moved
            )
            for topic in topics
        }
        self._clock = clock
        self._handed: dict[str, list[str]] = {topic: [] for topic in topics}
        self._moved = asyncio.Event()
        self._lost_at: float | None = None
        self._on_next: Callable[[], None] | None = None

    def handed_over(self, event: Event) -> None:
        """The SDK gave an event to the application, after the receiver had taken it."""
        self._handed[event.topic].append(event.id)

    def misgiven(self) -> list[str]:
        """Topics in which the application got other events, or another order, than was taken."""
        taken: dict[str, list[str]] = {topic: [] for topic in self._handed}
        for word in self.subscriber.words:
            if isinstance(word, Delivery):
                taken[word.topic].append(word.id)
        return [topic for topic, ids in self._handed.items() if ids != taken[topic]]

    def claimed(self, topics: Iterable[str], as_of_ms: int) -> None:
        """The hub said that its stream of these topics is complete up to that time."""
        reached = {}
        for topic in topics:
            place = self.receivers[topic].place
            if place is not None:
                reached[topic] = (place.epoch, place.offset)
        self.subscriber.claims.append(Claim(as_of_ms, reached))

    def on_next(self, call: Callable[[], None] | None) -> None:
        """Call this once, when the next run comes; None takes it back."""
        self._on_next = call

    def lost(self) -> None:
        """The connection broke."""
        if self._lost_at is None:
            self._lost_at = self._clock()

    def back(self) -> None:
        """A connection stands again."""
        if self._lost_at is not None:
            self.subscriber.reconnects.append(Reconnect(self._lost_at, self._clock()))
            self._lost_at = None

    def behind(self, heads: Mapping[str, tuple[int, int]]) -> list[str]:
        """Topics in which the reader has not come to these heads yet."""
        late = []
        for topic in heads.keys() & self.receivers.keys():
            (epoch, head), place = heads[topic], self.receivers[topic].place
            if place is None or place.epoch != epoch or place.offset < head:
                late.append(topic)
        return late

    async def reach(self, heads: Mapping[str, tuple[int, int]]) -> None:
        """Return when the reader has come to these heads: epoch and offset."""
        while self.behind(heads):
            self._moved.clear()
            await self._moved.wait()

    def _on_moved(self, *, by_run: bool) -> None:
        self._moved.set()
        if by_run:
            call, self._on_next = self._on_next, None
            if call is not None:
                call()
