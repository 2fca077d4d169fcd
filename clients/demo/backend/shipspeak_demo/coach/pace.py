"""Pace: words per minute of the time in which somebody spoke.

Words arrive in revisions of a text. Words that come faster than anybody speaks were pasted: they
have no pace of their own, unless the speaker tells how long they took.
"""

from __future__ import annotations

from collections import deque

PAUSE_S = 5.0
"""A longer silence is a pause; what is beyond this does not count as speaking."""
FASTEST = 8.0
"""Words a second that a person may type or dictate; 480 a minute."""
AT_ONCE = 4
"""Words that may come at once, as an editor completes them."""
WINDOW_S = 15.0
"""The recent pace is that of the last so many seconds of speaking."""
_LEAST_S = 5.0
_LEAST_WORDS = 8


class Pace:
    """Takes revisions in order: the seconds at which each came, and its words in all."""

    def __init__(self) -> None:
        self.active_s = 0.0
        self.timed_words = 0
        self.untimed_words = 0
        self._at_s: float | None = None
        self._words = 0
        self._marks: deque[tuple[float, int]] = deque([(0.0, 0)])

    def note(self, at_s: float, words: int) -> None:
        """Note that the text has so many words at this time, in seconds since any moment."""
        new = words - self._words
        if not new:
            return
        gap = 0.0 if self._at_s is None else max(0.0, at_s - self._at_s)
        self._at_s, self._words = at_s, words
        if new > AT_ONCE + FASTEST * gap:
            self.untimed_words += new
            return
        self.active_s += min(gap, PAUSE_S)
        # Words taken out again were said all the same, but no count falls below nothing.
        self.timed_words = max(0, self.timed_words + new)
        self._marks.append((self.active_s, self.timed_words))
        while len(self._marks) > 2 and self._marks[1][0] <= self.active_s - WINDOW_S:
            self._marks.popleft()

    def recent(self) -> float | None:
        """Words per minute lately; None where too little was said to tell."""
        then, before = self._marks[0]
        return _per_minute(self.timed_words - before, self.active_s - then)

    def overall(self, untimed_s: float = 0.0) -> float | None:
        """Words per minute over everything; pasted words count with the time told for them."""
        pasted = self.untimed_words if untimed_s > 0 else 0
        return _per_minute(self.timed_words + pasted, self.active_s + untimed_s)


def _per_minute(words: int, seconds: float) -> float | None:
    if words < _LEAST_WORDS or seconds < _LEAST_S:
        return None
    return 60 * words / seconds
