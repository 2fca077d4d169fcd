"""Leases on an injected clock: one holder at a time, and nothing lost when it dies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from shipspeak_demo.store import Database, JobQueue, LeaseLost, Meetings, NotFailed, Uploads

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def database(tmp_path):
    database = Database(tmp_path / "demo.sqlite3")
    yield database
    database.close()


@pytest.fixture
def queue(database, clock):
    return JobQueue(database, clock, lease_s=5.0)


@pytest.fixture
def meetings(database, clock):
    return Meetings(database, clock)


@pytest.fixture
def uploads(database, clock):
    return Uploads(database, clock)


@pytest.fixture
def queued(meetings, uploads):
    meeting = meetings.create("Title", "a.vtt", 10)
    uploads.advance(uploads.get(meeting.upload_id), 10)
    return meetings.get(meeting.id)


def test_the_file_is_synced_at_every_commit(database):
    with database.reading() as sql:
        assert sql.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert sql.execute("PRAGMA synchronous").fetchone()[0] == 2


def test_a_part_of_an_upload_queues_nothing(meetings, uploads, queue):
    meeting = meetings.create("Title", "a.vtt", 10)
    uploads.advance(uploads.get(meeting.upload_id), 9)
    assert meetings.get(meeting.id).status == "uploading"
    assert queue.claim("w") is None


def test_one_holder_at_a_time(queued, queue, meetings):
    lease = queue.claim("w1")
    assert (lease.meeting_id, lease.attempt, lease.size) == (queued.id, 1, 10)
    assert meetings.get(queued.id).status == "processing"
    assert queue.claim("w2") is None


def test_the_longest_waiting_job_goes_first(meetings, uploads, queue, clock):
    ids = []
    for _ in range(3):
        meeting = meetings.create("Title", "a.vtt", 1)
        uploads.advance(uploads.get(meeting.upload_id), 1)
        ids.append(meeting.id)
        clock.advance(1)
    assert [queue.claim("w").meeting_id for _ in ids] == ids


def test_a_dead_workers_job_is_taken_up_at_its_checkpoint(queued, queue, clock):
    dead = queue.claim("w1")
    queue.checkpoint(dead, "place 7")
    clock.advance(4.999)
    assert queue.claim("w2") is None
    clock.advance(0.001)
    taken = queue.claim("w2")
    assert (taken.meeting_id, taken.checkpoint, taken.stalls) == (queued.id, "place 7", 1)


def test_a_renewed_lease_goes_on(queued, queue, clock):
    lease = queue.claim("w1")
    for _ in range(4):
        clock.advance(4)
        queue.renew(lease)
        assert queue.claim("w2") is None


def test_a_late_holder_can_write_nothing(queued, queue, meetings, clock):
    late = queue.claim("w1")
    clock.advance(5)
    taken = queue.claim("w1")
    writes: list[Callable[[], None]] = [
        lambda: queue.renew(late),
        lambda: queue.release(late),
        lambda: queue.checkpoint(late, "old"),
        lambda: queue.settle(late, "old", result="{}"),
        lambda: queue.close(late),
    ]
    for write in writes:
        with pytest.raises(LeaseLost):
            write()
    assert meetings.get(queued.id).status == "processing"
    queue.checkpoint(taken, "new")


def test_a_released_job_is_free_at_once_and_counts_no_stall(queued, queue):
    lease = queue.claim("w1")
    queue.checkpoint(lease, "here")
    queue.release(lease)
    taken = queue.claim("w2")
    assert (taken.checkpoint, taken.stalls) == ("here", 0)


def test_stalls_count_leases_without_a_checkpoint(queued, queue, clock):
    for stalls in range(3):
        assert queue.claim("w").stalls == stalls
        clock.advance(5)
    lease = queue.claim("w")
    queue.checkpoint(lease, "moved")
    clock.advance(5)
    assert queue.claim("w").stalls == 1


def test_an_outcome_that_was_not_published_comes_back(queued, queue, meetings, clock):
    lease = queue.claim("w1")
    queue.settle(lease, "outcome", result=json.dumps({"a": 1}))
    assert (meetings.get(queued.id).status, meetings.get(queued.id).result) == (
        "completed",
        {"a": 1},
    )
    clock.advance(5)
    again = queue.claim("w2")
    assert again.outcome == "outcome"
    assert meetings.get(queued.id).status == "completed"
    queue.close(again)
    clock.advance(50)
    assert queue.claim("w3") is None


def fail(queue: JobQueue) -> None:
    lease = queue.claim("w")
    assert lease is not None
    queue.checkpoint(lease, "half way")
    queue.settle(lease, "failed", failure=json.dumps({"code": "X"}))
    queue.close(lease)


def test_retry_stage_keeps_the_checkpoint(queued, queue, meetings):
    fail(queue)
    assert meetings.get(queued.id).failure == {"code": "X"}
    again = meetings.retry_stage(queued.id)
    assert (again.status, again.attempt, again.failure) == ("queued", 2, None)
    lease = queue.claim("w")
    assert (lease.attempt, lease.checkpoint, lease.upload_id) == (2, "half way", queued.upload_id)


def test_upload_again_starts_afresh(queued, queue, meetings, uploads):
    fail(queue)
    again = meetings.upload_again(queued.id, "b.vtt", 4)
    assert (again.status, again.attempt, again.size, again.received) == ("uploading", 2, 4, 0)
    with pytest.raises(KeyError):
        uploads.get(queued.upload_id)
    uploads.advance(uploads.get(again.upload_id), 4)
    lease = queue.claim("w")
    assert (lease.attempt, lease.checkpoint, lease.filename) == (2, None, "b.vtt")


def test_a_replaced_upload_moves_no_more(meetings, uploads):
    meeting = meetings.create("Title", "a.vtt", 10)
    old = uploads.get(meeting.upload_id)
    meetings.upload_again(meeting.id, "b.vtt", 4)
    with pytest.raises(KeyError):
        uploads.advance(old, 10)
    assert meetings.get(meeting.id).status == "uploading"


def test_an_old_failure_published_late_leaves_the_new_attempt_alone(queued, queue, meetings, clock):
    lease = queue.claim("w1")
    queue.settle(lease, "failed", failure="{}")
    meetings.retry_stage(queued.id)
    clock.advance(5)
    first, second = queue.claim("w2"), queue.claim("w2")
    assert {first.attempt: first.outcome, second.attempt: second.outcome} == {1: "failed", 2: None}
    assert meetings.get(queued.id).status == "processing"


@pytest.mark.parametrize("recover", ["retry_stage", "upload_again"])
def test_only_a_failure_is_recovered_from(queued, meetings, recover):
    arguments = {"retry_stage": (), "upload_again": ("b.vtt", 4)}[recover]
    with pytest.raises(NotFailed) as caught:
        getattr(meetings, recover)(queued.id, *arguments)
    assert caught.value.status == "queued"
