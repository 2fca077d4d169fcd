"""A token bucket: a rate that may be exceeded for a moment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """What one bucket allows.

    Attributes:
        per_second: tokens that come in each second; 0 = no limit.
        burst: tokens that a full bucket holds.
    """

    per_second: float
    burst: float


class Bucket:
    """One bucket, full at first. Time is a number of seconds that only rises.

    Args:
        rate: per_second > 0.
        now: the time.
    """

    __slots__ = ("_rate", "_since", "_tokens")

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._tokens = rate.burst
        self._since = now

    def take(self, now: float, count: int = 1) -> float:
        """Take tokens, all or none.

        Returns:
            0.0 when they were there; else the seconds until they are, and nothing was taken. More
            than the burst are never there.
        """
        self._fill(now)
        if self._tokens >= count:
            self._tokens -= count
            return 0.0
        return (count - self._tokens) / self._rate.per_second

    def owe(self, now: float) -> float:
        """Take one token in any case; the seconds to wait until it was there."""
        self._fill(now)
        self._tokens -= 1.0
        return max(0.0, -self._tokens / self._rate.per_second)

    def give_back(self, count: int = 1) -> None:
        """What the last tokens were taken for did not happen."""
        self._tokens = min(self._rate.burst, self._tokens + count)

    def _fill(self, now: float) -> None:
        passed = max(0.0, now - self._since)
        self._since = max(now, self._since)
        self._tokens = min(self._rate.burst, self._tokens + passed * self._rate.per_second)
