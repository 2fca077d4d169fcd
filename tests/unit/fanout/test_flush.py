"""When topics are flushed: at once when idle, paced under load, in slices."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from hub.fanout import flush
from hub.fanout.budget import RingBudget
from hub.fanout.flush import SLICE, Flusher
from hub.fanout.ring import Ring
from hub.fanout.topic import LiveTopic
from hub.session.position import Subscription
from hub.session.states import State
from tests.support.fake_sink import FakeSink
from tests.support.manual_clock import ManualClock
from tests.support.memory_engine import MemoryEngine
from tests.support.sessions import open_session
from tests.support.until import until
from tests.unit.fanout.events import stored

if TYPE_CHECKING:
    import pytest

    from hub.session.session import Session


class _Topic:
    """A live topic with readers."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.flusher = Flusher(self.clock)
        engine = MemoryEngine(self.clock)
        ring = Ring("meeting/1", 1, 0, RingBudget(1 << 20))
        self.live = LiveTopic(ring, engine, self.flusher, self.clock)
        self.sessions: list[Session] = []

    def reader(self, *, automatic: bool = False) -> FakeSink:
        sink = FakeSink(automatic=automatic)
        session = open_session(self.clock, sink)
        subscription = Subscription(
            session, self.live, epoch=1, offset=0, slot=0, rights_until=math.inf
        )
        self.live.subscribers[subscription] = None
        session.add_subscription(subscription)
        self.sessions.append(session)
        return sink

    def another(self, name: str) -> LiveTopic:
        """Another topic that the first reader reads too."""
        engine = MemoryEngine(self.clock)
        live = LiveTopic(Ring(name, 1, 0, RingBudget(1 << 20)), engine, self.flusher, self.clock)
        subscription = Subscription(
            self.sessions[0], live, epoch=1, offset=0, slot=0, rights_until=math.inf
        )
        live.subscribers[subscription] = None
        self.sessions[0].add_subscription(subscription)
        return live

    def store(self, *offsets: int) -> None:
        self.live.on_events([stored(offset) for offset in offsets])


def _offsets(sink: FakeSink) -> list[list[int]]:
    return [[event.offset for event in run.events] for run in sink.runs]


async def _turns(count: int = 1) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_an_idle_topic_is_flushed_in_the_next_turn_of_the_loop() -> None:
    topic = _Topic()
    sink = topic.reader()
    topic.store(1)
    assert sink.frames == [], "the commit's own turn only marks"
    await _turns()
    assert _offsets(sink) == [[1]]


async def test_what_comes_in_one_turn_goes_in_one_frame() -> None:
    topic = _Topic()
    sink = topic.reader()
    for offset in (1, 2, 3):
        topic.store(offset)
    await _turns()
    assert _offsets(sink) == [[1, 2, 3]]


async def test_all_readers_at_the_same_place_get_the_same_bytes() -> None:
    topic = _Topic()
    sinks = [topic.reader() for _ in range(10)]
    topic.store(1)
    await _turns()
    assert len({id(sink.frames[0]) for sink in sinks}) == 1


async def test_under_load_the_next_flush_waits_for_the_writers_of_the_last() -> None:
    topic = _Topic()
    sinks = [topic.reader() for _ in range(4)]
    topic.store(1)
    await _turns()
    topic.store(2)
    topic.store(3)
    await _turns(5)
    assert all(_offsets(sink) == [[1]] for sink in sinks)
    for sink in sinks:
        sink.take()
    await until(lambda: len(sinks[0].frames) == 2)
    assert all(_offsets(sink) == [[1], [2, 3]] for sink in sinks)


async def test_the_gap_ends_when_what_was_coming_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flush, "GAP_SHARE", 1e9)
    monkeypatch.setattr(flush, "MAX_GAP_SECONDS", 3600.0)
    topic = _Topic()
    sink = topic.reader()
    topic.store(1)
    await _turns()
    for offset in range(2, 10):
        topic.store(offset)
    sink.take()
    topic.store(10)
    await until(lambda: len(sink.frames) == 2)
    assert _offsets(sink) == [[1], list(range(2, 11))]


async def test_urgent_news_takes_its_turn_before_its_topics_paced_flush() -> None:
    """G8, E3."""
    topic = _Topic()
    sink = topic.reader()
    first, second = topic.another("brief/1"), topic.another("brief/2")
    topic.store(1)
    await _turns()
    first.on_events([stored(1)])
    second.on_events([stored(1)])
    await _turns(3)
    assert _offsets(sink) == [[1]], "both wait, since the transport has not taken the frame"
    second.on_events([stored(2, priority=1)])
    sink.take()
    assert [(run.topic, run.through_offset) for run in sink.runs][1:] == [("brief/2", 2)]


async def test_a_reader_that_never_takes_its_frame_delays_the_others_for_a_moment_only() -> None:
    topic = _Topic()
    stalled = topic.reader()
    quick = [topic.reader(automatic=True) for _ in range(3)]
    topic.store(1)
    await _turns(3)
    for offset in range(2, 6):
        topic.store(offset)
        await until(lambda: _offsets(quick[0])[-1:] == [[offset]])  # noqa: B023 - used at once
    assert _offsets(stalled) == [[1]]
    stalled.take()
    assert _offsets(stalled) == [[1], [2, 3, 4, 5]]


async def test_a_wide_flush_lets_the_loop_breathe_between_slices() -> None:
    topic = _Topic()
    sinks = [topic.reader() for _ in range(3 * SLICE)]
    topic.store(1)
    reached = []
    for _ in range(5):
        await _turns()
        reached.append(sum(1 for sink in sinks if sink.frames))
    assert reached == [SLICE, 2 * SLICE, 3 * SLICE, 3 * SLICE, 3 * SLICE]


async def test_who_unsubscribes_between_two_slices_gets_nothing_more() -> None:
    topic = _Topic()
    sinks = [topic.reader() for _ in range(SLICE + 1)]
    topic.store(1)
    await _turns()
    leaving = topic.sessions[-1]
    subscription = leaving.remove_subscription("meeting/1")
    assert subscription is not None
    topic.live.subscribers.pop(subscription)
    await _turns(2)
    assert sinks[-1].frames == []
    assert all(sink.frames for sink in sinks[:-1])


async def test_a_reader_that_fails_ends_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    topic = _Topic()
    first, broken, last = (topic.reader(automatic=True) for _ in range(3))

    def fail(_frame: bytes) -> None:
        raise RuntimeError("transport")

    monkeypatch.setattr(broken, "send", fail)
    topic.store(1)
    await _turns(3)
    assert topic.sessions[1].state is State.CLOSED
    assert len(broken.closed) == 1
    topic.store(2)
    await until(lambda: len(last.frames) == 2)
    assert _offsets(first) == _offsets(last) == [[1], [2]]


async def test_without_readers_nothing_is_scheduled() -> None:
    topic = _Topic()
    topic.store(1)
    await _turns()
    assert topic.flusher._cycles == {}


async def test_a_finished_flush_leaves_nothing_behind() -> None:
    topic = _Topic()
    topic.reader(automatic=True)
    topic.store(1)
    await _turns(3)
    assert topic.flusher._cycles == {}


async def test_landings_of_a_flush_that_was_given_up_do_not_finish_the_next_one() -> None:
    topic = _Topic()
    late, current = ([topic.reader() for _ in range(10)] for _ in range(2))
    topic.store(1)
    await _turns()
    topic.store(2)
    for sink in current:
        sink.take()
    await until(lambda: _offsets(current[0]) == [[1], [2]])
    for sink in late:
        sink.take()
    assert topic.flusher._cycles, "the second flush is still in flight"
    for sink in current:
        sink.take()
    assert topic.flusher._cycles == {}
