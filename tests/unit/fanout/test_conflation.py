"""Conflation under pressure only: a receiver that lags gets the latest event of each key."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from hub.fanout.budget import RingBudget
from hub.fanout.flush import Flusher
from hub.fanout.ring import Ring
from hub.fanout.topic import LiveTopic
from hub.model.events import NORMAL, StoredEvent
from hub.session.position import LAG_SECONDS, Subscription
from shipspeak.realtime.v1 import event_pb2, frame_pb2
from tests.support.fake_sink import FakeSink
from tests.support.manual_clock import ManualClock
from tests.support.memory_engine import MemoryEngine, append
from tests.support.sessions import ScriptedSource, open_session
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import Callable


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


def test_what_has_expired_supersedes_nothing():
    """The state of a key is its newest event that is still of use."""
    ring = Ring("meeting/42", 7, 0, RingBudget(1 << 20))
    for offset, ends in enumerate((0, 0, 50, 50), 1):
        data = event_pb2.Event(id=f"e{offset}", offset=offset).SerializeToString()
        ring.append(StoredEvent(offset, offset - 1, f"e{offset}", data, NORMAL, "a", 0, ends))
    for now_ms, offsets, counts in ((49, [4], (3, 0)), (50, [2], (1, 2))):
        run = _run(ring.conflated_frame(0, now_ms)[0])
        assert [event.offset for event in run.events] == offsets
        assert (run.conflated, run.expired) == counts


def test_what_lies_behind_the_horizon_neither_gives_way_nor_supersedes():
    """G2: of a snapshot, only what stood in the log when it was asked for may be left out."""
    ring = _ring("a", "", "a", "b", "a", "a")
    for horizon, offsets in ((3, [2, 3, 4, 5, 6]), (4, [2, 3, 4, 5, 6]), (5, [2, 4, 5, 6])):
        run = _run(ring.conflated_frame(0, 0, horizon)[0])
        assert [event.offset for event in run.events] == offsets
        assert run.conflated == 6 - len(offsets)


def test_of_what_lies_before_the_horizon_the_newest_of_use_is_kept():
    ring = Ring("meeting/42", 7, 0, RingBudget(1 << 20))
    for offset, ends in enumerate((0, 0, 50, 0), 1):
        data = event_pb2.Event(id=f"e{offset}", offset=offset).SerializeToString()
        ring.append(StoredEvent(offset, offset - 1, f"e{offset}", data, NORMAL, "a", 0, ends))
    for now_ms, offsets, counts in ((49, [3, 4], (2, 0)), (50, [2, 4], (1, 1))):
        run = _run(ring.conflated_frame(0, now_ms, 3)[0])
        assert [event.offset for event in run.events] == offsets
        assert (run.conflated, run.expired) == counts


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


class _Reader:
    """A session that conflates, on a topic with a key that changes again and again."""

    def __init__(self, *, window: int = 0) -> None:
        self.clock = ManualClock()
        self.sink = FakeSink()
        self.session = open_session(self.clock, self.sink, window=window)
        self.engine = MemoryEngine(self.clock)
        ring = Ring("meeting/42", 7, 0, RingBudget(1 << 20))
        self.live = LiveTopic(ring, self.engine, Flusher(self.clock), self.clock)
        self.subscription = Subscription(
            self.session,
            self.live,
            epoch=7,
            offset=0,
            slot=0,
            rights_until=math.inf,
            conflate=True,
        )
        self.session.add_subscription(self.subscription)

    def store(self, count: int) -> None:
        """Store events of one key, each flushed on its own."""
        for _ in range(count):
            offset = self.live.ring.head + 1
            data = event_pb2.Event(id=f"e{offset}", offset=offset).SerializeToString()
            self.live.ring.append(
                StoredEvent(offset, offset - 1, f"e{offset}", data, NORMAL, "k", 0, 0)
            )
            self.session.offer(self.subscription)


def _waits_for_a_control_frame(reader: _Reader) -> None:
    reader.session.send_control(b"")
    reader.session.send_control(b"")


def _waits_for_a_run(reader: _Reader) -> None:
    reader.store(1)


def _waits_for_another_topic(reader: _Reader) -> None:
    reader.session.send_control(b"")
    ScriptedSource("other", [(NORMAL, b"")]).subscribe(reader.session)


@pytest.mark.parametrize(
    "busy", [_waits_for_a_control_frame, _waits_for_a_run, _waits_for_another_topic]
)
def test_a_session_that_lags_gets_the_latest_of_each_key(busy: Callable[[_Reader], None]) -> None:
    """E3: whatever the session waits behind."""
    reader = _Reader()
    busy(reader)
    reader.store(5)
    reader.clock.advance(2 * LAG_SECONDS)
    reader.sink.take_all()
    last = reader.sink.runs[-1]
    assert (len(last.events), last.conflated) == (1, 4)
    reader.store(1)
    assert reader.sink.runs[-1].conflated == 0, "caught up again"


def test_a_session_that_waits_for_a_moment_gets_all() -> None:
    reader = _Reader()
    _waits_for_a_control_frame(reader)
    reader.store(5)
    reader.clock.advance(LAG_SECONDS / 2)
    reader.sink.take_all()
    assert [len(run.events) for run in reader.sink.runs] == [5]


def test_waiting_with_nothing_to_send_is_no_lag() -> None:
    reader = _Reader()
    _waits_for_a_control_frame(reader)
    reader.session.offer(reader.subscription)
    reader.sink.take_all()
    reader.clock.advance(10 * LAG_SECONDS)
    reader.live.ring.append(StoredEvent(1, 0, "e1", b"", NORMAL, "k", 0, 0))
    reader.store(1)
    assert [run.conflated for run in reader.sink.runs] == [0]


async def test_who_has_caught_up_by_the_log_lags_no_more() -> None:
    reader = _Reader()
    await reader.engine.publish([append("meeting/42", f"e{number}") for number in (1, 2)])
    reader.live.ring = Ring("meeting/42", 7, 2, RingBudget(1 << 20))
    reader.subscription.slot = None
    reader.live.subscribers[reader.subscription] = None
    _waits_for_a_control_frame(reader)
    reader.session.offer(reader.subscription)
    reader.clock.advance(10 * LAG_SECONDS)
    reader.sink.take_all()
    await until(lambda: reader.sink.runs)
    reader.sink.take_all()
    reader.live.ring.append(StoredEvent(3, 2, "e3", b"", NORMAL, "k", 0, 0))
    reader.store(1)
    assert [run.conflated for run in reader.sink.runs] == [0, 0]


async def test_who_lags_gets_the_latest_of_each_key_from_the_log_too() -> None:
    """E3: conflation under pressure does not end where the ring begins."""
    reader = _Reader()
    await reader.engine.publish([append("meeting/42", f"e{n}", key="k") for n in range(1, 5)])
    await reader.engine.publish([append("meeting/42", "e5")])
    reader.live = LiveTopic(
        Ring("meeting/42", 7, 5, RingBudget(1 << 20)),
        reader.engine,
        Flusher(reader.clock),
        reader.clock,
    )
    reader.subscription = Subscription(
        reader.session, reader.live, epoch=7, offset=0, slot=None, rights_until=math.inf
    )
    reader.subscription.conflate = True
    reader.live.subscribers[reader.subscription] = None
    _waits_for_a_control_frame(reader)
    reader.session.offer(reader.subscription)
    reader.clock.advance(2 * LAG_SECONDS)
    reader.sink.take_all()
    await until(lambda: reader.sink.runs)
    (run,) = reader.sink.runs
    assert [event.offset for event in run.events] == [4, 5]
    assert (run.conflated, run.through_offset) == (3, 5)
