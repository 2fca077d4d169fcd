"""A meeting's publisher: order, estimates, the end on an exception, mistakes."""

from __future__ import annotations

import asyncio

import pytest

from shipspeak_realtime import MeetingPublisher, NetworkError, stable_ids
from tests.unit.sdk.manual_clock import ManualClock, settle
from tests.unit.sdk.meeting_bench import STAGES, Recorder


async def test_a_whole_life(meeting: MeetingPublisher, recorder: Recorder):
    async with meeting:
        await meeting.upload(10, 10, file_name="talk.vtt")
        async with meeting.stage("transcribe", total=4) as stage:
            await stage.advance(4)
        async with meeting.stage("analyse"):
            pass
        receipt = await meeting.completed("/meetings/42", "done")
    assert receipt.offset == 6
    assert recorder.ids == [
        "42.2:upload:10",
        "42.2:stage:transcribe",
        "42.2:progress:transcribe:end",
        "42.2:stage:analyse",
        "42.2:progress:analyse:end",
        "42.2:completed",
    ]
    assert {update.attempt for _, _, update in recorder.sent} == {2}
    changed = [
        update.stage_changed for _, _, update in recorder.sent if update.HasField("stage_changed")
    ]
    assert [(each.stage, each.previous, tuple(each.stages)) for each in changed] == [
        ("transcribe", "", STAGES),
        ("analyse", "transcribe", STAGES),
    ]


async def test_only_progress_may_be_conflated(meeting: MeetingPublisher, recorder: Recorder):
    async with meeting:
        async with meeting.stage("transcribe", total=2) as stage:
            await stage.advance()
        await meeting.completed("/r")
    keys = {update.WhichOneof("update"): key for _, key, update in recorder.sent}
    assert keys == {"stage_changed": "", "stage_progress": "stage:2:transcribe", "completed": ""}


async def test_an_estimate_only_in_the_last_stage(
    meeting: MeetingPublisher, recorder: Recorder, clock: ManualClock
):
    for name in STAGES:
        async with meeting.stage(name, total=10) as stage:
            await clock.advance(4)
            await stage.reach(4)
            await settle()
    first, second = [
        update.stage_progress
        for _, _, update in recorder.sent
        if update.HasField("stage_progress") and update.stage_progress.fraction < 1
    ]
    assert not first.HasField("eta")
    assert second.eta.ToTimedelta().total_seconds() == pytest.approx(6)


async def test_an_exception_is_published_as_failure(meeting: MeetingPublisher, recorder: Recorder):
    async def work() -> None:
        async with meeting, meeting.stage("analyse", total=3) as stage:
            await stage.advance()
            raise KeyError("a secret of the service")

    with pytest.raises(KeyError):
        await work()
    failed = recorder.sent[-1][2].failed
    assert (failed.code, failed.retryable, failed.stage) == ("PROCESSING_FAILED", True, "analyse")
    assert "secret" not in failed.message
    assert "42.2:progress:analyse:end" not in recorder.ids


async def test_the_callers_error_wins_when_the_failure_cannot_be_told(
    meeting: MeetingPublisher, recorder: Recorder
):
    async def work() -> None:
        async with meeting:
            recorder.error = NetworkError("no hub")
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await work()


async def test_a_told_failure_is_not_told_twice(meeting: MeetingPublisher, recorder: Recorder):
    async def work() -> None:
        async with meeting:
            await meeting.failed("TRANSCRIPT_BROKEN", "The file cannot be read.")
            raise KeyError("after it")

    with pytest.raises(KeyError):
        await work()
    assert recorder.kinds == ["failed"]


async def test_cancellation_is_no_failure(meeting: MeetingPublisher, recorder: Recorder):
    begun = asyncio.Event()

    async def work() -> None:
        async with meeting:
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert recorder.sent == []


async def test_a_lost_progress_update_stops_nothing(
    meeting: MeetingPublisher, recorder: Recorder, clock: ManualClock
):
    async with meeting.stage("transcribe", total=10) as stage:
        recorder.error = NetworkError("no hub")
        await stage.advance()
        await clock.advance(1)
        recorder.error = None
    assert recorder.ids == ["42.2:stage:transcribe", "42.2:progress:transcribe:end"]


async def test_mistakes_are_refused(meeting: MeetingPublisher):
    with pytest.raises(ValueError, match="none of the stages"):
        meeting.stage("sing")
    async with meeting.stage("analyse"):
        pass
    with pytest.raises(ValueError, match="raise the attempt"):
        meeting.stage("transcribe")
    await meeting.completed("/r")
    for call in (meeting.completed("/r"), meeting.upload(1)):
        with pytest.raises(ValueError, match="has ended"):
            await call


def test_stable_ids_fit_the_contract():
    make = stable_ids("42.1")
    assert make("stage:analyse") == "42.1:stage:analyse"
    for strange in ("stage:été", "x" * 100):
        assert make(strange) == make(strange)
        assert len(make(strange)) == 64
        assert make(strange).isalnum()
