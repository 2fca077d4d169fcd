"""The stages in order, and the place reached in them, as plain JSON at every cue.

The place is all that a restarted worker needs beside the transcript: from any place the rest of
the work gives the same result as work that was never cut.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shipspeak_demo.analysis.language import LANGUAGE
from shipspeak_demo.analysis.pace import PACE
from shipspeak_demo.analysis.questions import QUESTIONS
from shipspeak_demo.analysis.speakers import SPEAKERS
from shipspeak_demo.analysis.summary import SUMMARY

if TYPE_CHECKING:
    from shipspeak_demo.analysis.stage import Figures, Stage, State
    from shipspeak_demo.transcript import Cue, Timing, Transcript

STAGES: tuple[Stage, ...] = (SPEAKERS, PACE, LANGUAGE, QUESTIONS, SUMMARY)
"""What is made of the cues, in order; ``parse`` comes before them."""


@dataclass(slots=True)
class Analysis:
    """The place reached: a stage, the next cue in it, its state, and the finished figures."""

    stage: int = 0
    cue: int = 0
    state: State = field(default_factory=STAGES[0].start)
    figures: dict[str, Figures] = field(default_factory=dict)

    @classmethod
    def from_json(cls, text: str) -> Analysis:
        """Take up the place that ``to_json`` wrote."""
        place: dict[str, Any] = json.loads(text)
        return cls(**place)

    def to_json(self) -> str:
        """Write the place as JSON text."""
        place = {name: getattr(self, name) for name in ("stage", "cue", "state", "figures")}
        return json.dumps(place, ensure_ascii=False, separators=(",", ":"))

    @property
    def done(self) -> bool:
        """Whether every stage is finished."""
        return self.stage >= len(STAGES)

    @property
    def stage_name(self) -> str:
        """The name of the stage at hand; only while not done."""
        return STAGES[self.stage].name

    def step(self, cue: Cue) -> None:
        """Take the next cue into the stage at hand; ``cue`` must be the one at ``self.cue``."""
        STAGES[self.stage].step(self.state, cue)
        self.cue += 1

    def finish_stage(self, timing: Timing) -> None:
        """Make the figures of the stage at hand and go to the start of the next."""
        stage = STAGES[self.stage]
        self.figures[stage.name] = stage.finish(self.state, timing)
        self.stage += 1
        self.cue = 0
        self.state = {} if self.done else STAGES[self.stage].start()


def analyse(transcript: Transcript) -> dict[str, Figures]:
    """Run every stage over a transcript at once; returns the figures by stage name."""
    analysis = Analysis()
    while not analysis.done:
        for cue in transcript.cues:
            analysis.step(cue)
        analysis.finish_stage(transcript.timing)
    return analysis.figures
