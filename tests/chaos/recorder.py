"""Writes down what one reader is given, and tells when it has come far enough."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from hub.model.cursor import decode_cursor
from tests.guarantees.history import Delivery, Omitted, Reconnect, Subscriber, Told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shipspeak.realtime.v1 import event_pb2
    from shipspeak_realtime import Event, Subscription, Verdict


class Recorder:
    """The pen of one subscriber that began at the oldest event of every topic."""

    def __init__(self, name: str, topics: Sequence[str]) -> None:
        self.subscriber = Subscriber(name, started=dict.fromkeys(topics, 0))
        self._reached = dict.fromkeys(topics, 0)
        self._moved = asyncio.Event()
        self._lost_at: float | None = None
        self._on_next: Callable[[], None] | None = None

    def event(self, event: Event) -> None:
        """The SDK handed over an event."""
        assert event.cursor is not None, f"{event.topic} has no cursors"
        epoch = decode_cursor(event.topic, event.cursor.token).epoch
        self.delivered(event.topic, epoch, event.message, "connect")

    def delivered(self, topic: str, epoch: int, event: event_pb2.Event, transport: str) -> None:
        """A reader handed over an event."""
        self.subscriber.words.append(
            Delivery(topic, epoch, event.offset, event.id, transport, time.monotonic())
        )
        self._reach(topic, event.offset)

    def verdict(self, subscription: Subscription, verdict: Verdict) -> None:
        """The SDK passed on a verdict."""
        cursor = subscription.cursor
        assert cursor is not None, f"{verdict.topic} has no cursors"
        epoch = decode_cursor(verdict.topic, cursor.token).epoch
        self.told(
            Told(
                verdict.topic,
                verdict.kind.value,
                epoch,
                cursor.handled_offset,
                "connect",
                verdict.lost,
                time.monotonic(),
            )
        )

    def told(self, told: Told) -> None:
        """A reader got a verdict."""
        self.subscriber.words.append(told)

    def left_out(self, run: event_pb2.TopicRun) -> None:
        """A run said that it left events out."""
        count = run.conflated + run.expired + run.withdrawn
        self.subscriber.words.append(
            Omitted(
                run.topic, run.epoch, run.after_offset, run.through_offset, count, time.monotonic()
            )
        )
        self._reach(run.topic, run.through_offset)

    def on_next(self, call: Callable[[], None] | None) -> None:
        """Call this once, when the next event comes; None takes it back."""
        self._on_next = call

    def lost(self) -> None:
        """The connection broke."""
        if self._lost_at is None:
            self._lost_at = time.monotonic()

    def back(self) -> None:
        """A connection stands again."""
        if self._lost_at is not None:
            self.subscriber.reconnects.append(Reconnect(self._lost_at, time.monotonic()))
            self._lost_at = None

    async def reach(self, heads: Mapping[str, int]) -> None:
        """Return when the reader has come to these offsets."""
        while any(self._reached.get(topic, 0) < head for topic, head in heads.items()):
            self._moved.clear()
            await self._moved.wait()

    def _reach(self, topic: str, offset: int) -> None:
        self._reached[topic] = max(self._reached[topic], offset)
        self._moved.set()
        call, self._on_next = self._on_next, None
        if call is not None:
            call()
