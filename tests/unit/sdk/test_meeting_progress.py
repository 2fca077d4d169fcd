"""A meeting's progress: its pace, and that it never moves back."""

from __future__ import annotations

import asyncio

import pytest

from shipspeak_realtime import MeetingPublisher, NetworkError
from tests.unit.sdk.manual_clock import ManualClock, settle
from tests.unit.sdk.meeting_bench import Recorder, meeting_of


async def test_at_most_ten_a_second_and_the_last_one_always(
    meeting: MeetingPublisher, recorder: Recorder, clock: ManualClock
):
    async with meeting.stage("analyse", total=1000) as stage:
        for _ in range(200):
            await stage.advance()
            await clock.advance(0.005)
        await clock.advance(1)
        progress = [update.stage_progress for _, _, update in recorder.sent[1:]]
        assert 9 <= len(progress) <= 11, "one second of work"
        assert progress[-1].fraction == 0.2
        assert [each.fraction for each in progress] == sorted(each.fraction for each in progress)
    assert recorder.sent[-1][2].stage_progress.fraction == 1.0


async def test_progress_never_moves_back(
    meeting: MeetingPublisher, recorder: Recorder, clock: ManualClock
):
    for sent in (10, 30, 20, 30, 40):
        await meeting.upload(sent, 100)
        await clock.advance(1)
    assert [update.upload.sent_bytes for _, _, update in recorder.sent] == [10, 30, 40]
    async with meeting.stage("transcribe", total=10) as stage:
        for done in (5, 3, 6):
            await stage.reach(done)
            await clock.advance(1)
    fractions = [
        u.stage_progress.fraction for _, _, u in recorder.sent if u.HasField("stage_progress")
    ]
    assert fractions == [0.5, 0.6, 1.0]


async def test_a_stage_that_is_entered_again_goes_on_from_where_it_was(
    meeting: MeetingPublisher, recorder: Recorder, clock: ManualClock
):
    first = meeting.stage("transcribe", total=10)
    await first.__aenter__()
    await first.reach(5)
    async with meeting.stage("transcribe", total=10) as again:
        for done in (2, 5, 7):
            await again.reach(done)
            await clock.advance(1)
    fractions = [fraction for _, fraction in recorder.progress]
    assert fractions == [0.5, 0.5, 0.7, 1.0]


async def test_a_stage_that_is_over_tells_nothing_more(
    meeting: MeetingPublisher, recorder: Recorder, clock: ManualClock
):
    async with meeting.stage("transcribe", total=10) as old:
        await old.reach(5)
        async with meeting.stage("analyse", total=10) as new:
            await old.reach(9)
            await clock.advance(1)
            await new.reach(1)
            await clock.advance(1)
    assert recorder.progress == [("transcribe", 0.5), ("analyse", 0.1), ("analyse", 1.0)]


async def test_a_stage_is_over_as_soon_as_the_next_one_is_being_told(
    meeting: MeetingPublisher, recorder: Recorder, clock: ManualClock
):
    old = meeting.stage("transcribe", total=10)
    await old.__aenter__()
    recorder.open.clear()
    beginning = asyncio.create_task(meeting.stage("analyse").__aenter__())
    await settle()
    await old.reach(5)
    recorder.open.set()
    await beginning
    await clock.advance(1)
    assert recorder.kinds == ["stage_changed", "stage_changed"]


async def test_a_stage_whose_beginning_could_not_be_told_has_not_begun(
    meeting: MeetingPublisher, recorder: Recorder, clock: ManualClock
):
    async with meeting.stage("transcribe", total=10) as stage:
        recorder.error = NetworkError("no hub")
        with pytest.raises(NetworkError):
            await meeting.stage("analyse").__aenter__()
        recorder.error = None
        await stage.reach(5)
        await clock.advance(1)
    assert recorder.progress == [("transcribe", 0.5), ("transcribe", 1.0)]


async def test_without_a_list_of_stages_none_comes_twice(recorder: Recorder, clock: ManualClock):
    meeting = meeting_of(recorder, clock, stages=())
    for name in ("first", "second", "second"):
        async with meeting.stage(name):
            pass
    with pytest.raises(ValueError, match="raise the attempt"):
        meeting.stage("first")


async def test_kinds_of_progress_neither_supersede_nor_displace_each_other(
    recorder: Recorder, clock: ManualClock
):
    """G4r: the latest of each key is what one who comes late is given."""
    meeting = meeting_of(recorder, clock, stages=("upload", "analyse"))
    async with meeting.stage("upload", total=10) as stage:
        await meeting.upload(10, 100)
        await settle()
        # Both wait for their turn at once.
        await meeting.upload(20, 100)
        await stage.reach(3)
        await clock.advance(1)
    async with meeting.stage("analyse"):
        pass
    keys = [(update.WhichOneof("update"), key) for _, key, update in recorder.sent]
    assert keys == [
        ("stage_changed", ""),
        *[("upload", "upload:2")] * 2,
        *[("stage_progress", "stage:2:upload")] * 2,
        ("stage_changed", ""),
        ("stage_progress", "stage:2:analyse"),
    ]


async def test_an_upload_is_over_once_a_later_stage_runs(
    meeting: MeetingPublisher, recorder: Recorder, clock: ManualClock
):
    """Readers leave it out; its key would hide the one before from who comes late."""
    async with meeting.stage("transcribe"):
        await meeting.upload(10, 100)
        await clock.advance(1)
    async with meeting.stage("analyse"):
        await meeting.upload(20, 100)
        await clock.advance(1)
    sent = [update.upload.sent_bytes for _, _, update in recorder.sent if update.HasField("upload")]
    assert sent == [10]
