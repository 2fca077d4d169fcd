"""A reader behind the ring reads the log; what retention took meanwhile is told."""

from __future__ import annotations

import asyncio
import math

import pytest

from hub.engine.contract import LogPage
from hub.errors import Unavailable
from hub.fanout.page import CatchUpPage
from hub.session.position import Subscription
from shipspeak.realtime.v1 import error_reason_pb2, frame_pb2
from tests.support.fake_sink import FakeSink
from tests.support.memory_engine import append
from tests.support.sessions import open_session
from tests.support.topic_bench import TOPIC, TopicBench
from tests.support.until import until
from tests.unit.fanout.events import stored


@pytest.fixture
async def bench() -> TopicBench:
    return TopicBench()


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


async def test_a_reader_far_behind_goes_from_the_log_into_the_ring(bench: TopicBench) -> None:
    await bench.publish(2000, size=100)
    sink = await bench.reader(0)
    await _until(sink, 2000)
    await bench.publish(1)
    await _until(sink, 2001)
    assert _check_chain(sink, 0) == list(range(1, 2002))


async def test_readers_at_the_same_place_share_the_read_and_the_bytes(bench: TopicBench) -> None:
    await bench.publish(600)
    bench.engine.reads = 0
    await bench.registry.open(TOPIC)
    sinks = [await bench.reader(0) for _ in range(10)]
    for sink in sinks:
        await _until(sink, 600)
    assert bench.engine.reads <= 3, "one to fill the ring, and the pages that lie before it"
    assert len({id(sink.frames[0]) for sink in sinks}) == 1


async def test_what_retention_takes_between_two_pages_is_told_in_mid_stream(
    bench: TopicBench,
) -> None:
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
    assert gaps[0].oldest_at.ToMilliseconds() == 1, "events are kept"
    told = sink.controls.index("subscribed")
    before, behind = sink.messages[:told], sink.messages[told + 1 :]
    assert before[-1].runs[-1].through_offset == reached
    assert behind[0].runs[0].after_offset == 1500
    assert [event.offset for run in sink.runs for event in run.events] == [
        *range(1, reached + 1),
        *range(1501, 2001),
    ]


async def test_a_hole_in_the_live_path_is_filled_from_the_log(bench: TopicBench) -> None:
    sink = await bench.reader(0)
    await bench.publish(2)
    await _until(sink, 2)
    bench.engine.skip_feeds = True
    await bench.publish(3)
    bench.engine.skip_feeds = False
    await bench.publish(2)
    await _until(sink, 7)
    assert _check_chain(sink, 0) == list(range(1, 8))


async def test_a_stalled_reader_goes_on_where_it_was(bench: TopicBench) -> None:
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


async def test_a_log_that_cannot_be_read_ends_the_subscription_with_a_reason(
    bench: TopicBench,
) -> None:
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


async def test_who_leaves_during_a_read_gets_nothing_of_it(bench: TopicBench) -> None:
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


async def test_a_volatile_reader_that_stalls_gets_what_the_ring_still_has(
    bench: TopicBench,
) -> None:
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


async def test_a_page_that_waits_for_its_receiver_is_fresh_when_it_goes_out(
    bench: TopicBench,
) -> None:
    """G9: what expires between the read of the log and the turn of the sink is counted."""
    soon = int((bench.clock.now + 5) * 1000)
    await bench.engine.publish([append(TOPIC, "brief", expires_ms=soon)])
    await bench.publish(600)
    sink = await bench.reader(0, automatic=False)
    session = next(iter((await bench.registry.open(TOPIC)).subscribers)).session
    session.send_control(b"")  # stalls the sink while the page is read
    await until(lambda: bench.engine.reads >= 2)
    await asyncio.sleep(0)
    bench.clock.advance(600)
    sink.automatic = True
    sink.take()
    await _until(sink, 601)
    assert sink.runs[0].expired == 1
    assert "brief" not in {event.id for run in sink.runs for event in run.events}
    assert _check_chain(sink, 0) == list(range(2, 602))


async def test_a_stalled_session_holds_one_page_however_many_topics_it_reads() -> None:
    """G7: a slow receiver costs a fixed number of bytes."""
    bench = TopicBench()
    topics = [f"meeting/{number}" for number in range(20)]
    for topic in topics:
        await bench.engine.publish([append(topic, f"e{n}", size=1000) for n in range(400)])
    sink = FakeSink()
    session = open_session(bench.clock, sink, window=1 << 20)
    session.send_control(b"")
    lives = [await bench.registry.open(topic) for topic in topics]
    bench.engine.reads = 0
    for live in lives:
        bench.registry.subscribe(
            live,
            Subscription(
                session, live, epoch=live.ring.epoch, offset=0, slot=None, rights_until=math.inf
            ),
        )
    await asyncio.sleep(0.01)
    assert bench.engine.reads == 0, "nothing is read for a sink that takes nothing"
    sink.take()
    await until(lambda: sink.runs)
    await asyncio.sleep(0.01)
    held = [one for one in session.subscriptions.values() if one.page is not None or one.reading]
    assert len(held) <= 1
    assert bench.engine.reads <= 2
    sink.automatic = True
    sink.take()
    session.window.size = 0
    session.pump()
    through = {}

    def all_there() -> bool:
        through.update({run.topic: run.through_offset for run in sink.runs})
        return set(through.values()) == {400} and len(through) == len(topics)

    await until(all_there)
    for topic in topics:
        got = [event.offset for run in sink.runs if run.topic == topic for event in run.events]
        assert got == list(range(1, 401))


async def test_a_volatile_reader_that_the_ring_left_behind_is_told(bench: TopicBench) -> None:
    """G6: never silent, in topics without a log either."""
    live = await bench.registry.open("signal/1")
    sink = FakeSink()
    session = open_session(bench.clock, sink)
    session.send_control(b"")
    bench.registry.subscribe(
        live, Subscription(session, live, epoch=0, offset=0, slot=0, rights_until=math.inf)
    )
    for number in range(40):
        live.on_events([stored(0, prev=0, event_id=f"v{number}", size=60_000)])
        await asyncio.sleep(0)
    kept = live.ring.next_slot - live.ring.first_slot
    assert kept < 40
    sink.take_all()
    (gap,) = [one.subscribed for one in sink.messages if one.WhichOneof("control") == "subscribed"]
    assert (gap.verdict, gap.epoch, gap.lost) == (frame_pb2.VERDICT_GAP, 0, 40 - kept)
    assert sink.controls.index("subscribed") < sink.controls.index("", 1)
    got = [event.id for run in sink.runs for event in run.events]
    assert got == [f"v{n}" for n in range(40 - kept, 40)]


async def test_a_page_ends_where_the_ring_begins(bench: TopicBench) -> None:
    """Readers from the log meet at the ring's edge and share its bytes from there."""
    await bench.publish(600)
    live = await bench.registry.open(TOPIC)
    start = live.ring.start_offset
    assert 0 < start < 600
    sinks = [await bench.reader(after) for after in (0, 100)]
    for sink in sinks:
        await _until(sink, 600)
        assert sink.runs[0].through_offset == start
    first, second = ([*sink.frames] for sink in sinks)
    assert first[1:] == second[1:]
    assert all(one is other for one, other in zip(first[1:], second[1:], strict=True))


async def test_what_a_page_brought_before_the_ring_had_it_is_not_sent_again(bench: TopicBench):
    """G8: a page without what is superseded may be ahead of the ring, which gets it later."""
    await bench.publish(1)
    sink = await bench.reader(after=0)
    await until(lambda: sink.runs)
    bench.engine.skip_feeds = True
    await bench.publish(2)
    log = bench.engine.log(TOPIC)
    live = await bench.registry.open(TOPIC)
    (subscription,) = live.subscribers
    newest = LogPage(1, log.events[2:], 3, more=False, state=log.state, conflated=1)
    subscription.page = CatchUpPage(TOPIC, 1, newest, ring_start=1)
    subscription.slot = None
    subscription.session.page_read(subscription)
    await until(lambda: len(sink.runs) == 2)
    live.on_events(log.events[1:])
    bench.engine.skip_feeds = False
    await bench.publish(1)
    await until(lambda: sink.runs[-1].through_offset == 4)
    assert [(run.after_offset, run.through_offset) for run in sink.runs] == [(0, 1), (1, 3), (3, 4)]


async def test_a_reader_ahead_of_the_ring_waits_for_nothing(bench: TopicBench) -> None:
    await bench.publish(3)
    await _until(await bench.reader(0), 3)
    live = await bench.registry.open(TOPIC)
    (subscription,) = live.subscribers
    subscription.offset += 5
    subscription.slot = live.ring.first_slot - 1
    assert live.next_frame(subscription, 0) is None
    assert live.waiting_priority(subscription) == 0, "or its session would ask for ever"
