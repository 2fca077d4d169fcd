"""Which advice a speaker gets now: one rule for each aspect, and none repeats itself at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from shipspeak_demo.coach.scores import EASY_PACE

if TYPE_CHECKING:
    from collections import Counter

    from shipspeak_demo.coach.speech import Speech

QUIET_WORDS = 15
"""An aspect is silent for this many words behind its last hint."""
_TERMS_LATELY = 2
_OPEN_SENTENCE = 35
_PRAISED_WORDS = 50
_TOO_FAST = 200.0


@dataclass(frozen=True, slots=True)
class Hint:
    """A piece of advice; ``level`` is a word of the contract: info, praise, nudge, urgent."""

    aspect: str
    text: str
    level: Literal["info", "praise", "nudge", "urgent"] = "nudge"


class Hints:
    """Remembers what was said when, so that nobody hears the same thing at every word."""

    def __init__(self) -> None:
        self._said_at: dict[str, int] = {}
        self._terms: dict[str, int] = {}

    def about(self, speech: Speech, words_per_minute: float | None) -> tuple[Hint, ...]:
        """Give the hints that are new; ``words_per_minute`` is the recent pace."""
        found = (
            self._lately("fillers", speech.fillers, speech.recent_fillers),
            self._lately("hedging", speech.hedges, speech.recent_hedges),
            _pace(words_per_minute),
            _brevity(speech),
            _praise(speech),
        )
        new = tuple(hint for hint in found if hint is not None and self._is_new(hint, speech.words))
        for hint in new:
            self._said_at[hint.aspect] = speech.words
        return new

    def _is_new(self, hint: Hint, words: int) -> bool:
        said_at = self._said_at.get(hint.aspect)
        quiet = _PRAISED_WORDS if hint.level == "praise" else QUIET_WORDS
        return said_at is None or words - said_at >= quiet or words < said_at

    def _lately(self, aspect: str, all_terms: Counter[str], recent: Counter[str]) -> Hint | None:
        """A hint only where another term has come since the last look."""
        before, now = self._terms.get(aspect, 0), sum(all_terms.values())
        self._terms[aspect] = now
        count = sum(recent.values())
        if now <= before or count < _TERMS_LATELY:
            return None
        term = max(recent, key=lambda one: recent[one])
        # Terms are kept in small letters; the word for oneself has a capital.
        shown = f"“{'I' + term[1:] if term.startswith('i ') else term}”"
        times = shown if recent[term] == 1 else f"{shown} {recent[term]} times"
        others = count - recent[term]
        said = times + (f" and {others} more like it" if others else "")
        advice = _ADVICE[aspect]
        return Hint(aspect, f"{said} just now. {advice}")


_ADVICE = {
    "fillers": "Let a short pause stand in its place.",
    "hedging": "Say it as you mean it.",
}


def _pace(words_per_minute: float | None) -> Hint | None:
    if words_per_minute is None:
        return None
    slow, fast = EASY_PACE
    rate = f"{round(words_per_minute)} words a minute"
    if words_per_minute > _TOO_FAST:
        return Hint("pace", f"{rate}: nobody can follow. Stop, breathe, go on slowly.", "urgent")
    if words_per_minute > fast + 15:
        return Hint("pace", f"{rate}. Slow down a little.")
    if words_per_minute < slow - 40:
        return Hint("pace", f"{rate}. You may go a little faster.", "info")
    return None


def _brevity(speech: Speech) -> Hint | None:
    if speech.open_words < _OPEN_SENTENCE:
        return None
    return Hint("brevity", f"This sentence has {speech.open_words} words. Make it two.")


def _praise(speech: Speech) -> Hint | None:
    if speech.clean_words < _PRAISED_WORDS:
        return None
    return Hint("praise", f"{speech.clean_words} words without a filler or a hedge.", "praise")
