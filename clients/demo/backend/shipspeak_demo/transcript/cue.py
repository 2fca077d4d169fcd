"""A cue: who said what, from when to when.

Times are whole milliseconds, the finest unit of WebVTT and SubRip, so that sums are exact and
come out the same in whatever order, and after whatever restart, they are made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

UNNAMED_SPEAKER = "Speaker"
"""The speaker of words that come before any name."""

Timing = Literal["exact", "starts", "estimated"]
"""How times came about: given, start given and end derived, or derived from word counts."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One speaker's words over one span of time, in milliseconds from the start."""

    start_ms: int
    end_ms: int
    speaker: str
    text: str

    @property
    def start_s(self) -> float:
        """Start in seconds."""
        return self.start_ms / 1000

    @property
    def end_s(self) -> float:
        """End in seconds."""
        return self.end_ms / 1000


@dataclass(frozen=True, slots=True)
class Transcript:
    """A whole transcript: its cues in order of start, its format, and how far to trust times."""

    format: Literal["vtt", "srt", "text"]
    timing: Timing
    cues: tuple[Cue, ...]


def divide(start_ms: int, end_ms: int, weights: list[int]) -> list[tuple[int, int]]:
    """Divide a span among parts in proportion to their weights, without a gap or an overlap.

    Used where a file times several speakers' words together and does not say when one stops.

    Args:
        start_ms: start of the span.
        end_ms: end of the span.
        weights: one weight (word count) per part; all zero counts as all equal.

    Returns:
        One (start, end) per part, in milliseconds; the last ends at ``end_ms``.
    """
    if not any(weights):
        weights = [1] * len(weights)
    total, span = sum(weights), end_ms - start_ms
    spans: list[tuple[int, int]] = []
    before = 0
    for weight in weights:
        after = before + weight
        spans.append((start_ms + span * before // total, start_ms + span * after // total))
        before = after
    return spans
