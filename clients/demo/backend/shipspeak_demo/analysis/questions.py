"""Questions: sentences that end in a question mark, each with who asked and when.

A sentence ends at ``.``, ``!`` or ``?`` (closing quotes and brackets included) before a space or
the end of the cue. ``?!`` and ``??`` end one question. A question spoken over two cues is
counted in the cue that holds its question mark.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shipspeak_demo.analysis.stage import Figures, Stage, State

if TYPE_CHECKING:
    from shipspeak_demo.transcript import Cue, Timing

_SENTENCE_END = re.compile(r"(?<=[.!?\u2026])[\"'\u2019\u201d)\]]*(?:\s+|$)")


def questions_in(text: str) -> list[str]:
    """Return the questions of a text, in order."""
    questions: list[str] = []
    at = 0
    for end in _SENTENCE_END.finditer(text):
        sentence, at = text[at : end.end()].strip(), end.end()
        mark = sentence.rstrip("\"'\u2019\u201d)]").rstrip("!")
        if mark.endswith("?"):
            questions.append(sentence)
    return questions


def _start() -> State:
    return {"by": {}, "items": []}


def _step(state: State, cue: Cue) -> None:
    asked = questions_in(cue.text)
    state["by"][cue.speaker] = state["by"].get(cue.speaker, 0) + len(asked)
    state["items"] += [
        {"speaker": cue.speaker, "start_ms": cue.start_ms, "text": text} for text in asked
    ]


def _finish(state: State, timing: Timing) -> Figures:
    del timing
    by_speaker = [{"speaker": name, "count": count} for name, count in state["by"].items()]
    return {"by_speaker": by_speaker, "count": len(state["items"]), "items": state["items"]}


QUESTIONS = Stage("questions", _start, _step, _finish)
