"""A clock that the test moves."""

from __future__ import annotations


class ManualClock:
    """Seconds since the epoch; stands still until told to move."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Move on."""
        self.now += seconds
