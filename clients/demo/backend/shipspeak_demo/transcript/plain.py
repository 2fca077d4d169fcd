"""Plain text: ``Name: words`` lines, each with an optional ``[hh:mm:ss]`` before it.

Text says at most when a turn starts, so ends are derived: a timed turn lasts until the next
timed turn; turns between two times share that span in proportion to their words; what follows
the last time, and a text without times, lasts 400 ms a word (150 words a minute, the usual
figure for English speech).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from shipspeak_demo.transcript.cue import Cue, divide
from shipspeak_demo.transcript.errors import BrokenTranscript
from shipspeak_demo.transcript.lines import Line, numbered
from shipspeak_demo.transcript.names import split_name
from shipspeak_demo.transcript.times import CLOCK_TIME, to_ms
from shipspeak_demo.transcript.words import count_words

if TYPE_CHECKING:
    from shipspeak_demo.transcript.cue import Timing

MS_PER_WORD = 400

_BRACKETED = re.compile(r"\[(?P<time>[^\]]*)\]\s*(?P<rest>.*)")


@dataclass(slots=True)
class _Turn:
    line: int
    at_ms: int | None
    speaker: str
    text: str


def parse_plain(text: str) -> tuple[Timing, tuple[Cue, ...]]:
    """Parse plain text.

    Returns:
        ``starts`` or ``estimated`` (see the module's text), and the cues.

    Raises:
        BrokenTranscript: the first words name nobody, a time is malformed or runs backwards, or
            nothing is said.
    """
    turns = [turn for turn in _turns(numbered(text)) if count_words(turn.text)]
    if not turns:
        problem = "The transcript holds no spoken words."
        raise BrokenTranscript(0, problem, "Write lines like 'Dana: let us begin' and upload.")
    timing: Timing = "starts" if any(turn.at_ms is not None for turn in turns) else "estimated"
    return timing, tuple(_timed(turns))


def _turns(lines: list[Line]) -> list[_Turn]:
    turns: list[_Turn] = []
    latest_ms = 0
    for line in lines:
        at_ms, rest = _leading_time(line)
        if not rest:
            continue
        if at_ms is not None and at_ms < latest_ms:
            raise BrokenTranscript(
                line.number,
                "The time lies before the one above it.",
                "Put the lines in order of time and upload the file again.",
            )
        latest_ms = latest_ms if at_ms is None else at_ms
        speaker, words = split_name(rest)
        if speaker is None and not turns:
            raise BrokenTranscript(
                line.number,
                "The line does not say who speaks, and the file is neither WebVTT nor SubRip.",
                "Write lines like 'Dana: let us begin' and upload the file again.",
            )
        if speaker is None and at_ms is None:
            turns[-1].text += f" {words}"
        else:
            turns.append(_Turn(line.number, at_ms, speaker or turns[-1].speaker, words))
    return turns


def _leading_time(line: Line) -> tuple[int | None, str]:
    stripped = line.text.strip()
    match = _BRACKETED.fullmatch(stripped)
    if match is None or not any(letter.isdigit() for letter in match["time"]):
        return None, stripped
    time = CLOCK_TIME.fullmatch(match["time"].strip())
    if time is None:
        raise BrokenTranscript(
            line.number,
            f"'[{match['time'][:40]}]' is not a time.",
            "Write the time like [00:01:15] and upload the file again.",
        )
    return to_ms(time), match["rest"]


def _timed(turns: list[_Turn]) -> list[Cue]:
    """Give every turn its span: between two known times in proportion to words."""
    counts = [count_words(turn.text) for turn in turns]
    # A time equal to the one before it cannot part two spans, so it counts as absent.
    edges = [(0, 0 if turns[0].at_ms is None else turns[0].at_ms)]
    for index, turn in enumerate(turns[1:], start=1):
        if turn.at_ms is not None and turn.at_ms > edges[-1][1]:
            edges.append((index, turn.at_ms))
    first, last_at = edges[-1]
    edges.append((len(turns), last_at + MS_PER_WORD * sum(counts[first:])))
    cues: list[Cue] = []
    for (low, start_ms), (high, end_ms) in pairwise(edges):
        spans = divide(start_ms, end_ms, counts[low:high])
        cues += [
            Cue(start, end, turn.speaker, " ".join(turn.text.split()))
            for turn, (start, end) in zip(turns[low:high], spans, strict=True)
        ]
    return cues
