"""The ring: chunks, shared bytes, prefill, holes, memory."""

from __future__ import annotations

import pytest

from hub.fanout.budget import RingBudget
from hub.fanout.chunk import CHUNK_BYTES, Chunk
from hub.fanout.ring import Ring
from hub.model.cursor import decode_cursor
from shipspeak.realtime.v1 import event_pb2, frame_pb2
from tests.unit.fanout.events import stored

EPOCH = 9


@pytest.fixture
def budget() -> RingBudget:
    return RingBudget(1 << 30)


def _ring(budget: RingBudget, head: int = 0, epoch: int = EPOCH) -> Ring:
    return Ring("meeting/1", epoch, head, budget)


def _run(frame: bytes) -> event_pb2.TopicRun:
    (run,) = frame_pb2.ServerFrame.FromString(frame).runs
    return run


def _walk(ring: Ring, slot: int, now_ms: int = 0) -> list[event_pb2.TopicRun]:
    runs: list[event_pb2.TopicRun] = []
    while slot < ring.next_slot:
        frame, slot, _ = ring.frame(slot, now_ms)
        runs += frame_pb2.ServerFrame.FromString(frame).runs
    return runs


def test_a_small_chunk_goes_into_the_frame_before_it_as_a_run_of_its_own(
    budget: RingBudget,
) -> None:
    ring = _ring(budget)
    for offset in range(1, 70):
        ring.append(stored(offset, size=1000))
    edge = ring._chunks[0].entries[-1].offset
    assert edge < 69, "the second chunk has begun"
    frame, slot, through = ring.frame(edge - 3, now_ms=1)
    runs = frame_pb2.ServerFrame.FromString(frame).runs
    assert [(run.after_offset, run.through_offset) for run in runs] == [
        (edge - 3, edge),
        (edge, 69),
    ]
    assert (slot, through) == (ring.next_slot, 69)
    assert ring.frame(edge - 3, now_ms=1)[0] is frame, "all who are up to date share it"
    whole, slot, _ = ring.frame(0, now_ms=1)
    assert len(whole) <= CHUNK_BYTES + 100, "a full chunk goes alone"
    assert slot == edge


def test_a_joined_frame_holds_no_longer_than_each_of_its_runs(budget: RingBudget) -> None:
    ring = _ring(budget)
    for offset in range(1, 70):
        ring.append(stored(offset, size=1000, expires_ms=50 if offset == 69 else 0))
    edge = ring._chunks[0].entries[-1].offset
    before, after = (ring.frame(edge - 1, now_ms)[0] for now_ms in (1, 50))
    assert [run.expired for run in frame_pb2.ServerFrame.FromString(before).runs] == [0, 0]
    assert [run.expired for run in frame_pb2.ServerFrame.FromString(after).runs] == [0, 1]


def test_a_run_covers_exactly_what_lies_between_position_and_head(budget: RingBudget) -> None:
    ring = _ring(budget, head=5)
    for offset, prev in ((7, 5), (8, 7), (12, 8)):
        assert ring.append(stored(offset, prev=prev))
    frame, slot, through = ring.frame(ring.slot_after(7) or 0, 1234)
    run = _run(frame)
    assert (run.topic, run.epoch) == ("meeting/1", EPOCH)
    assert (run.after_offset, run.through_offset, through) == (7, 12, 12)
    assert [event.offset for event in run.events] == [8, 12]
    assert slot == ring.next_slot
    cursor = decode_cursor("meeting/1", run.cursor)
    assert (cursor.epoch, cursor.offset, cursor.event_id) == (EPOCH, 12, "e12")
    assert cursor.as_of_ms == 1234


def test_what_it_has_already_is_dropped(budget: RingBudget) -> None:
    ring = _ring(budget, head=5)
    ring.append(stored(5))
    ring.append(stored(6))
    ring.append(stored(6))
    assert ring.next_slot == 1
    assert [run.through_offset for run in _walk(ring, 0)] == [6]


def test_readers_at_the_same_place_share_the_same_bytes(budget: RingBudget) -> None:
    ring = _ring(budget)
    for offset in range(1, 4):
        ring.append(stored(offset))
    first, *_ = ring.frame(0, 1)
    assert ring.frame(0, 2)[0] is first
    assert ring.frame(1, 2)[0] is not first
    ring.append(stored(4))
    assert ring.frame(0, 3)[0] is not first


def test_no_frame_crosses_the_edge_of_a_chunk_and_late_readers_meet_there(
    budget: RingBudget,
) -> None:
    ring = _ring(budget)
    for offset in range(1, 301):
        ring.append(stored(offset, size=1000))
    whole = _walk(ring, 0)
    edges = [run.through_offset for run in whole]
    assert len(edges) > 3
    assert all(run.ByteSize() <= CHUNK_BYTES + 1000 for run in whole)
    later = _walk(ring, 7)
    assert [run.through_offset for run in later] == edges
    assert [run.after_offset for run in whole] == [0, *edges[:-1]]
    slot = ring.slot_after(edges[0])
    assert slot is not None
    assert ring.frame(slot, 0)[0] is ring.frame(slot, 0)[0]


def test_a_large_event_has_a_chunk_of_its_own(budget: RingBudget) -> None:
    """So that small events before it are not held up in one frame with it."""
    ring = _ring(budget)
    ring.append(stored(1))
    ring.append(stored(2, size=200_000))
    ring.append(stored(3))
    assert [[event.offset for event in run.events] for run in _walk(ring, 0)] == [[1], [2], [3]]


def test_prefilled_events_have_negative_slots(budget: RingBudget) -> None:
    ring = _ring(budget, head=10)
    ring.append(stored(11))
    ring.prefill([stored(offset) for offset in range(4, 13)], after=3)
    assert ring.first_slot == -7
    assert ring.start_offset == 3
    assert [event.offset for run in _walk(ring, -7) for event in run.events] == list(range(4, 12))
    assert ring.slot_after(2) is None
    assert [ring.slot_after(offset) for offset in (3, 9, 10, 11)] == [-7, -1, 0, 1]


def test_prefilling_twice_changes_nothing(budget: RingBudget) -> None:
    ring = _ring(budget, head=3)
    for _ in range(2):
        ring.prefill([stored(2), stored(3)], after=1)
    assert ring.first_slot == -2


def test_a_cursor_is_proved_by_offset_and_id(budget: RingBudget) -> None:
    ring = _ring(budget, head=3)
    ring.prefill([stored(2), stored(3)], after=1)
    ring.append(stored(4))
    assert ring.holds(4, "e4")
    assert ring.holds(3, "e3")
    assert not ring.holds(4, "e3")
    assert not ring.holds(1, "e1")
    assert not ring.holds(5, "e5")
    assert not ring.holds(0, "")


def test_after_a_hole_nobody_reads_on_as_if_nothing_were_missing(budget: RingBudget) -> None:
    ring = _ring(budget)
    ring.append(stored(1))
    caught_up = ring.next_slot
    assert not ring.append(stored(5, prev=4))
    assert caught_up < ring.first_slot, "a reader at 1 must go to the log for 2 to 4"
    assert ring.slot_after(1) is None
    assert ring.slot_after(4) == ring.first_slot
    assert _walk(ring, ring.first_slot)[0].after_offset == 4
    assert ring.append(stored(6))
    assert _walk(ring, ring.first_slot)[-1].through_offset == 6


def test_expired_events_are_left_out_and_counted(budget: RingBudget) -> None:
    ring = _ring(budget)
    ring.append(stored(1, expires_ms=100))
    ring.append(stored(2))
    ring.append(stored(3, expires_ms=200))
    seen = []
    for now_ms in (99, 100, 199, 200):
        run = _run(ring.frame(0, now_ms)[0])
        assert (run.after_offset, run.through_offset) == (0, 3)
        seen.append(([event.offset for event in run.events], run.expired))
    assert seen == [([1, 2, 3], 0), ([2, 3], 1), ([2, 3], 1), ([2], 2)]


def test_a_run_may_hold_no_events(budget: RingBudget) -> None:
    ring = _ring(budget)
    ring.append(stored(1, expires_ms=1))
    run = _run(ring.frame(0, 5)[0])
    assert (list(run.events), run.expired, run.through_offset) == ([], 1, 1)
    assert run.cursor


def test_a_volatile_ring_has_neither_offsets_nor_cursors(budget: RingBudget) -> None:
    ring = _ring(budget, epoch=0)
    for number in range(3):
        assert ring.append(stored(0, prev=0, event_id=f"v{number}"))
    run = _run(ring.frame(1, 0)[0])
    assert [event.id for event in run.events] == ["v1", "v2"]
    assert (run.epoch, run.after_offset, run.through_offset, run.cursor) == (0, 0, 0, b"")


def test_the_last_slot_of_each_priority_is_known(budget: RingBudget) -> None:
    ring = _ring(budget)
    for offset, priority in ((1, 1), (2, 3), (3, 1), (4, 4)):
        ring.append(stored(offset, priority=priority))
    assert ring.last_slots[1] == 2
    assert ring.last_slots[3] == 1
    assert ring.last_slots[4] == 3
    assert ring.last_slots[2] < ring.first_slot


def test_the_budget_drops_the_oldest_chunk_of_all_rings() -> None:
    budget = RingBudget(4 * CHUNK_BYTES)
    first, second = Ring("a/1", 1, 0, budget), Ring("a/2", 1, 0, budget)
    for offset in range(1, 200):
        first.append(stored(offset, size=1000))
    for offset in range(1, 400):
        second.append(stored(offset, size=1000))
        if offset % 100 == 0:
            first.append(stored(199 + offset // 100))
    assert budget.bytes <= 4 * CHUNK_BYTES
    assert first.start_offset > 0
    assert first.slot_after(first.start_offset) == first.first_slot
    assert first.slot_after(0) is None
    assert second.start_offset > 0
    for ring in (first, second):
        runs = _walk(ring, ring.first_slot)
        assert runs[0].after_offset == ring.start_offset
        assert runs[-1].through_offset == ring.head


def test_a_released_ring_gives_its_memory_back_at_once() -> None:
    """Also when a ring that lives on has older chunks."""
    budget = RingBudget(1 << 30)
    lives_on = Ring("a/1", 1, 0, budget)
    for offset in range(1, 200):
        lives_on.append(stored(offset, size=1000))
    kept = budget.bytes
    for number in range(50):
        ring = Ring(f"b/{number}", 1, 0, budget)
        for offset in range(1, 200):
            ring.append(stored(offset, size=1000))
        ring.release()
    assert budget.bytes == kept
    assert len(budget) == len(lives_on._chunks)


def test_frames_kept_for_readers_at_many_places_are_bounded(budget: RingBudget) -> None:
    ring = _ring(budget)
    for offset in range(1, 61):
        ring.append(stored(offset, size=1000))
    for slot in range(60):
        ring.frame(slot, 0)
    kept = sum(len(frame) for chunk in ring._chunks for _, frame in chunk.frames.values())
    assert kept <= 4 * CHUNK_BYTES


@pytest.mark.timeout(20)
def test_a_prefill_that_fills_the_budget_leaves_nothing_behind_that_no_ring_holds() -> None:
    """What was booked and is in no ring could never be dropped: the loop would hang on it."""
    budget = RingBudget(3 * CHUNK_BYTES)
    ring = Ring("a/1", 1, 400, budget)
    ring.append(stored(401))
    ring.prefill([stored(offset, size=1000) for offset in range(1, 401)], after=0)
    assert budget.bytes <= 3 * CHUNK_BYTES
    assert len(budget) == len(ring._chunks)
    assert budget.bytes == sum(chunk.cost for chunk in ring._chunks)
    other = Ring("a/2", 1, 0, budget)
    for offset in range(1, 401):
        other.append(stored(offset, size=1000))
    assert budget.bytes <= 3 * CHUNK_BYTES
    assert len(budget) == len(ring._chunks) + len(other._chunks)
    assert other.head == 400


def test_a_prefill_beyond_the_budget_costs_its_own_oldest_events_first() -> None:
    budget = RingBudget(3 * CHUNK_BYTES)
    ring = Ring("a/1", 1, 400, budget)
    ring.append(stored(401))
    ring.prefill([stored(offset, size=1000) for offset in range(1, 401)], after=0)
    assert ring.holds(401, "e401")
    assert ring.holds(400, "e400")
    runs = _walk(ring, ring.first_slot)
    assert (runs[0].after_offset, runs[-1].through_offset) == (ring.start_offset, 401)


def test_the_budget_shrinks_even_when_an_owner_does_not_let_go() -> None:
    budget = RingBudget(100)

    class Stubborn:
        def drop_oldest(self, chunk: Chunk) -> None:
            """Keeps it."""

    for slot in range(3):
        chunk = Chunk(slot, slot, size=90)
        budget.grow(Stubborn(), chunk, chunk.cost)
    assert (len(budget), budget.bytes) == (1, 90)
