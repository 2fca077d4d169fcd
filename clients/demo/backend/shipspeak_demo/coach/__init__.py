"""The coach: what one person says, judged word by word. Without I/O and without a clock."""

from __future__ import annotations

from shipspeak_demo.coach.coach import Coach, Remarks
from shipspeak_demo.coach.hints import Hint
from shipspeak_demo.coach.milestones import Milestone
from shipspeak_demo.coach.scores import Score
from shipspeak_demo.coach.speech import Speech

__all__ = ["Coach", "Hint", "Milestone", "Remarks", "Score", "Speech"]
