"""One session's coach: takes revisions of a text, gives what there is to say about each."""

from __future__ import annotations

from dataclasses import dataclass

from shipspeak_demo.coach.hints import Hint, Hints
from shipspeak_demo.coach.milestones import Milestone, Milestones
from shipspeak_demo.coach.pace import Pace
from shipspeak_demo.coach.scores import Score, score
from shipspeak_demo.coach.speech import Speech

SCORE_EVERY_WORDS = 8
"""Scores are told anew when so many words have come or gone."""


@dataclass(frozen=True, slots=True)
class Remarks:
    """What one revision brings.

    Attributes:
        score: None where it would say nothing new.
        figures: value and unit by name, for display.
    """

    hints: tuple[Hint, ...]
    milestones: tuple[Milestone, ...]
    score: Score | None
    figures: dict[str, tuple[float, str]]


class Coach:
    """Judges one session. The same revisions at the same times give the same remarks."""

    def __init__(self) -> None:
        self.speech = Speech()
        self._pace = Pace()
        self._hints = Hints()
        self._milestones = Milestones()
        self._untimed_s = 0.0
        self._scored_words: int | None = None

    def hear(self, text: str, at_s: float, *, untimed_s: float = 0.0) -> Remarks:
        """Take the whole text as it is now.

        Args:
            text: everything said so far.
            at_s: when it came, in seconds since any moment.
            untimed_s: how long the pasted part took to say, told by the speaker; 0 = not told.
        """
        self.speech = speech = Speech.read(text)
        self._pace.note(at_s, speech.words)
        if untimed_s != self._untimed_s:
            self._untimed_s = untimed_s
            self._scored_words = None  # the same words at another pace
        return Remarks(
            hints=self._hints.about(speech, self._pace.recent()),
            milestones=self._milestones.reached(speech, self._pace),
            score=self._fresh_score(),
            figures=self.figures(),
        )

    def score(self) -> Score | None:
        """The scores of everything heard so far; None while it is too little."""
        return score(self.speech, self._pace.overall(self._untimed_s))

    @property
    def elapsed_s(self) -> float:
        """Seconds of speaking: pauses are left out, and what was told for pasted words is in."""
        return self._pace.active_s + self._untimed_s

    @property
    def untimed_words(self) -> int:
        """Words that were pasted."""
        return self._pace.untimed_words

    def figures(self) -> dict[str, tuple[float, str]]:
        """The figures so far: value and unit by name."""
        speech = self.speech
        figures: dict[str, tuple[float, str]] = {"words": (speech.words, "")}
        pace = self._pace.overall(self._untimed_s)
        if pace is not None:
            figures["words_per_minute"] = (round(pace), "")
        figures["fillers"] = (sum(speech.fillers.values()), "")
        figures["hedges"] = (sum(speech.hedges.values()), "")
        figures["sentences"] = (speech.sentences, "")
        return figures

    def _fresh_score(self) -> Score | None:
        words, last = self.speech.words, self._scored_words
        if last is not None and abs(words - last) < SCORE_EVERY_WORDS:
            return None
        found = self.score()
        if found is not None:
            self._scored_words = words
        return found
