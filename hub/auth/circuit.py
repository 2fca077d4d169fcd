"""Leaves a service alone that does not answer: no I/O, no own clock."""

from __future__ import annotations

from typing import Final

# So many failures on end open it, for so long; then one try decides.
FAILURES: Final = 5
REST_SECONDS: Final = 5.0


class Circuit:
    """Open after failures on end; one try is let through after each rest."""

    def __init__(self) -> None:
        self._failures = 0
        self._again_at = 0.0

    @property
    def open(self) -> bool:
        """Whether the service is left alone, but for one try after each rest."""
        return self._failures >= FAILURES

    def allows(self, now: float) -> bool:
        """Whether to ask, at a time in seconds that only rises."""
        if not self.open:
            return True
        if now < self._again_at:
            return False
        # Only this one, until it is answered or the next rest is over.
        self._again_at = now + REST_SECONDS
        return True

    def succeeded(self) -> None:
        """It has answered."""
        self._failures = 0

    def failed(self, now: float) -> None:
        """It has not."""
        self._failures += 1
        self._again_at = now + REST_SECONDS
