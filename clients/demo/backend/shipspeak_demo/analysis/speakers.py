"""Speakers and talk share.

A speaker's talk time is the sum of their cues' lengths; the share is that over everybody's sum
(so shares add up to 1 even where people talk at once). A turn is a row of cues by one speaker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipspeak_demo.analysis.stage import Figures, Stage, State, rounded_ratio
from shipspeak_demo.transcript.words import count_words

if TYPE_CHECKING:
    from shipspeak_demo.transcript import Cue, Timing


def _start() -> State:
    return {"by": {}, "last": None}


def _step(state: State, cue: Cue) -> None:
    fresh = {"talk_ms": 0, "words": 0, "cues": 0, "turns": 0}
    one = state["by"].setdefault(cue.speaker, fresh)
    one["talk_ms"] += cue.end_ms - cue.start_ms
    one["words"] += count_words(cue.text)
    one["cues"] += 1
    one["turns"] += state["last"] != cue.speaker
    state["last"] = cue.speaker


def _finish(state: State, timing: Timing) -> Figures:
    del timing  # shares hold for estimated times too: they are then shares of words
    total = sum(one["talk_ms"] for one in state["by"].values())
    by_speaker = [
        {"speaker": name, "share": rounded_ratio(one["talk_ms"], total, 4), **one}
        for name, one in state["by"].items()
    ]
    return {"by_speaker": by_speaker, "talk_ms": total}


SPEAKERS = Stage("speakers", _start, _step, _finish)
