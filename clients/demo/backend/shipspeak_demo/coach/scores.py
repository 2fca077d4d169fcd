"""Scores from 0 to 100, each recomputable by hand from the text. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shipspeak_demo.coach.speech import Speech

LEAST_WORDS = 20
"""Fewer words are judged by nobody."""
EASY_PACE = (120.0, 160.0)
"""Words per minute that are easy to follow: the full score."""
_PACE_COST = 1.25
_TERM_COST = 12.0
# A filler among the first words would cost everything: rates are over this many words at least.
_RATE_WORDS = 50
_LONG_SENTENCE = 18.0
_SENTENCE_COST = 4.0


@dataclass(frozen=True, slots=True)
class Score:
    """The scores of a text.

    Attributes:
        overall: the mean of the dimensions.
        dimensions: by name, in the order in which they are shown. ``pace`` is absent where no time
            tells it, ``brevity`` where no sentence is finished.
    """

    overall: float
    dimensions: Mapping[str, float]


def score(speech: Speech, words_per_minute: float | None) -> Score | None:
    """Judge a text; None while there are too few words."""
    if speech.words < LEAST_WORDS:
        return None
    dimensions: dict[str, float] = {}
    if words_per_minute is not None:
        dimensions["pace"] = _pace(words_per_minute)
    dimensions["fluency"] = _rate(sum(speech.fillers.values()), speech.words)
    dimensions["confidence"] = _rate(sum(speech.hedges.values()), speech.words)
    if speech.sentences:
        beyond = max(0.0, speech.sentence_words / speech.sentences - _LONG_SENTENCE)
        dimensions["brevity"] = _within(100 - _SENTENCE_COST * beyond)
    overall = round(sum(dimensions.values()) / len(dimensions), 1)
    return Score(overall, dimensions)


def _pace(words_per_minute: float) -> float:
    slow, fast = EASY_PACE
    off = max(slow - words_per_minute, words_per_minute - fast, 0.0)
    return _within(100 - _PACE_COST * off)


def _rate(terms: int, words: int) -> float:
    return _within(100 - _TERM_COST * 100 * terms / max(words, _RATE_WORDS))


def _within(value: float) -> float:
    return round(min(100.0, max(0.0, value)), 1)
