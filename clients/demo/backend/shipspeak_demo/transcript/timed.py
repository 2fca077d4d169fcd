"""Spoken parts of timed blocks become cues in order of start; shared by WebVTT and SubRip."""

from __future__ import annotations

from typing import NamedTuple

from shipspeak_demo.transcript.cue import UNNAMED_SPEAKER, Cue, divide
from shipspeak_demo.transcript.errors import BrokenTranscript
from shipspeak_demo.transcript.words import count_words


class Part(NamedTuple):
    """Words inside one timed block; speaker None means that the file names nobody here."""

    speaker: str | None
    text: str


class TimedBlock(NamedTuple):
    """A timed block of the file: its span in milliseconds and what is said in it."""

    start_ms: int
    end_ms: int
    parts: list[Part]


def to_cues(timed: list[TimedBlock]) -> tuple[Cue, ...]:
    """Turn timed blocks into cues.

    Blocks are put in order of start (order in the file where starts are equal). Words that name
    no speaker belong to whoever spoke last. A block with several speakers is divided among them
    in proportion to their words. Blocks without a word are left out.

    Raises:
        BrokenTranscript: nothing is said in the whole file.
    """
    cues: list[Cue] = []
    speaker = UNNAMED_SPEAKER
    for block in sorted(timed, key=lambda block: block.start_ms):
        said: list[tuple[str, str]] = []
        for part in block.parts:
            if not count_words(part.text):
                continue
            speaker = part.speaker or speaker
            if said and said[-1][0] == speaker:
                said[-1] = (speaker, f"{said[-1][1]} {part.text}")
            else:
                said.append((speaker, part.text))
        spans = divide(block.start_ms, block.end_ms, [count_words(text) for _, text in said])
        cues += [
            Cue(start_ms, end_ms, name, " ".join(text.split()))
            for (name, text), (start_ms, end_ms) in zip(said, spans, strict=True)
        ]
    if not cues:
        problem = "The transcript holds no spoken words."
        raise BrokenTranscript(0, problem, "Export the transcript again and upload it.")
    return tuple(sorted(cues, key=lambda cue: cue.start_ms))
