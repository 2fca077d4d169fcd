"""Pings under way on a session, and the round trips that their answers measure."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from shipspeak_realtime.errors import NetworkError

if TYPE_CHECKING:
    from shipspeak_realtime.clock import Clock
    from shipspeak_realtime.stats import Stats


class Pings:
    """The pings of one client.

    Args:
        stats: gets the latest round trip.
        clock: time.
    """

    def __init__(self, stats: Stats, clock: Clock) -> None:
        self._stats, self._clock = stats, clock
        self._waiting: dict[int, tuple[float, asyncio.Future[float]]] = {}

    def sent(self, nonce: int) -> asyncio.Future[float]:
        """A Ping was sent; the future gives its round trip in seconds."""
        answer: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting[nonce] = (self._clock.monotonic(), answer)
        return answer

    def answered(self, nonce: int) -> None:
        """A Pong came."""
        sent = self._waiting.pop(nonce, None)
        if sent is None:
            return
        sent_at, answer = sent
        self._stats.rtt_seconds = self._clock.monotonic() - sent_at
        if not answer.done():
            answer.set_result(self._stats.rtt_seconds)

    def lost(self) -> None:
        """The session is over: none will be answered."""
        for _, answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(NetworkError("the connection broke before the answer"))
        self._waiting.clear()
