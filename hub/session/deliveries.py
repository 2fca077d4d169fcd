"""Work that was handed to a session and waits for its turn.

Its frames count against the window as runs do, and go behind runs that are CRITICAL: handed out as
control frames, megabytes of work would lie before an urgent event.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from hub.session.lanes import FAIR_SHARE

# Bytes that a session without a window is given before its transport has taken them.
UNWINDOWED_BYTES: Final = 256 * 1024


class DeliveryQueue:
    """Frames with deliveries, in order.

    Attributes:
        given: number of the last frame that was put here.
        taken: number of the last frame that went to the transport.
    """

    __slots__ = ("_frames", "_runs", "given", "taken")

    def __init__(self) -> None:
        self._frames: deque[tuple[int, str, bytes, float]] = deque()
        self._runs = 0
        self.given = 0
        self.taken = 0

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, work: str, frame: bytes, until: float) -> None:
        """A serialized ServerFrame of a work subscription, to be sent before ``until``."""
        self.given += 1
        self._frames.append((self.given, work, frame, until))

    def take(self) -> bytes:
        """The next frame goes to the transport."""
        self.taken, _, frame, _ = self._frames.popleft()
        self._runs = 0
        return frame

    def drop(self, work: str) -> None:
        """What waits of one work subscription is not sent."""
        self._frames = deque(one for one in self._frames if one[1] != work)

    def drop_overdue(self, now: float) -> list[tuple[int, str]]:
        """Frames that come too late are not sent: whoever got them would have no lease any more.

        Returns:
            The number of each, and its work subscription.
        """
        overdue = [(number, work) for number, work, _, until in self._frames if until <= now]
        if overdue:
            self._frames = deque(one for one in self._frames if one[3] > now)
        return overdue

    def clear(self) -> None:
        """Nothing more is sent."""
        self._frames.clear()

    def passed(self) -> None:
        """Runs went instead."""
        self._runs += 1

    def has_turn(self, *, runs: bool, critical: bool) -> bool:
        """Whether the next frame goes before runs; neither starves behind the other.

        Args:
            runs: some wait.
            critical: CRITICAL ones wait.
        """
        if not self._frames:
            return False
        return not runs or self._runs >= (FAIR_SHARE - 1 if critical else 1)
