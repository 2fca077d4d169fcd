"""What a user may achieve, each once in a lifetime. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shipspeak_demo.standing import LEAST_WORDS, words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shipspeak_demo.store import Practice
    from shipspeak_realtime import UserProgress

_CLEAN_WORDS = 100
_HIGH_SCORE = 90


@dataclass(frozen=True, slots=True)
class Achievement:
    """One of them; ``key`` names it for ever."""

    key: str
    title: str
    body: str


def achieved(practices: Sequence[Practice], progress: UserProgress) -> list[Achievement]:
    """List everything that the user has achieved so far."""
    counted = [one for one in practices if words_of(one) >= LEAST_WORDS]
    found = []
    if counted:
        found.append(Achievement("first-session", "First practice", "You have begun."))
    if len(counted) >= 5:
        found.append(Achievement("five-sessions", "Five sessions", "Practice is a habit now."))
    if any(_is_clean(one) for one in counted):
        body = "A hundred words or more without a single filler."
        found.append(Achievement("clean-session", "Not one filler", body))
    if any((one.overall or 0) >= _HIGH_SCORE for one in counted):
        found.append(Achievement("score-90", "Ninety and more", "A session scored 90 or above."))
    if progress.streak_days >= 3:
        found.append(Achievement("streak-3", "Three days in a row", "Keep the streak."))
    return found


def _is_clean(practice: Practice) -> bool:
    return words_of(practice) >= _CLEAN_WORDS and not practice.figures["fillers"][0]
