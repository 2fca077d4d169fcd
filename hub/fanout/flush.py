"""Paced flushes: at once when idle; under load, the next when the last one was written.

Under load a gap as long as the last flush, at most 20 ms, lets publishes be read in between, so
that the next flush carries many events in one frame: that is worth 20 to 50 times in saturated
throughput and costs nothing when idle. The gap ends early when what was coming has come: publishers
that wait for their answers would wait for nothing. A wide fan-out is sliced, so that it never holds
the loop for long.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from hub.errors import fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.fanout.topic import LiveTopic
    from hub.session.position import Subscription

log = structlog.get_logger(__name__)

SLICE = 128
# Of the last flush's time. With a quarter, 64 publishes in flight made frames of 25 events; with
# all of it, frames of 60, at half the cost for each event.
GAP_SHARE = 1.0
MAX_GAP_SECONDS = 0.02
# Silence of this many mean intervals between arrivals: nothing more is coming for now.
SILENT_INTERVALS = 3.0
# Writers that are slower than this are lagging readers: the next flush does not wait for them.
MAX_FLIGHT_SECONDS = 0.1


class Flusher:
    """Flushes topics that have something new.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._cycles: dict[LiveTopic, Cycle] = {}

    def mark(self, topic: LiveTopic) -> None:
        """The topic has something new: flush it in another turn of the loop.

        While a flush of it is under way, the next comes behind that one.
        """
        if not topic.subscribers:
            return
        cycle = self._cycles.get(topic)
        if cycle is None:
            cycle = self._cycles[topic] = Cycle(topic, self)
            cycle.start_soon()
        else:
            cycle.arrived()

    def finished(self, cycle: Cycle) -> None:
        """A topic's flush is over and nothing new came meanwhile."""
        self._cycles.pop(cycle.topic, None)


class FlushInFlight:
    """The frames of one flush that are in flight.

    Those that are taken after the flush was given up are booked here, and not on the next one.

    Args:
        cycle: goes on when most are taken.
    """

    __slots__ = ("_cycle", "count", "issued", "sent")

    def __init__(self, cycle: Cycle) -> None:
        self.sent = 0
        self.count = 0
        self.issued = False
        self._cycle = cycle

    def taken(self) -> None:
        """A transport has taken its frame."""
        self.count -= 1
        if self.issued and self.count * 10 <= self.sent:
            self._cycle.finish()


class Cycle:
    """The flushes of one topic in a row, until nothing new came during one."""

    __slots__ = (
        "_arrivals",
        "_deadline",
        "_flusher",
        "_in_flight",
        "_last_arrival",
        "_loop",
        "_queue",
        "_started",
        "topic",
    )

    def __init__(self, topic: LiveTopic, flusher: Flusher) -> None:
        self.topic = topic
        self._flusher = flusher
        self._loop = asyncio.get_running_loop()
        self._queue: list[Subscription] = []
        self._in_flight = FlushInFlight(self)
        self._started = 0.0
        self._arrivals = 0
        self._last_arrival = 0.0
        self._deadline: asyncio.TimerHandle | None = None

    def start_soon(self) -> None:
        """Begin in the next turn of the loop."""
        self._loop.call_soon(self._begin)

    def arrived(self) -> None:
        """Something new has come while a flush, or the gap behind it, is under way."""
        self._arrivals += 1
        self._last_arrival = self._loop.time()

    def finish(self) -> None:
        """The flush is over: nine tenths of its frames are taken, or it was given up."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        # What is taken late must not finish a flush a second time.
        self._in_flight.issued = False
        if not self._arrivals:
            self._flusher.finished(self)
            return
        now = self._loop.time()
        took = now - self._started
        self._wait(now + min(MAX_GAP_SECONDS, took * GAP_SHARE), SILENT_INTERVALS * took)

    def _wait(self, until: float, patience: float) -> None:
        """Begin at ``until``, or when nothing came for ``patience`` divided by what has come."""
        silent_at = self._last_arrival + patience / self._arrivals
        if min(until, silent_at) <= self._loop.time():
            self._begin()
        else:
            self._loop.call_at(min(until, silent_at), self._wait, until, patience)

    def _begin(self) -> None:
        self._arrivals = 0
        self._started = self._loop.time()
        self._queue = list(self.topic.subscribers)
        self._queue.reverse()
        self._in_flight = FlushInFlight(self)
        self._slice()

    def _slice(self) -> None:
        queue, in_flight = self._queue, self._in_flight
        now = self._flusher.clock()
        for _ in range(min(SLICE, len(queue))):
            subscription = queue.pop()
            session = subscription.session
            try:
                session.offer(subscription, now)
            except Exception:
                # One session's fault must not hold back the others, nor the topic for good.
                log.exception("flush_failed", session=session.session_id)
                session.abort(fault())
            if session.join_in_flight(in_flight):
                in_flight.sent += 1
                in_flight.count += 1
        if queue:
            self._loop.call_soon(self._slice)
            return
        in_flight.issued = True
        if in_flight.count * 10 <= in_flight.sent:
            self.finish()
        else:
            self._deadline = self._loop.call_later(MAX_FLIGHT_SECONDS, self._give_up)

    def _give_up(self) -> None:
        """The rest are lagging readers."""
        self._deadline = None
        self.finish()
