"""A job from lease to end, cut at every publish, on an injected clock."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from shipspeak_demo.analysis.pipeline import analyse
from shipspeak_demo.facts import (
    STAGE_NAMES,
    Completed,
    Failed,
    StageBegan,
    StageProgressed,
    UploadProgressed,
)
from shipspeak_demo.store import Database, JobQueue, Meetings, NotOffered, Uploads
from shipspeak_demo.transcript import Cue, read_transcript
from shipspeak_demo.worker.lanes import do_job, run_lane
from shipspeak_demo.worker.outcome import from_text, to_text
from shipspeak_demo.worker.pacing import SLICES, Pace, slice_ends
from shipspeak_demo.worker.process import Surroundings


class Killed(BaseException):
    """Stands for kill -9: nothing of the worker runs after it."""


class Hub:
    """Keeps events as the hub does: an id that came before is a duplicate and stored once."""

    def __init__(self) -> None:
        self.stored: dict[str, object] = {}
        self.duplicates = 0
        self.calls = 0
        self.kill_at: int | None = None
        self.kill_before = True

    async def publish(self, fact) -> None:
        self.calls += 1
        killed = self.calls == self.kill_at
        if killed and self.kill_before:
            raise Killed
        self.duplicates += fact.event_id in self.stored
        self.stored.setdefault(fact.event_id, fact)
        if killed:
            raise Killed

    @property
    def facts(self):
        return list(self.stored.values())


class Scene:
    """A database, one queued meeting and a hub."""

    def __init__(self, tmp_path, clock, data: bytes, speed: float = 0.0) -> None:
        self.clock = clock
        self.database = Database(tmp_path / "demo.sqlite3")
        self.meetings = Meetings(self.database, clock)
        self.queue = JobQueue(self.database, clock, lease_s=5.0)
        self.hub = Hub()
        self.waited = 0.0
        uploads = Uploads(self.database, clock)
        self.meeting = self.meetings.create("t", "a.vtt", len(data))
        (tmp_path / self.meeting.upload_id).write_bytes(data)
        uploads.advance(uploads.get(self.meeting.upload_id), len(data))
        self.around = Surroundings(
            queue=self.queue, uploads=tmp_path, publish=self.hub.publish, clock=clock,
            wait=self.wait, speed=speed, public_url="http://127.0.0.1:9",
        )  # fmt: skip

    async def wait(self, seconds: float) -> None:
        self.waited += seconds
        self.clock.advance(seconds)

    async def work(self) -> None:
        lease = self.queue.claim("w")
        assert lease is not None
        await do_job(self.around, lease)

    def now(self):
        return self.meetings.get(self.meeting.id)


@pytest.fixture
def scene(tmp_path, clock):
    scenes: list[Scene] = []

    def make(data: bytes, speed: float = 0.0) -> Scene:
        folder = tmp_path / str(len(scenes))
        folder.mkdir()
        scenes.append(Scene(folder, clock, data, speed))
        return scenes[-1]

    yield make
    for one in scenes:
        one.database.close()


async def test_a_whole_run_tells_every_stage_in_order(scene, samples):
    data = (samples / "weekly-review.vtt").read_bytes()
    one = scene(data)
    await one.work()
    facts = one.hub.facts
    # A back end that was stopped may have told neither the upload's beginning nor its end.
    assert isinstance(facts[1], UploadProgressed)
    assert [f.stage for f in facts if isinstance(f, StageBegan)] == list(STAGE_NAMES)
    assert [f.previous for f in facts if isinstance(f, StageBegan)] == ["", *STAGE_NAMES[:-1]]
    assert isinstance(facts[0], StageBegan)
    for stage in STAGE_NAMES[1:]:
        done = [f.done for f in facts if isinstance(f, StageProgressed) and f.stage == stage]
        assert done == sorted(set(done))
        assert done[-1] == 32
    assert isinstance(facts[-1], Completed)
    assert facts[-1].result_url == f"http://127.0.0.1:9/api/meetings/{one.meeting.id}/result"
    assert one.now().status == "completed"
    figures = analyse(read_transcript(data))
    assert {name: one.now().result[name] for name in figures} == json.loads(json.dumps(figures))
    assert one.queue.claim("w") is None


@pytest.mark.parametrize("kill_before", [True, False], ids=["before", "after"])
async def test_killed_at_every_publish_it_ends_the_same(scene, clock, kill_before):
    data = b"".join(
        b"[00:%02d] %s: um, is this number %d maybe?\n" % (at * 3, b"Ana Bo Cy".split()[at % 3], at)
        for at in range(4)
    )
    whole = scene(data)
    await whole.work()
    for kill_at in range(1, whole.hub.calls + 1):
        one = scene(data)
        one.hub.kill_at, one.hub.kill_before = kill_at, kill_before
        with pytest.raises(BaseExceptionGroup) as caught:
            await one.work()
        assert caught.group_contains(Killed)
        clock.advance(5)
        await one.work()
        result = one.now().result
        assert {**result, "meeting_id": ""} == {**whole.now().result, "meeting_id": ""}
        assert [(type(f), f.step) for f in one.hub.facts] == [
            (type(f), f.step) for f in whole.hub.facts
        ]
        # What had been published before the kill and not yet checkpointed came twice.
        assert one.hub.duplicates >= (not kill_before)


async def test_a_broken_transcript_fails_with_ways_out(scene, samples):
    one = scene((samples / "broken-standup.vtt").read_bytes())
    await one.work()
    failed = one.hub.facts[-1]
    assert isinstance(failed, Failed)
    assert (failed.code, failed.stage, failed.retryable) == ("BROKEN_TRANSCRIPT", "parse", False)
    assert "Line 20" in failed.message
    assert [option.option for option in failed.options] == ["upload_again"]
    assert one.now().failure["options"][0]["option"] == "upload_again"
    assert "meeting_id" not in one.now().failure
    with pytest.raises(NotOffered):
        one.meetings.retry_stage(one.meeting.id)


async def test_an_unreadable_upload_may_be_retried(scene):
    one = scene(b"A: hello\n")
    path = one.around.uploads / one.meeting.upload_id
    data = path.read_bytes()
    path.unlink()
    await one.work()
    failed = one.hub.facts[-1]
    assert (failed.code, failed.retryable, failed.options[0].option) == (
        "UPLOAD_UNREADABLE",
        True,
        "retry_stage",
    )
    path.write_bytes(data)
    one.meetings.retry_stage(one.meeting.id)
    await one.work()
    assert one.now().status == "completed"


async def test_work_that_breaks_off_again_and_again_is_given_up(scene, clock):
    one = scene(b"A: hello\n")
    for _ in range(5):
        assert one.queue.claim("dies") is not None
        clock.advance(5)
    await one.work()
    assert (one.now().status, one.now().failure["code"]) == ("failed", "WORKER_STALLED")


async def test_pace_follows_the_transcripts_own_time(scene):
    cues = b"".join(b"00:%02d.000 --> 00:%02d.000\nA: word\n\n" % (s, s + 6) for s in (10, 20, 30))
    one = scene(b"WEBVTT\n\n" + cues, speed=120)
    await one.work()
    # Five stages, each from 10 s to 36 s of the transcript, 120 times faster.
    assert one.waited == pytest.approx(5 * 26 / 120)
    progress = [f for f in one.hub.facts if isinstance(f, StageProgressed) and f.stage != "parse"]
    etas = [fact.eta_s for fact in progress if fact.eta_s is not None]
    assert len(etas) == len(progress)
    assert etas[0] == pytest.approx((4 * 26 + 20) / 120)
    assert etas == sorted(etas, reverse=True)
    assert etas[-1] == 0


async def test_as_fast_as_possible_waits_for_nothing(scene, samples):
    one = scene((samples / "weekly-review.vtt").read_bytes(), speed=0)
    await one.work()
    assert one.waited == 0


async def test_a_cancelled_lane_gives_the_job_back(scene):
    one = scene(b"A: hello\n")
    in_hand = asyncio.Event()

    async def hub_is_away(fact):
        del fact
        in_hand.set()
        await asyncio.Event().wait()

    around = Surroundings(
        queue=one.queue, uploads=one.around.uploads, publish=hub_is_away, clock=one.clock,
        wait=one.wait, speed=0, public_url="",
    )  # fmt: skip
    lane = asyncio.create_task(run_lane(around, "w"))
    await in_hand.wait()
    lane.cancel()
    with pytest.raises(asyncio.CancelledError):
        await lane
    await one.work()
    assert one.now().status == "completed"


async def test_a_worker_that_was_overtaken_stops_quietly(scene, clock, caplog):
    one = scene(b"A: hello\n")
    late = one.queue.claim("late")
    clock.advance(5)
    await one.work()
    published = one.hub.calls
    await do_job(one.around, late)
    assert "another worker has taken over" in caplog.text
    assert one.hub.duplicates == one.hub.calls - published
    assert one.now().status == "completed"


@pytest.mark.parametrize("cues", [1, 2, 24, 25, 26, 32, 1000])
def test_slices_end_where_a_restart_finds_them(cues):
    ends = slice_ends(cues)
    assert (ends[-1], len(ends) <= SLICES, ends == sorted(set(ends))) == (cues, True, True)
    for at in range(cues):
        assert slice_ends(cues, at) == [end for end in ends if end > at]


def test_time_left_at_full_speed_comes_from_the_rate_so_far():
    pace = Pace(0.0, tuple(Cue(i, i + 1, "A", "x") for i in range(10)), stages=5)
    assert pace.left(0, 0, since_s=0.0, since_cues=0) is None
    assert pace.left(1, 5, since_s=3.0, since_cues=15) == pytest.approx(7.0)
    assert pace.left(4, 10, since_s=9.0, since_cues=50) == 0


def test_outcomes_survive_as_text():
    completed = Completed(meeting_id="m", attempt=1, result_url="/x", summary="s", figures=())
    assert from_text(to_text(completed)) == completed


def test_event_ids_tell_steps_apart_and_stay_the_same():
    def began(**changes: Any) -> StageBegan:
        return StageBegan(
            **{"meeting_id": "m", "attempt": 1, "stage": "pace", "previous": "", **changes}
        )

    ids = {
        began().event_id, began(attempt=2).event_id, began(stage="parse").event_id,
        began(meeting_id="n").event_id,
    }  # fmt: skip
    assert len(ids) == 4
    assert began().event_id == began(previous="other").event_id
