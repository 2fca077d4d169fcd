"""Figures over time, published as they change: gauges, and sums over a rolling window."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from shipspeak.realtime.v1 import metrics_pb2
from shipspeak_realtime.contents import duration
from shipspeak_realtime.live_block import LiveBlock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from shipspeak_realtime.client import RealtimeClient
    from shipspeak_realtime.clock import Clock
    from shipspeak_realtime.events import Event

MAX_FIGURES = 64
# How often a rolling sum is looked at when nothing is added to it: it falls by itself.
LOOK_SECONDS = 1.0


@dataclass(slots=True)
class _Figure:
    """One figure as it stands.

    Attributes:
        unit: of the value.
        window: seconds that the value covers; 0 = this moment, or since the beginning.
        value: of a gauge, or the sum.
        told: the value that was published last; None = none was.
        parts: what a rolling sum is made of: monotonic seconds and amount.
    """

    unit: str
    window: float
    value: float = 0.0
    told: float | None = None
    parts: deque[tuple[float, float]] = field(default_factory=deque)

    def roll(self, now: float) -> None:
        """Let go of what is older than the window."""
        if not self.parts:
            return
        while self.parts and self.parts[0][0] <= now - self.window:
            self.parts.popleft()
        # Summed anew: differences of floats would drift.
        self.value = sum(amount for _, amount in self.parts)

    def message(self, name: str) -> metrics_pb2.Metric:
        metric = metrics_pb2.Metric(name=name, value=self.value, unit=self.unit)
        metric.trend = 0.0 if self.told is None else self.value - self.told
        if self.window:
            metric.window.CopyFrom(duration(self.window))
        return metric


class AnalyticsStream(LiveBlock):
    """Publishes named figures of one topic; made by `RealtimeClient.analytics`.

    Each update has all figures and the same key, so that the newest one is enough for a reader that
    lags or comes late; 10 a second are published at most, and the last when the block ends.
    """

    def __init__(self, client: RealtimeClient, topic: str, key: str, *, clock: Clock) -> None:
        super().__init__(client, topic, clock)
        self.key = key
        self._clock = clock
        self._figures: dict[str, _Figure] = {}
        self._ticker: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin; rolling sums fall by themselves from now on."""
        self._ticker = asyncio.create_task(self._tick(), name=f"analytics {self.topic}")
        return await super().__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.wait({self._ticker})
        await super().__aexit__(kind, error, trace)

    async def _last_words(self, error: Exception | None) -> None:  # noqa: ARG002 - the base's
        await self.flush()

    def set(self, name: str, value: float, *, unit: str = "", window: float = 0.0) -> None:
        """Say what a figure is now.

        Args:
            name: 1 to 64 characters.
            value: in `unit`; finite.
            unit: such as "ms" or "words/min"; empty = a plain count.
            window: seconds that the value covers; 0 = this moment.

        Raises:
            ValueError: there are 64 figures already.
        """
        figure = self._figure(name, unit, window)
        figure.parts.clear()
        figure.value = value
        self._offer()

    def add(self, name: str, amount: float = 1.0, *, unit: str = "", window: float = 0.0) -> None:
        """Add to a sum over the last `window` seconds; 0 = since the beginning.

        Raises:
            ValueError: there are 64 figures already.
        """
        figure = self._figure(name, unit, window)
        if window:
            figure.parts.append((self._clock.monotonic(), amount))
            figure.value += amount
        else:
            figure.value += amount
        self._offer()

    async def flush(self) -> None:
        """Publish what waits, now; a failure is logged, and the next update tells all of it."""
        await self._pace.flush()

    def _figure(self, name: str, unit: str, window: float) -> _Figure:
        figure = self._figures.get(name)
        if figure is None:
            if len(self._figures) >= MAX_FIGURES:
                message = f"an update holds {MAX_FIGURES} figures; {name!r} is one too many"
                raise ValueError(message)
            figure = self._figures[name] = _Figure(unit, window)
        figure.unit, figure.window = unit, window
        return figure

    def _offer(self) -> None:
        self._pace.offer(self._publish)

    async def _publish(self) -> None:
        now = self._clock.monotonic()
        for figure in self._figures.values():
            figure.roll(now)
        told = {name: figure.value for name, figure in self._figures.items()}
        metrics = [figure.message(name) for name, figure in self._figures.items()]
        update = metrics_pb2.MetricsUpdate(metrics=metrics)
        await self._client.publish(self.topic, update, key=self.key)
        for name, value in told.items():
            self._figures[name].told = value

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            now = self._clock.monotonic()
            for figure in self._figures.values():
                figure.roll(now)
            if any(figure.told != figure.value for figure in self._figures.values()):
                self._offer()


def figures_of(event: Event) -> Mapping[str, metrics_pb2.Metric]:
    """The figures of an update, by name.

    Raises:
        TypeError: it is an event of another kind.
    """
    if not isinstance(event.payload, metrics_pb2.MetricsUpdate):
        message = f"{event.topic}#{event.offset} tells no figures"
        raise TypeError(message)
    return {metric.name: metric for metric in event.payload.metrics}
