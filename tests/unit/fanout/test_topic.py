"""A reader behind the ring reads the log; what retention took meanwhile is told."""

from __future__ import annotations

import asyncio
import math

import pytest

from hub.errors import Unavailable
from hub.fanout.flush import Flusher
from hub.fanout.registry import TopicRegistry
from hub.session.position import Subscription
from hub.topics.namespaces import Namespaces
from shipspeak.realtime.v1 import error_reason_pb2, frame_pb2
from tests.support.fake_sink import FakeSink
from tests.support.manual_clock import ManualClock
from tests.support.memory_engine import MemoryEngine, append
from tests.support.sessions import open_session
from tests.support.until import until
from tests.unit.fanout.events import stored

TOPIC = "meeting/1"


class _Bench:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.engine = MemoryEngine(self.clock)
        self.registry = TopicRegistry(
            self.engine, Namespaces(), Flusher(self.clock), ring_bytes=1 << 20, clock=self.clock
        )

    async def publish(self, count: int, *, size: int = 10, priority: int = 3) -> None:
        head = self.engine.log(TOPIC).head
        for number in range(head + 1, head + count + 1):
            draft = append(TOPIC, f"e{number}", size=size, priority=priority)
            await self.engine.publish([draft])

    async def reader(self, after: int, *, window: int = 0, automatic: bool = True) -> FakeSink:
        live = await self.registry.open(TOPIC)
        sink = FakeSink(automatic=automatic)
        session = open_session(self.clock, sink, window=window)
        slot = live.ring.slot_after(after)
        self.registry.subscribe(
            live,
            Subscription(
                session,
                live,
                epoch=live.ring.epoch,
                offset=after,
                slot=slot,
                rights_until=math.inf,
            ),
        )
        return sink


@pytest.fixture
async def bench() -> _Bench:
    return _Bench()


async def _until(sink: FakeSink, through: int) -> None:
    await until(lambda: sink.runs and sink.runs[-1].through_offset >= through)


def _check_chain(sink: FakeSink, after: int) -> list[int]:
    """Runs join without hole or overlap; the offsets delivered."""
    offsets = []
    for run in sink.runs:
        assert run.after_offset == after
        after = run.through_offset
        offsets += [event.offset for event in run.events]
    return offsets


async def test_a_reader_far_behind_goes_from_the_log_into_the_ring(bench: _Bench) -> None:
    await bench.publish(2000, size=100)
    sink = await bench.reader(0)
    await _until(sink, 2000)
    await bench.publish(1)
    await _until(sink, 2001)
    assert _check_chain(sink, 0) == list(range(1, 2002))


async def test_readers_at_the_same_place_share_the_read_and_the_bytes(bench: _Bench) -> None:
    await bench.publish(600)
    bench.engine.reads = 0
    await bench.registry.open(TOPIC)
    sinks = [await bench.reader(0) for _ in range(10)]
    for sink in sinks:
        await _until(sink, 600)
    assert bench.engine.reads <= 3, "one to fill the ring, and the pages that lie before it"
    assert len({id(sink.frames[0]) for sink in sinks}) == 1


async def test_what_retention_takes_between_two_pages_is_told_in_mid_stream(bench: _Bench) -> None:
    await bench.publish(2000, size=200)
    sink = await bench.reader(0, automatic=False)
    await until(lambda: sink.runs)
    reached = sink.runs[-1].through_offset
    assert 0 < reached < 1500
    bench.engine.trim(TOPIC, 1500)
    sink.automatic = True
    sink.take()
    await _until(sink, 2000)
    gaps = [
        frame.subscribed for frame in sink.messages if frame.WhichOneof("control") == "subscribed"
    ]
    assert [gap.verdict for gap in gaps] == [frame_pb2.VERDICT_GAP]
    assert gaps[0].position.handled_offset == 1500
    assert gaps[0].lost == 1500 - reached
    assert gaps[0].request_id == 0
    told = sink.controls.index("subscribed")
    before, behind = sink.messages[:told], sink.messages[told + 1 :]
    assert before[-1].runs[-1].through_offset == reached
    assert behind[0].runs[0].after_offset == 1500
    assert [event.offset for run in sink.runs for event in run.events] == [
        *range(1, reached + 1),
        *range(1501, 2001),
    ]


async def test_a_hole_in_the_live_path_is_filled_from_the_log(bench: _Bench) -> None:
    sink = await bench.reader(0)
    await bench.publish(2)
    await _until(sink, 2)
    bench.engine.skip_feeds = True
    await bench.publish(3)
    bench.engine.skip_feeds = False
    await bench.publish(2)
    await _until(sink, 7)
    assert _check_chain(sink, 0) == list(range(1, 8))


async def test_a_stalled_reader_goes_on_where_it_was(bench: _Bench) -> None:
    sink = await bench.reader(0, automatic=False)
    await bench.publish(1)
    await asyncio.sleep(0)
    for _ in range(40):
        await bench.publish(50, size=500)
        await asyncio.sleep(0)
    assert len(sink.frames) == 1
    sink.automatic = True
    sink.take()
    await _until(sink, 2001)
    assert _check_chain(sink, 0) == list(range(1, 2002))


async def test_a_log_that_cannot_be_read_ends_the_subscription_with_a_reason(bench: _Bench) -> None:
    await bench.publish(600)
    live = await bench.registry.open(TOPIC)
    bench.engine.fail_reads = Unavailable(
        error_reason_pb2.ERROR_REASON_SHARD_UNAVAILABLE, "not now", retry_after=1.0
    )
    sink = await bench.reader(0)
    await until(lambda: sink.frames)
    assert sink.controls == ["unsubscribed"]
    error = sink.messages[0].unsubscribed.error
    assert error.reason == error_reason_pb2.ERROR_REASON_SHARD_UNAVAILABLE
    assert error.retry_after.seconds == 1
    assert not live.subscribers


async def test_who_leaves_during_a_read_gets_nothing_of_it(bench: _Bench) -> None:
    await bench.publish(600)
    live = await bench.registry.open(TOPIC)
    bench.engine.reading.clear()
    bench.engine.read_begun.clear()
    sink = await bench.reader(0)
    await bench.engine.read_begun.wait()
    (subscription,) = live.subscribers
    session = subscription.session
    assert session.remove_subscription(TOPIC) is subscription
    live.subscribers.pop(subscription)
    bench.engine.reading.set()
    await until(lambda: not live._tasks)
    assert sink.frames == []


async def test_a_volatile_reader_that_stalls_gets_what_the_ring_still_has(bench: _Bench) -> None:
    live = await bench.registry.open("signal/1")
    assert live.volatile
    sink = FakeSink()
    session = open_session(bench.clock, sink)
    bench.registry.subscribe(
        live, Subscription(session, live, epoch=0, offset=0, slot=0, rights_until=math.inf)
    )
    for number in range(5):
        live.on_events([stored(0, prev=0, event_id=f"v{number}")])
        await asyncio.sleep(0)
    sink.automatic = True
    sink.take()
    await until(lambda: len(sink.frames) == 2)
    assert [event.id for run in sink.runs for event in run.events] == [f"v{n}" for n in range(5)]
