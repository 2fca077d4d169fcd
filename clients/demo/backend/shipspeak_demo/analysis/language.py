"""Fillers and hedges: how often each speaker used which term, and how many per 100 words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipspeak_demo.analysis.stage import Figures, Stage, State, rounded_ratio
from shipspeak_demo.analysis.wordlists import FILLERS, HEDGES, find_terms
from shipspeak_demo.transcript.words import count_words

if TYPE_CHECKING:
    from shipspeak_demo.transcript import Cue, Timing

_LISTS = {"fillers": FILLERS, "hedges": HEDGES}


def _start() -> State:
    return {"by": {}}


def _step(state: State, cue: Cue) -> None:
    one = state["by"].setdefault(cue.speaker, {"words": 0, "fillers": {}, "hedges": {}})
    one["words"] += count_words(cue.text)
    for kind, terms in _LISTS.items():
        for term in find_terms(cue.text, terms):
            one[kind][term] = one[kind].get(term, 0) + 1


def _finish(state: State, timing: Timing) -> Figures:
    del timing
    by_speaker = [
        {"speaker": name, **{kind: _counts(one[kind], one["words"]) for kind in _LISTS}}
        for name, one in state["by"].items()
    ]
    totals = {kind: sum(one[kind]["total"] for one in by_speaker) for kind in _LISTS}
    return {"by_speaker": by_speaker, **totals}


def _counts(terms: dict[str, int], words: int) -> Figures:
    total = sum(terms.values())
    often_first = sorted(terms.items(), key=lambda item: (-item[1], item[0]))
    per_100 = rounded_ratio(total, words, 1, scale=100)
    return {"total": total, "per_100_words": per_100, "terms": dict(often_first)}


LANGUAGE = Stage("language", _start, _step, _finish)
