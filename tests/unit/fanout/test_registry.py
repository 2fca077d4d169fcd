"""Which topics are live here: opened once, kept a while, let go."""

from __future__ import annotations

import asyncio
import gc
import math
from typing import TYPE_CHECKING, Any

import pytest

from hub.errors import NotFound, Unavailable
from hub.fanout.flush import Flusher
from hub.fanout.registry import LINGER_SECONDS, TopicRegistry
from hub.session.position import Subscription
from hub.topics.namespaces import Namespaces
from shipspeak.realtime.v1 import error_reason_pb2
from tests.support.manual_clock import ManualClock
from tests.support.memory_engine import MemoryEngine, append
from tests.support.sessions import open_session
from tests.support.until import until

if TYPE_CHECKING:
    from hub.fanout.topic import LiveTopic
    from hub.session.session import Session

TOPIC = "meeting/1"


class _Bench:
    def __init__(self, ring_bytes: int = 1 << 20) -> None:
        self.clock = ManualClock()
        self.engine = MemoryEngine(self.clock)
        self.registry = TopicRegistry(
            self.engine,
            Namespaces(),
            Flusher(self.clock),
            ring_bytes=ring_bytes,
            clock=self.clock,
        )

    def subscribe(self, live: LiveTopic, session: Session) -> Subscription:
        subscription = Subscription(
            session,
            live,
            epoch=live.ring.epoch,
            offset=live.ring.head,
            slot=live.ring.next_slot,
            rights_until=math.inf,
        )
        self.registry.subscribe(live, subscription)
        return subscription


@pytest.fixture
async def bench() -> _Bench:
    return _Bench()


async def test_all_who_wait_share_one_opening_and_one_topic(bench: _Bench) -> None:
    bench.engine.opening.clear()
    waiting = [asyncio.ensure_future(bench.registry.open(TOPIC)) for _ in range(20)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    bench.engine.opening.set()
    topics = {id(await one) for one in waiting[1:]}
    assert len(topics) == 1
    assert (bench.engine.opens, bench.engine.feeds(TOPIC)) == (1, 1)
    assert await bench.registry.open(TOPIC) is bench.registry.live(TOPIC)


async def test_the_ring_begins_at_the_head_with_the_latest_events_before_it(bench: _Bench) -> None:
    await bench.engine.publish([append(TOPIC, f"e{number}") for number in range(300)])
    live = await bench.registry.open(TOPIC)
    assert live.ring.head == 300
    assert live.ring.start_offset == 300 - 256
    assert bench.engine.reads == 1


async def test_what_is_stored_while_it_opens_is_not_lost(bench: _Bench) -> None:
    await bench.engine.publish([append(TOPIC, "before")])
    bench.engine.reading.clear()
    opening = asyncio.ensure_future(bench.registry.open(TOPIC))
    await bench.engine.read_begun.wait()
    await bench.engine.publish([append(TOPIC, "between")])
    bench.engine.reading.set()
    live = await opening
    assert live.ring.head == 2
    assert live.ring.holds(1, "before")
    assert live.ring.holds(2, "between")


async def test_a_failed_opening_fails_all_who_wait_and_leaves_nothing(bench: _Bench) -> None:
    await bench.engine.publish([append(TOPIC, "e")])
    bench.engine.fail_reads = Unavailable(
        error_reason_pb2.ERROR_REASON_SHARD_UNAVAILABLE, "not now"
    )
    outcomes = await asyncio.gather(
        *(bench.registry.open(TOPIC) for _ in range(3)), return_exceptions=True
    )
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
    assert bench.engine.feeds(TOPIC) == 0
    bench.engine.fail_reads = None
    assert (await bench.registry.open(TOPIC)).ring.head == 1
    assert bench.engine.feeds(TOPIC) == 1


async def test_an_opening_that_fails_when_everyone_has_left_is_no_fault(bench: _Bench) -> None:
    """A client that went away while its topic was opened must not put an error into the log."""
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    await bench.engine.publish([append(TOPIC, "e")])
    bench.engine.reading.clear()
    waiting = asyncio.ensure_future(bench.registry.open(TOPIC))
    await until(lambda: bench.engine.feeds(TOPIC) == 1)
    waiting.cancel()
    await asyncio.wait([waiting])
    del waiting
    bench.engine.fail_reads = Unavailable(
        error_reason_pb2.ERROR_REASON_SHARD_UNAVAILABLE, "not now"
    )
    bench.engine.reading.set()
    await until(lambda: bench.engine.feeds(TOPIC) == 0)
    await asyncio.sleep(0)
    gc.collect()
    assert told == []


async def test_an_unknown_kind_is_not_opened(bench: _Bench) -> None:
    with pytest.raises(NotFound):
        await bench.registry.open("nothing/1")
    assert len(bench.registry) == 0


async def test_a_topic_lingers_after_its_last_reader(bench: _Bench) -> None:
    live = await bench.registry.open(TOPIC)
    session = open_session(bench.clock)
    bench.subscribe(live, session)
    bench.clock.advance(10 * LINGER_SECONDS)
    bench.registry.sweep()
    assert bench.registry.live(TOPIC) is live
    assert bench.registry.unsubscribe(session, TOPIC)
    assert not bench.registry.unsubscribe(session, TOPIC)
    bench.clock.advance(LINGER_SECONDS - 1)
    bench.registry.sweep()
    assert await bench.registry.open(TOPIC) is live
    bench.clock.advance(LINGER_SECONDS)
    bench.registry.sweep()
    assert bench.registry.live(TOPIC) is None
    assert bench.engine.feeds(TOPIC) == 0
    assert bench.registry.ring_bytes == 0


async def test_a_poll_that_waits_keeps_its_topic(bench: _Bench) -> None:
    live = await bench.registry.open(TOPIC)
    live.watchers[asyncio.get_running_loop().create_future()] = None
    bench.clock.advance(2 * LINGER_SECONDS)
    bench.registry.sweep()
    assert bench.registry.live(TOPIC) is live


async def test_nobody_subscribes_to_a_topic_that_was_let_go_of_meanwhile(bench: _Bench) -> None:
    """Its engine feed is closed: the reader would wait for ever, and not know."""
    live = await bench.registry.open(TOPIC)
    session = open_session(bench.clock)
    bench.clock.advance(LINGER_SECONDS)
    bench.registry.sweep()
    with pytest.raises(Unavailable) as caught:
        bench.subscribe(live, session)
    assert caught.value.retry_after is not None
    assert session.subscriptions == {}
    again = await bench.registry.open(TOPIC)
    with pytest.raises(Unavailable):
        bench.subscribe(live, session)
    bench.subscribe(again, session)
    assert set(session.subscriptions) == {TOPIC}


async def test_a_session_that_ends_leaves_all_its_topics(bench: _Bench) -> None:
    topics = [await bench.registry.open(f"meeting/{number}") for number in range(3)]
    session = open_session(bench.clock)
    for live in topics:
        bench.subscribe(live, session)
    bench.registry.release(session)
    assert [len(live.subscribers) for live in topics] == [0, 0, 0]


async def test_a_volatile_topic_has_no_log(bench: _Bench) -> None:
    live = await bench.registry.open("signal/1")
    assert live.volatile
    assert bench.engine.opens == 0
    bench.clock.advance(LINGER_SECONDS)
    bench.registry.sweep()
    assert len(bench.registry) == 0
