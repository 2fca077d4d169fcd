"""Pace: words per minute of talk time, for each speaker and over all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipspeak_demo.analysis.stage import Figures, Stage, State, rounded_ratio
from shipspeak_demo.transcript.words import count_words

if TYPE_CHECKING:
    from shipspeak_demo.transcript import Cue, Timing

_MS_PER_MINUTE = 60_000


def _start() -> State:
    return {"by": {}}


def _step(state: State, cue: Cue) -> None:
    one = state["by"].setdefault(cue.speaker, {"words": 0, "talk_ms": 0})
    one["words"] += count_words(cue.text)
    one["talk_ms"] += cue.end_ms - cue.start_ms


def _finish(state: State, timing: Timing) -> Figures:
    def per_minute(words: int, talk_ms: int) -> float | None:
        # Times estimated from word counts would only give the estimate back.
        if timing == "estimated" or not talk_ms:
            return None
        return rounded_ratio(words, talk_ms, 1, scale=_MS_PER_MINUTE)

    by_speaker = [
        {"speaker": name, **one, "words_per_minute": per_minute(one["words"], one["talk_ms"])}
        for name, one in state["by"].items()
    ]
    words = sum(one["words"] for one in state["by"].values())
    talk_ms = sum(one["talk_ms"] for one in state["by"].values())
    return {"by_speaker": by_speaker, "words_per_minute": per_minute(words, talk_ms)}


PACE = Stage("pace", _start, _step, _finish)
