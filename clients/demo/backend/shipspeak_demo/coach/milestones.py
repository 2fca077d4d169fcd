"""What may be reached in one session, each once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shipspeak_demo.coach.scores import EASY_PACE

if TYPE_CHECKING:
    from shipspeak_demo.coach.pace import Pace
    from shipspeak_demo.coach.speech import Speech

STEADY_S = 60.0
"""Seconds of speaking at an easy pace."""


@dataclass(frozen=True, slots=True)
class Milestone:
    """A goal that was reached; ``fraction`` is how much of all goals of a session that makes."""

    id: str
    title: str
    description: str
    fraction: float


_GOALS = {
    "fifty-words": ("Fifty words", "You are in it. Keep going."),
    "clean-fifty": ("Fifty clean words", "Fifty words in a row without a filler or a hedge."),
    "steady-minute": ("A steady minute", "A minute of speaking at an easy pace."),
    "two-hundred-words": ("Two hundred words", "About a minute and a half of speech."),
}


class Milestones:
    """Tells each goal once, when it is reached."""

    def __init__(self) -> None:
        self._reached: list[str] = []
        self._steady_from: float | None = None

    def reached(self, speech: Speech, pace: Pace) -> tuple[Milestone, ...]:
        """Give the goals that this reading has reached."""
        there = {
            "fifty-words": speech.words >= 50,
            "clean-fifty": speech.clean_words >= 50,
            "steady-minute": self._is_steady(pace),
            "two-hundred-words": speech.words >= 200,
        }
        new = []
        for goal, (title, description) in _GOALS.items():
            if there[goal] and goal not in self._reached:
                self._reached.append(goal)
                fraction = len(self._reached) / len(_GOALS)
                new.append(Milestone(goal, title, description, fraction))
        return tuple(new)

    def _is_steady(self, pace: Pace) -> bool:
        slow, fast = EASY_PACE
        now = pace.recent()
        if now is None or not slow <= now <= fast:
            self._steady_from = None
            return False
        if self._steady_from is None:
            self._steady_from = pace.active_s
        return pace.active_s - self._steady_from >= STEADY_S
