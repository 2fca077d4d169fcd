"""Conflation under pressure only: a receiver that lags gets the latest event of each key."""

from __future__ import annotations

from hub.fanout.budget import RingBudget
from hub.fanout.ring import Ring
from hub.model.events import NORMAL, StoredEvent
from shipspeak.realtime.v1 import event_pb2, frame_pb2


def _ring(*keys: str) -> Ring:
    """A ring of one event for each key, offsets from 1."""
    ring = Ring("meeting/42", 7, 0, RingBudget(1 << 20))
    for offset, key in enumerate(keys, 1):
        data = event_pb2.Event(id=f"e{offset}", offset=offset).SerializeToString()
        ring.append(StoredEvent(offset, offset - 1, f"e{offset}", data, NORMAL, key, 0, 0))
    return ring


def _run(frame: bytes) -> event_pb2.TopicRun:
    (run,) = frame_pb2.ServerFrame.FromString(frame).runs
    return run


def test_superseded_events_are_left_out_and_counted():
    """E3, G6: keyed events give way to the latest of their key, events without a key never do."""
    ring = _ring("a", "", "a", "b", "a", "")
    frame, after, through = ring.conflated_frame(0, 0)
    run = _run(frame)
    assert [event.offset for event in run.events] == [2, 4, 5, 6]
    assert run.conflated == 2
    assert (run.after_offset, run.through_offset, after, through) == (0, 6, 6, 6)


def test_an_event_may_give_way_to_one_of_a_later_chunk():
    ring = _ring("a")
    big = event_pb2.Event(id="big", offset=2, publisher="x" * 70_000).SerializeToString()
    ring.append(StoredEvent(2, 1, "big", big, NORMAL, "", 0, 0))
    data = event_pb2.Event(id="e3", offset=3).SerializeToString()
    ring.append(StoredEvent(3, 2, "e3", data, NORMAL, "a", 0, 0))
    runs, slot = [], 0
    while slot < ring.next_slot:
        frame, slot, _ = ring.conflated_frame(slot, 0)
        runs.append(_run(frame))
    assert len(runs) > 1
    assert [event.offset for run in runs for event in run.events] == [2, 3]
    assert sum(run.conflated for run in runs) == 1


def test_the_ordinary_frame_keeps_all():
    frame, _, _ = _ring("a", "a", "a").frame(0, 0)
    assert [event.offset for event in _run(frame).events] == [1, 2, 3]
