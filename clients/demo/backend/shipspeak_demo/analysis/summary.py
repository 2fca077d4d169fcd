"""Summary figures: totals, the longest monologue, and who talked over whom.

A monologue is a turn, from the start of its first cue to the latest end of its cues. An overlap
is a cue that starts before another speaker's earlier cue has ended; it counts for the speaker who
came in, and lasts until the first of the two ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipspeak_demo.analysis.stage import Figures, Stage, State
from shipspeak_demo.transcript.words import count_words

if TYPE_CHECKING:
    from shipspeak_demo.transcript import Cue, Timing


def _start() -> State:
    return {
        "cues": 0, "words": 0, "talk_ms": 0, "turns": 0, "first_ms": None, "last_ms": 0,
        "turn": None, "longest": None, "ends": {}, "overlaps": {}, "overlap_ms": 0,
    }  # fmt: skip


def _step(state: State, cue: Cue) -> None:
    words = count_words(cue.text)
    state["cues"] += 1
    state["words"] += words
    state["talk_ms"] += cue.end_ms - cue.start_ms
    state["first_ms"] = cue.start_ms if state["first_ms"] is None else state["first_ms"]
    state["last_ms"] = max(state["last_ms"], cue.end_ms)
    _take_turn(state, cue, words)
    _take_overlap(state, cue)


def _take_turn(state: State, cue: Cue, words: int) -> None:
    turn = state["turn"]
    if turn is None or turn["speaker"] != cue.speaker:
        turn = {"speaker": cue.speaker, "start_ms": cue.start_ms, "duration_ms": 0, "words": 0}
        state["turns"] += 1
        state["turn"] = turn
    turn["duration_ms"] = max(turn["duration_ms"], cue.end_ms - turn["start_ms"])
    turn["words"] += words
    # Of equally long ones the first is kept; the longest itself may still be growing.
    longest = state["longest"]
    if longest is None or turn["duration_ms"] > longest["duration_ms"] or _same(turn, longest):
        state["longest"] = dict(turn)


def _same(turn: State, other: State) -> bool:
    return (turn["speaker"], turn["start_ms"]) == (other["speaker"], other["start_ms"])


def _take_overlap(state: State, cue: Cue) -> None:
    others = [end for name, end in state["ends"].items() if name != cue.speaker]
    shared = min(cue.end_ms, max(others, default=0)) - cue.start_ms
    count = state["overlaps"].get(cue.speaker, 0)
    state["overlaps"][cue.speaker] = count + (shared > 0)
    state["overlap_ms"] += max(0, shared)
    state["ends"][cue.speaker] = max(state["ends"].get(cue.speaker, 0), cue.end_ms)


def _finish(state: State, timing: Timing) -> Figures:
    del timing
    duration_ms = state["last_ms"] - (state["first_ms"] or 0)
    speakers = len(state["ends"])
    by_speaker = [{"speaker": name, "count": count} for name, count in state["overlaps"].items()]
    return {
        "headline": _headline(speakers, duration_ms, state),
        "speakers": speakers,
        "cues": state["cues"],
        "words": state["words"],
        "duration_ms": duration_ms,
        "talk_ms": state["talk_ms"],
        "turns": state["turns"],
        "longest_monologue": state["longest"],
        "overlaps": {
            "count": sum(state["overlaps"].values()),
            "overlap_ms": state["overlap_ms"],
            "by_speaker": by_speaker,
        },
    }


def _headline(speakers: int, duration_ms: int, state: State) -> str:
    minutes, seconds = divmod(duration_ms // 1000, 60)
    who, said = _counted(speakers, "speaker"), _counted(state["words"], "word")
    longest = state["longest"]["speaker"]
    return f"{who}, {said} in {minutes} min {seconds} s, longest turn by {longest}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


SUMMARY = Stage("summary", _start, _step, _finish)
