"""What a stage is: a fold over cues whose state is plain JSON at every step.

A state is read back from JSON by a restarted worker, so it holds dicts, lists, strings and whole
numbers only; fractions are made once, in ``finish``. Dicts keep insertion order through JSON,
which keeps speakers in order of first word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from shipspeak_demo.transcript import Cue, Timing

State = dict[str, Any]
Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the analysis.

    Attributes:
        name: the stage's name on the topic and in the result.
        start: makes the empty state.
        step: takes one cue into the state, in place.
        finish: makes the figures of a state; ``timing`` tells whether times may be believed.
    """

    name: str
    start: Callable[[], State]
    step: Callable[[State, Cue], None]
    finish: Callable[[State, Timing], Figures]


def rounded_ratio(part: int, whole: int, digits: int, scale: int = 1) -> float:
    """Return ``scale * part / whole`` rounded, and 0.0 where the whole is nothing."""
    return round(scale * part / whole, digits) if whole else 0.0
