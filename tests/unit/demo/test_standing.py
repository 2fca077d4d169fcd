"""What is added up about people and meetings: progress, achievements, rows of the list."""

from __future__ import annotations

from datetime import date

import protovalidate
import pytest
from shipspeak_demo.achievements import achieved
from shipspeak_demo.facts import (
    Completed,
    Fact,
    Failed,
    StageBegan,
    StageProgressed,
    UploadProgressed,
)
from shipspeak_demo.rows import RowPacer
from shipspeak_demo.standing import LEAST_WORDS, standing, streak
from shipspeak_demo.store import Practice

DAY = 86_400.0
NOW = 20_000 * DAY + 3600


def practice(*, words: int, days_ago: int = 0, fillers: int = 1, overall: float = 50) -> Practice:
    at = NOW - days_ago * DAY
    return Practice(
        id=f"{words}-{days_ago}", user="ada", started_at=at, ended_at=at, text="", elapsed_s=60,
        untimed_s=0, overall=overall, figures={"words": (words, ""), "fillers": (fillers, "")},
    )  # fmt: skip


def test_progress_is_added_up_from_sessions_and_meetings():
    """The user's level, goals and streak, by hand."""
    practices = [practice(words=200, days_ago=1), practice(words=105), practice(words=3)]
    progress = standing(practices, 4, NOW)
    # Two sessions that count, four meetings, a point for each ten of 305 words.
    assert progress.points == 2 * 50 + 4 * 50 + 30
    assert progress.level == 2
    assert progress.streak_days == 2
    assert progress.goals == {
        "next-level": pytest.approx(0.1),
        "sessions": 0.2,
        "meetings": 1.0,
        "words": 0.305,
    }
    protovalidate.validate(progress.message())


@pytest.mark.parametrize(
    ("days", "length"),
    [([], 0), ([10], 1), ([9], 1), ([8], 0), ([10, 9, 8, 6], 3), ([9, 8], 2), ([10, 10], 1)],
)
def test_a_streak_ends_today_or_yesterday(days: list[int], length: int):
    assert streak([date(2026, 11, day) for day in days], date(2026, 11, 10)) == length


def test_achievements_follow_from_what_was_done():
    practices = [
        practice(words=120, days_ago=2, fillers=0),
        practice(words=60, days_ago=1, overall=91),
        practice(words=60),
    ]
    keys = [one.key for one in achieved(practices, standing(practices, 0, NOW))]
    assert keys == ["first-session", "clean-session", "score-90", "streak-3"]
    short = [practice(words=LEAST_WORDS - 1, fillers=0, overall=99)]
    assert achieved(short, standing(short, 0, NOW)) == []


def began(stage: str) -> Fact:
    return StageBegan(meeting_id="m", attempt=1, stage=stage, previous="")


def progressed(done: int) -> Fact:
    return StageProgressed(
        meeting_id="m", attempt=1, stage="pace", done=done, total=100, eta_s=None
    )


def test_the_list_is_told_stages_ends_and_steps_that_can_be_seen():
    """A2: the percentage of all stages, as the meeting's own page shows it."""
    pacer = RowPacer()
    upload = UploadProgressed(
        meeting_id="m", attempt=1, sent=50, total=100, bytes_per_second=0, filename="a"
    )
    facts = [began("upload"), upload, began("pace"), *map(progressed, range(10, 101, 10))]
    rows = [row for fact in facts if (row := pacer.take(fact)) is not None]
    assert [(row.status, round(row.percent, 1)) for row in rows] == [
        ("uploading", 0.0),
        ("uploading", 7.1),
        ("processing", 42.9),
        ("processing", 47.1),
        ("processing", 51.4),
        ("processing", 55.7),
    ]
    for row in rows:
        protovalidate.validate(row.message(1))


def test_an_end_is_always_told():
    pacer = RowPacer()
    done = Completed(meeting_id="m", attempt=1, result_url="/r", summary="s" * 400, figures=())
    failed = Failed(
        meeting_id="n", attempt=1, code="C", stage="parse", message="m", what_to_do="w",
        retryable=False, options=(),
    )  # fmt: skip
    rows = [pacer.take(done), pacer.take(failed)]
    assert [(row.status, row.stage, round(row.percent)) for row in rows if row] == [
        ("completed", "", 100),
        ("failed", "parse", 14),
    ]
