"""A meeting's publisher: order, pace, monotonic progress, the end on an exception."""

from __future__ import annotations

import asyncio

import pytest

from shipspeak.realtime.v1 import meeting_pb2
from shipspeak_realtime import MeetingPublisher, NetworkError, Outcome, Receipt, stable_ids
from shipspeak_realtime.meeting import PROGRESS_KEY
from tests.unit.sdk.manual_clock import ManualClock, settle

STAGES = ("transcribe", "analyse")


class Recorder:
    """Stands where the client stands: keeps what is published, in order."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, meeting_pb2.MeetingUpdate]] = []
        self.error: NetworkError | None = None
        # Cleared, it holds publishing back.
        self.open = asyncio.Event()
        self.open.set()

    async def publish(self, topic, update, *, key, id):  # noqa: A002 - as the client has it
        if self.error is not None:
            raise self.error
        copy = meeting_pb2.MeetingUpdate()
        copy.CopyFrom(update)
        await self.open.wait()
        self.sent.append((id, key, copy))
        return Receipt(topic, id, Outcome.STORED, 1, len(self.sent), duplicate=False)

    @property
    def ids(self) -> list[str]:
        return [draft_id for draft_id, _, _ in self.sent]

    @property
    def progress(self) -> list[tuple[str, float]]:
        all_news = [u.stage_progress for _, _, u in self.sent if u.HasField("stage_progress")]
        return [(news.stage, news.fraction) for news in all_news]

    @property
    def kinds(self) -> list[str | None]:
        return [update.WhichOneof("update") for _, _, update in self.sent]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def meeting(recorder: Recorder, clock: ManualClock) -> MeetingPublisher:
    return MeetingPublisher(
        recorder,  # type: ignore[arg-type]
        "42",
        attempt=2,
        stages=STAGES,
        step_ids=stable_ids("42.2"),
        clock=clock,
    )


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
    assert keys == {"stage_changed": "", "stage_progress": PROGRESS_KEY, "completed": ""}


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
    meeting = MeetingPublisher(
        recorder,  # type: ignore[arg-type]
        "42",
        attempt=1,
        stages=(),
        step_ids=stable_ids("42.1"),
        clock=clock,
    )
    for name in ("first", "second", "second"):
        async with meeting.stage(name):
            pass
    with pytest.raises(ValueError, match="raise the attempt"):
        meeting.stage("first")


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
