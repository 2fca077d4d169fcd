"""Bytes per second over the last seconds, on an injected clock."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class RateMeter:
    """The rate between the oldest and the newest mark of a sliding window."""

    def __init__(self, clock: Callable[[], float], window_s: float = 2.0) -> None:
        """Use a clock of monotonic seconds and a window's length."""
        self._clock = clock
        self._window_s = window_s
        self._marks: deque[tuple[float, int]] = deque()

    def mark(self, total: int) -> float:
        """Note the bytes so far; returns bytes per second, 0 where nothing tells it yet."""
        now = self._clock()
        self._marks.append((now, total))
        # One mark older than the window stays, so that the window is always covered.
        while len(self._marks) > 2 and self._marks[1][0] <= now - self._window_s:
            self._marks.popleft()
        then, before = self._marks[0]
        return (total - before) / (now - then) if now > then else 0.0
