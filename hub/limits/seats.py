"""How many sessions one user has here."""

from __future__ import annotations

from collections import Counter

from hub.errors import ResourceExhausted
from shipspeak.realtime.v1 import error_reason_pb2 as reasons


class Seats:
    """Counts sessions, and polls under way, by user.

    Args:
        most: of one user; 0 = any number.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[str] = Counter()

    def take(self, user: str) -> None:
        """One more; nobody counts who has no name, since all of them would share it.

        Raises:
            ResourceExhausted: CONNECTION_LIMIT.
        """
        if not user:
            return
        if self._most and self._taken[user] >= self._most:
            raise ResourceExhausted(
                reasons.ERROR_REASON_CONNECTION_LIMIT,
                f"{user} has {self._most} sessions here, which is all a user may have; close some",
                retry_after=5.0,
            )
        self._taken[user] += 1

    def leave(self, user: str) -> None:
        """One less."""
        if self._taken[user] > 1:
            self._taken[user] -= 1
        else:
            del self._taken[user]
