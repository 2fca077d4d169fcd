"""The coach: every figure, score and hint can be found by hand from the words and their times."""

from __future__ import annotations

import pytest
from shipspeak_demo.coach import Coach, Hint, Score, Speech
from shipspeak_demo.coach.coach import SCORE_EVERY_WORDS
from shipspeak_demo.coach.hints import QUIET_WORDS
from shipspeak_demo.coach.milestones import STEADY_S
from shipspeak_demo.coach.pace import PAUSE_S, Pace
from shipspeak_demo.coach.scores import LEAST_WORDS, score

CLEAN = "we ship on monday and we tell everybody what has changed since last week. "


class Speaker:
    """Says words one at a time, so many a minute."""

    def __init__(self, words_per_minute: float = 140.0) -> None:
        self.coach = Coach()
        self.text = ""
        self.now = 0.0
        self.gap = 60 / words_per_minute
        self.hints: list[Hint] = []
        self.milestones: list[str] = []
        self.scores: list[Score] = []

    def say(self, text: str) -> None:
        for word in text.split():
            self.text = f"{self.text} {word}".strip()
            self.now += self.gap
            remarks = self.coach.hear(self.text, self.now)
            self.hints += remarks.hints
            self.milestones += [one.id for one in remarks.milestones]
            self.scores += [] if remarks.score is None else [remarks.score]

    def aspects(self) -> list[str]:
        return [hint.aspect for hint in self.hints]


def clean(words: int) -> str:
    return " ".join((CLEAN * (words // 10 + 1)).split()[:words])


def test_a_text_is_counted():
    speech = Speech.read("Um, I think it works. It is, you know, done! And then we go")
    assert (speech.words, speech.sentences, speech.sentence_words) == (14, 2, 10)
    assert speech.fillers == {"um": 1, "you know": 1}
    assert speech.hedges == {"i think": 1}
    assert speech.open_words == 4
    # Behind "you know" come "done", "And", "then", "we", "go".
    assert speech.clean_words == 5


def test_an_empty_text_is_no_speech():
    assert Speech.read(" \n") == Speech()
    assert Coach().hear("", 0.0).hints == ()


def test_pace_is_of_the_time_in_which_somebody_spoke():
    pace = Pace()
    for second in range(31):
        pace.note(float(second), 2 * second + 2)
    assert pace.active_s == 30
    assert pace.overall() == 2 * 62
    before = pace.recent()
    pace.note(30.0 + 60, 64)
    assert pace.active_s == 30 + PAUSE_S
    after = pace.recent()
    assert before is not None
    assert after is not None
    assert after < before


def test_pasted_words_have_no_pace_until_their_time_is_told():
    """B1: nothing is said of a pace that nobody knows."""
    coach = Coach()
    remarks = coach.hear(clean(120), 0.0)
    assert "words_per_minute" not in remarks.figures
    assert remarks.score is not None
    assert "pace" not in remarks.score.dimensions
    told = coach.hear(clean(120), 1.0, untimed_s=60.0)
    assert coach.untimed_words == 120
    assert told.score is not None
    assert told.score.dimensions["pace"] == 100
    assert told.figures["words_per_minute"][0] == 120
    assert coach.elapsed_s == pytest.approx(60.0)


@pytest.mark.parametrize(
    ("text", "pace", "dimensions"),
    [
        (clean(50), 140.0, {"pace": 100, "fluency": 100, "confidence": 100, "brevity": 100}),
        # 2 fillers in 50 words: 4 in 100, at 12 points each.
        ("um um " + clean(48), None, {"fluency": 52, "confidence": 100, "brevity": 100}),
        # 24 words in the one finished sentence: 6 beyond 18, at 4 points each.
        ("go " * 24 + ". go", None, {"fluency": 100, "confidence": 100, "brevity": 76}),
        # 180 words a minute: 20 beyond 160, at 1.25 points each.
        (clean(50), 180.0, {"pace": 75, "fluency": 100, "confidence": 100, "brevity": 100}),
    ],
    ids=["clean", "fillers", "long sentence", "fast"],
)
def test_scores_can_be_made_by_hand(text, pace, dimensions):
    """B2: by dimension, and the whole is their mean."""
    found = score(Speech.read(text), pace)
    assert found is not None
    assert found.dimensions == dimensions
    assert found.overall == round(sum(dimensions.values()) / len(dimensions), 1)


def test_a_few_words_are_judged_by_nobody():
    assert score(Speech.read(clean(LEAST_WORDS - 1)), 140.0) is None


def test_scores_come_every_few_words():
    speaker = Speaker()
    speaker.say(clean(LEAST_WORDS + 3 * SCORE_EVERY_WORDS))
    assert len(speaker.scores) == 4


def test_the_second_filler_lately_brings_a_hint_and_the_next_ones_wait():
    speaker = Speaker()
    speaker.say("um we begin")
    assert speaker.hints == []
    speaker.say("um today")
    [hint] = speaker.hints
    assert (hint.aspect, hint.level) == ("fillers", "nudge")
    assert hint.text.startswith("“um” 2 times just now.")
    speaker.say("um um um")
    assert len(speaker.hints) == 1
    speaker.say(clean(QUIET_WORDS))
    assert len(speaker.hints) == 1, "no hint without another filler"
    speaker.say("um")
    assert speaker.aspects() == ["fillers", "fillers"]


def test_hedges_are_named_as_they_were_said():
    speaker = Speaker()
    speaker.say("I think maybe")
    [hint] = speaker.hints
    assert hint.aspect == "hedging"
    assert hint.text.startswith("“I think” and 1 more like it just now.")


@pytest.mark.parametrize(
    ("words_per_minute", "level"), [(185, "nudge"), (240, "urgent"), (60, "info"), (140, None)]
)
def test_a_pace_that_is_hard_to_follow_is_told(words_per_minute, level):
    speaker = Speaker(words_per_minute)
    speaker.say(clean(30))
    levels = [hint.level for hint in speaker.hints if hint.aspect == "pace"]
    assert levels[:1] == ([] if level is None else [level])


def test_a_sentence_without_end_is_cut():
    speaker = Speaker()
    speaker.say("and so " * 18)
    assert speaker.aspects() == ["brevity"]


def test_milestones_are_told_once():
    """B3: each goal once, however often the text passes it."""
    speaker = Speaker()
    speaker.say(clean(60))
    assert speaker.milestones == ["fifty-words", "clean-fifty"]
    assert speaker.aspects() == ["praise"]
    speaker.text = clean(40)
    speaker.say(clean(60))
    assert speaker.milestones == ["fifty-words", "clean-fifty"]


def test_a_steady_minute_is_one_of_speaking():
    speaker = Speaker(140)
    speaker.say(clean(round(140 * (STEADY_S + 15) / 60)))
    assert "steady-minute" in speaker.milestones
    fast = Speaker(190)
    fast.say(clean(round(190 * (STEADY_S + 15) / 60)))
    assert "steady-minute" not in fast.milestones


def test_the_same_words_at_the_same_times_give_the_same_remarks():
    one, other = Speaker(), Speaker()
    for speaker in (one, other):
        speaker.say("um I think " * 10 + clean(80))
    assert (one.hints, one.scores, one.milestones) == (other.hints, other.scores, other.milestones)
