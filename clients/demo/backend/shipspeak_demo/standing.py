"""How far a user has come: points, level, streak and goals, out of what is stored."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from shipspeak_realtime import UserProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shipspeak_demo.store import Meetings, Practice, Practices

LEAST_WORDS = 20
"""A session with fewer words counts for nothing."""
LEVEL_POINTS = 300
"""Points from one level to the next."""
_SESSION_POINTS = 50
_MEETING_POINTS = 50
_WORDS_PER_POINT = 10
_GOALS = {"sessions": 10, "meetings": 3, "words": 1000}


class Standings:
    """Reads what a user's progress is made of.

    Args:
        now: Unix seconds.
    """

    def __init__(self, practices: Practices, meetings: Meetings, now: Callable[[], float]) -> None:
        self._practices = practices
        self._meetings = meetings
        self._now = now

    def of(self, user: str) -> UserProgress:
        """A user's progress; blocks, as the store does."""
        return standing(
            self._practices.ended_of(user), self._meetings.completed_of(user), self._now()
        )


def standing(practices: Sequence[Practice], meetings: int, now: float) -> UserProgress:
    """Add up a user's ended sessions and completed meetings.

    A session brings 50 points and one for every ten words, a meeting 50. The streak is days in a
    row, by UTC, that end today or yesterday.
    """
    counted = [one for one in practices if words_of(one) >= LEAST_WORDS]
    words = sum(words_of(one) for one in counted)
    points = len(counted) * _SESSION_POINTS + meetings * _MEETING_POINTS + words // _WORDS_PER_POINT
    reached = {"sessions": len(counted), "meetings": meetings, "words": words}
    goals = {name: min(1.0, reached[name] / whole) for name, whole in _GOALS.items()}
    return UserProgress(
        level=1 + points // LEVEL_POINTS,
        points=points,
        streak_days=streak([_day(one.ended_at) for one in counted if one.ended_at], _day(now)),
        goals={"next-level": points % LEVEL_POINTS / LEVEL_POINTS, **goals},
    )


def streak(days: Sequence[date], today: date) -> int:
    """Count the days in a row that end today or yesterday."""
    there = set(days)
    day = today if today in there else today - timedelta(days=1)
    count = 0
    while day in there:
        count += 1
        day -= timedelta(days=1)
    return count


def words_of(practice: Practice) -> int:
    """The words of an ended session."""
    return int(practice.figures.get("words", (0, ""))[0])


def _day(at: float) -> date:
    return datetime.fromtimestamp(at, UTC).date()
