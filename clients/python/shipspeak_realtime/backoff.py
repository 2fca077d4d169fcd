"""How long to wait before the next try.

Full jitter, so that a crowd that lost one hub does not return as one.
Pure but for the injected random number generator. The same cases run against every SDK
(tests/conformance/vectors/backoff.json).
"""

from __future__ import annotations

import random as _random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

BASE_SECONDS = 0.5
FLOOR_SECONDS = 0.25
CAP_SECONDS = 30.0
# A session that lived this long was healthy: its loss says nothing about the hub.
LIVE_SECONDS = 10.0
FIRST_LOSS_SECONDS = 1.0
# Refusals that will not heal soon (a limit reached) and name no time.
SLOW_SECONDS = (5.0, 30.0, 60.0, 300.0)
_SLOW_JITTER = 0.2
# 500 ms doubled 6 times is above the cap: no need to raise 2 to the power of a long outage.
_MAX_EXPONENT = 16


class Backoff:
    """Counts the tries of one connection, or of one topic's publishing, and says how long to wait.

    Args:
        random: a number in [0, 1] at each call.
    """

    def __init__(self, random: Callable[[], float] = _random.random) -> None:
        self._random = random
        self._attempt = 0
        self._slow_attempt = 0

    @property
    def attempt(self) -> int:
        """Failed tries since the last success that counts."""
        return self._attempt

    def reset(self) -> None:
        """Start counting again: it worked."""
        self._attempt = self._slow_attempt = 0

    def retry(self) -> float:
        """Seconds before the next try; each call counts one try more."""
        exponent = min(self._attempt, _MAX_EXPONENT)
        self._attempt += 1
        return FLOOR_SECONDS + self._random() * min(
            CAP_SECONDS, BASE_SECONDS * float(1 << exponent)
        )

    def lost(self, live_seconds: float | None) -> float:
        """Seconds before a new session after the last one was lost.

        Args:
            live_seconds: how long it had been live; None = it never was.
        """
        if live_seconds is not None and live_seconds >= LIVE_SECONDS:
            self.reset()
            return self._random() * FIRST_LOSS_SECONDS
        if live_seconds is not None:
            # The hub was there a moment ago: half of the doubt that earlier failures left. Each try
            # that fails while it is away adds to the rest, so a long outage is still met slowly.
            self._attempt //= 2
        return self.retry()

    def hint(self, seconds: float) -> float:
        """Seconds to wait when the hub named a time: never less, and spread a little."""
        return max(seconds, FLOOR_SECONDS) + self._random() * (0.2 * seconds + 1.0)

    def slow(self) -> float:
        """Seconds before the next try after a refusal that will not heal soon."""
        base = SLOW_SECONDS[min(self._slow_attempt, len(SLOW_SECONDS) - 1)]
        self._slow_attempt += 1
        return base * (1 + _SLOW_JITTER * self._random())

    def spread(self, within: float) -> float:
        """Seconds before a return that the hub asked to spread; no failure, not counted."""
        return self._random() * within
