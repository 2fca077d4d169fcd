"""Figures of the samples against a table; the comments say which numbers were added up by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shipspeak_demo.analysis.pipeline import STAGES, Analysis, analyse
from shipspeak_demo.analysis.questions import questions_in
from shipspeak_demo.analysis.wordlists import FILLERS, HEDGES, find_terms
from shipspeak_demo.facts import STAGE_NAMES
from shipspeak_demo.transcript import Cue, Transcript, read_transcript

# Talk times: the lengths of each speaker's cues added up, in seconds.
# Dana  5+6.5+4+3+3+6+6+6+6+4+4+8+4 = 65.5; Lee 7+5+7+5+5+9+5+7+6+3 = 59;
# Priya 8+6+6+9+9+6+7+4+8 = 63; together 187.5. Words: totals by an independent count below.
WEEKLY = {
    # speaker: talk_ms, share, words, cues, turns, wpm, fillers, hedges, questions, overlaps
    "Dana": (65_500, 0.3493, 147, 13, 11, 134.7, 1, 0, 8, 2),
    "Lee": (59_000, 0.3147, 144, 10, 8, 146.4, 8, 11, 1, 1),
    "Priya": (63_000, 0.3360, 135, 9, 6, 128.6, 4, 0, 2, 1),
}
# Coach 4+4+5+6+4+3+5+5+6+6+4+5 = 57; Omar 3+7+7+7+6+7+5+7+6+7+7+6+6+7+7+8+6+4 = 113.
PITCH = {
    "Coach": (57_000, 0.3353, 127, 12, 12, 133.7, 0, 4, 5, 1),
    "Omar": (113_000, 0.6647, 260, 18, 11, 138.1, 10, 6, 3, 1),
}
TERMS = {
    ("weekly-review.vtt", "Lee", "fillers"): {
        "uh": 2, "you know": 2, "actually": 1, "hmm": 1, "i mean": 1, "um": 1,
    },
    ("weekly-review.vtt", "Lee", "hedges"): {
        "i think": 3, "maybe": 2, "i guess": 1, "kind of": 1, "might": 1, "perhaps": 1,
        "probably": 1, "sort of": 1,
    },
    ("weekly-review.vtt", "Priya", "fillers"): {"um": 2, "basically": 1, "uh": 1},
    ("pitch-practice.srt", "Omar", "fillers"): {
        "um": 4, "uh": 2, "you know": 2, "basically": 1, "i mean": 1,
    },
    ("pitch-practice.srt", "Coach", "hedges"): {
        "a little bit": 1, "maybe": 1, "probably": 1, "sort of": 1,
    },
}  # fmt: skip
TOTALS = {
    # cues, words, duration_ms, talk_ms, turns, monologue (who, from, length, words), overlap_ms
    "weekly-review.vtt": (32, 426, 197_200, 187_500, 25, ("Priya", 76_200, 24_700, 51), 1300),
    "pitch-practice.srt": (30, 387, 182_500, 170_000, 23, ("Omar", 12_500, 36_000, 78), 500),
}


def table(figures: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Put each speaker's figures side by side, in the order of the tables above."""
    rows = {}
    stages = ("speakers", "pace", "language", "questions")
    lists = [figures[stage]["by_speaker"] for stage in stages]
    lists.append(figures["summary"]["overlaps"]["by_speaker"])
    for who, pace, language, asked, overlaps in zip(*lists, strict=True):
        names = {one["speaker"] for one in (who, pace, language, asked, overlaps)}
        assert len(names) == 1
        rows[names.pop()] = (
            who["talk_ms"], who["share"], who["words"], who["cues"], who["turns"],
            pace["words_per_minute"], language["fillers"]["total"], language["hedges"]["total"],
            asked["count"], overlaps["count"],
        )  # fmt: skip
    return rows


@pytest.mark.parametrize(
    ("name", "rows"), [("weekly-review.vtt", WEEKLY), ("pitch-practice.srt", PITCH)]
)
def test_figures_by_speaker(samples, name, rows):
    figures = analyse(read_transcript((samples / name).read_bytes()))
    assert table(figures) == rows
    for key in ("fillers", "hedges"):
        at = 6 if key == "fillers" else 7
        assert figures["language"][key] == sum(row[at] for row in rows.values())
    assert figures["questions"]["count"] == sum(row[8] for row in rows.values())


@pytest.mark.parametrize("name", TOTALS)
def test_totals(samples, name):
    summary = analyse(read_transcript((samples / name).read_bytes()))["summary"]
    longest = summary["longest_monologue"]
    assert (
        summary["cues"], summary["words"], summary["duration_ms"], summary["talk_ms"],
        summary["turns"],
        (longest["speaker"], longest["start_ms"], longest["duration_ms"], longest["words"]),
        summary["overlaps"]["overlap_ms"],
    ) == TOTALS[name]  # fmt: skip


@pytest.mark.parametrize(("name", "speaker", "kind"), TERMS)
def test_terms(samples, name, speaker, kind):
    language = analyse(read_transcript((samples / name).read_bytes()))["language"]
    one = next(one for one in language["by_speaker"] if one["speaker"] == speaker)
    assert one[kind]["terms"] == TERMS[name, speaker, kind]


@pytest.mark.parametrize("name", TOTALS)
def test_words_agree_with_a_count_by_spaces(samples, name):
    # The samples have no free-standing marks, so words are what stands between spaces.
    transcript = read_transcript((samples / name).read_bytes())
    assert TOTALS[name][1] == sum(len(cue.text.split()) for cue in transcript.cues)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Um, I mean, you know, um.", ["um", "i mean", "you know", "um"]),
        ("The umbrella is actually mine", ["actually"]),
        ("you. Know", ["you know"]),
        ("", []),
    ],
)
def test_fillers(text, found):
    assert find_terms(text, FILLERS) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I think, maybe, it might", ["i think", "maybe", "might"]),
        ("I feel like a little bit more or less", ["i feel like", "a little bit", "more or less"]),
        ("He thinks so, mightily", []),
    ],
)
def test_hedges(text, found):
    assert find_terms(text, HEDGES) == found


def test_the_lists_share_no_term():
    assert not set(FILLERS) & set(HEDGES)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Why? Because. Really?!", ["Why?", "Really?!"]),
        ('She said "why?" and left.', ['She said "why?"']),
        ('She asked: "Why?"', ['She asked: "Why?"']),
        ("Is 3.5 enough? No.", ["Is 3.5 enough?"]),
        ("What?? Now", ["What??"]),
        ("a?b", []),
        ("no end", []),
    ],
)
def test_questions(text, found):
    assert questions_in(text) == found


def test_estimated_times_give_no_pace():
    figures = analyse(read_transcript(b"Dana: one two three\nLee: four\n"))
    assert figures["pace"]["words_per_minute"] is None
    assert [one["share"] for one in figures["speakers"]["by_speaker"]] == [0.75, 0.25]


def test_a_later_monologue_of_the_same_length_does_not_win():
    cues = (Cue(0, 1000, "A", "one"), Cue(1000, 2000, "B", "two"), Cue(2000, 3000, "A", "three"))
    summary = analyse(Transcript("vtt", "exact", cues))["summary"]
    assert summary["longest_monologue"]["start_ms"] == 0


def test_stage_names_match_what_watchers_are_told():
    assert ("upload", "parse", *(stage.name for stage in STAGES)) == STAGE_NAMES


def run_cut(transcript: Transcript, cut: int) -> dict[str, Any]:
    """Run every stage, and put the place through JSON after step number ``cut``."""
    analysis, steps = Analysis(), 0
    while not analysis.done:
        while analysis.cue < len(transcript.cues):
            analysis.step(transcript.cues[analysis.cue])
            steps += 1
            if steps == cut:
                analysis = Analysis.from_json(analysis.to_json())
        analysis.finish_stage(transcript.timing)
    return analysis.figures


@pytest.mark.parametrize("name", TOTALS)
def test_resumed_at_every_cut_the_result_is_the_same(samples, name):
    transcript = read_transcript((samples / name).read_bytes())
    whole = json.dumps(analyse(transcript))
    for cut in range(1, len(transcript.cues) * len(STAGES) + 1):
        assert json.dumps(run_cut(transcript, cut)) == whole


CUES = st.lists(
    st.builds(
        lambda start, length, speaker, text: Cue(start, start + length, speaker, text),
        st.integers(0, 5000), st.integers(0, 3000), st.sampled_from("ABC"),
        st.sampled_from(["um yes", "maybe? no", "why?", "I think so", "one two three"]),
    ),
    min_size=1, max_size=12,
)  # fmt: skip


@given(CUES, st.data())
def test_resumed_anywhere_any_transcript_gives_the_same(cues, data):
    transcript = Transcript("vtt", "exact", tuple(sorted(cues, key=lambda cue: cue.start_ms)))
    cut = data.draw(st.integers(1, len(cues) * len(STAGES)))
    figures = run_cut(transcript, cut)
    assert json.dumps(figures) == json.dumps(analyse(transcript))
    assert figures["summary"]["words"] == sum(one["words"] for one in figures["pace"]["by_speaker"])
    assert figures["summary"]["turns"] == sum(
        one["turns"] for one in figures["speakers"]["by_speaker"]
    )
