"""Random publishing, reading, stalling and trimming against the receiver's rule.

Real rings, topics, flushes and sessions over an engine in memory. Every subscriber must get each
event once and in order, or be told what is missing; then what it holds is what the log holds. Of
those that ask for it some are conflated while they lag, and some begin with a snapshot.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.engine.contract import Verdict
from hub.fanout.flush import Flusher
from hub.fanout.registry import TopicRegistry
from hub.model.cursor import decode_cursor
from hub.session.position import LAG_SECONDS, Subscription
from hub.topics.namespaces import Namespaces
from shipspeak.realtime.v1 import event_pb2, frame_pb2
from tests.support.conflation import Said, needed
from tests.support.fake_sink import FakeSink
from tests.support.manual_clock import ManualClock
from tests.support.memory_engine import MemoryEngine, append
from tests.support.sessions import open_session
from tests.support.until import until

TOPIC = "meeting/1"
READERS = 4
KEYS = ("", "a", "b", "a", "")


@dataclass
class _Receiver:
    """The receiver's rule of TopicRun, applied to all that a sink was given."""

    position: int
    epoch: int
    began: int = 0
    got: list[int] = field(default_factory=list)
    excused: set[int] = field(default_factory=set)
    cursor: bytes = b""
    seen: int = 0
    conflates: bool = False
    snapshot_to: int = 0

    def take(self, sink: FakeSink) -> int:
        """Handle new frames; bytes of those with runs so far."""
        for frame in sink.messages[self.seen :]:
            if frame.WhichOneof("control") == "subscribed":
                assert frame.subscribed.verdict == frame_pb2.VERDICT_GAP
                floor = frame.subscribed.position.handled_offset
                self.excused |= set(range(self.position + 1, floor + 1))
                self.position = max(self.position, floor)
            for run in frame.runs:
                self._take_run(run)
        self.seen = len(sink.frames)
        return sum(len(one) for one in sink.frames if frame_pb2.ServerFrame.FromString(one).runs)

    def _take_run(self, run: event_pb2.TopicRun) -> None:
        assert run.epoch == self.epoch
        assert run.after_offset <= self.position, "a hole that nobody told of"
        if run.through_offset <= self.position:
            return
        offsets = [event.offset for event in run.events]
        assert offsets == sorted(set(offsets))
        assert all(run.after_offset < offset <= run.through_offset for offset in offsets)
        may_conflate = self.conflates or run.after_offset < self.snapshot_to
        assert may_conflate or not run.conflated, "nobody asked for it"
        accounted = len(offsets) + run.expired + run.conflated
        assert accounted == run.through_offset - run.after_offset, "offsets are contiguous here"
        self.excused |= set(range(self.position + 1, run.through_offset + 1)) - set(offsets)
        self.got += [offset for offset in offsets if offset > self.position]
        self.position = run.through_offset
        self.cursor = run.cursor


class _World:
    def __init__(self, ring_bytes: int) -> None:
        self.clock = ManualClock()
        self.engine = MemoryEngine(self.clock)
        self.registry = TopicRegistry(
            self.engine,
            Namespaces(),
            Flusher(self.clock),
            ring_bytes=ring_bytes,
            clock=self.clock,
        )
        self.readers: dict[int, tuple[FakeSink, Subscription, _Receiver]] = {}
        self.finished: list[_Receiver] = []

    async def publish(self, count: int, size: int, *, ttl_ms: int) -> None:
        head = self.engine.log(TOPIC).head
        expires = int(self.clock.now * 1000) + ttl_ms if ttl_ms else 0
        await self.engine.publish(
            [
                append(
                    TOPIC,
                    f"e{head + n}",
                    size=size,
                    priority=1 + (head + n) % 4,
                    expires_ms=expires,
                    key=KEYS[(head + n) % len(KEYS)],
                )
                for n in range(1, count + 1)
            ]
        )

    async def begin(self, number: int, how: str) -> None:
        self.leave(number)
        live = await self.registry.open(TOPIC)
        state = self.engine.log(TOPIC).state
        receiver = _Receiver(state.floor, state.epoch, conflates="conflate" in how)
        if "snapshot" in how:
            receiver.snapshot_to = state.head
        last = self.finished[-1] if self.finished and "resume" in how else None
        if last is not None and last.cursor:
            verdict = await self.engine.resume(TOPIC, decode_cursor(TOPIC, last.cursor))
            receiver.position = verdict.position
            assert verdict.verdict in {Verdict.OK, Verdict.GAP}
        sink = FakeSink()
        session = open_session(self.clock, sink, window=150_000)
        subscription = Subscription(
            session,
            live,
            epoch=state.epoch,
            offset=receiver.position,
            slot=live.ring.slot_after(receiver.position),
            rights_until=math.inf,
            conflate=receiver.conflates,
        )
        subscription.snapshot_to = receiver.snapshot_to
        self.readers[number] = (sink, subscription, receiver)
        receiver.began = receiver.position
        receiver.excused |= set(range(1, receiver.position + 1))
        self.registry.subscribe(live, subscription)

    async def keep_waiting(self, count: int) -> None:
        """Whoever does not read meanwhile lags: its sink is busy, and more waits behind that."""
        for _ in range(2):
            await self.publish(count, 10, ttl_ms=0)
            await _turns(4)
        self.clock.advance(2 * LAG_SECONDS)

    def leave(self, number: int) -> None:
        if number in self.readers:
            sink, subscription, receiver = self.readers.pop(number)
            receiver.take(sink)
            self.registry.unsubscribe(subscription.session, TOPIC)  # type: ignore[arg-type]
            self.finished.append(receiver)

    def read(self, number: int) -> None:
        if number in self.readers:
            sink, subscription, receiver = self.readers[number]
            sink.take()
            subscription.session.on_handled(receiver.take(sink))  # type: ignore[attr-defined]

    async def settle(self) -> None:
        """Everyone reads to the head; then each has got all, or been told."""
        self.engine.skip_feeds = False
        await self.publish(1, 10, ttl_ms=0)
        head = self.engine.log(TOPIC).head

        def all_there() -> bool:
            for number in self.readers:
                self.read(number)
            return all(receiver.position >= head for _, _, receiver in self.readers.values())

        await until(all_there)
        log = self.engine.log(TOPIC).events
        kept = [Said(event.offset, event.key, event.expires_ms) for event in log]
        for _, _, receiver in self.readers.values():
            assert receiver.got == sorted(set(receiver.got))
            assert set(receiver.got) | receiver.excused == set(range(1, head + 1))
            assert not set(receiver.got) & receiver.excused
            horizon = head if receiver.conflates else receiver.snapshot_to
            assert needed(kept, receiver.began, horizon) <= set(receiver.got)


HOW = ("", "resume", "conflate", "resume, conflate", "snapshot", "snapshot, conflate")
_STEP = st.one_of(
    st.tuples(
        st.just("publish"),
        st.integers(1, 60),
        st.sampled_from([10, 3000, 30_000]),
        st.sampled_from([0, 0, 0, 50]),
    ),
    st.tuples(st.just("read"), st.integers(0, READERS - 1)),
    st.tuples(st.just("begin"), st.integers(0, READERS - 1), st.sampled_from(HOW)),
    st.tuples(st.just("leave"), st.integers(0, READERS - 1)),
    st.tuples(st.just("trim"), st.integers(1, 200)),
    st.tuples(st.just("hole"), st.integers(1, 5)),
    st.tuples(st.just("turn"), st.integers(1, 3)),
    st.tuples(st.just("lag"), st.integers(2, 8)),
    st.tuples(st.just("time"), st.sampled_from([0.04, 0.1, 120.0])),
)


@settings(max_examples=250)
@given(
    steps=st.lists(_STEP, max_size=40),
    ring_bytes=st.sampled_from([1, 100_000, 1 << 24]),
)
def test_every_subscriber_gets_each_event_once_and_in_order(
    steps: list[tuple[Any, ...]], ring_bytes: int
) -> None:
    asyncio.run(_play(steps, ring_bytes))


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def _play(steps: list[tuple[Any, ...]], ring_bytes: int) -> None:
    world = _World(ring_bytes)
    for what, *values in steps:
        if what == "publish":
            await world.publish(values[0], values[1], ttl_ms=values[2])
        elif what == "read":
            world.read(values[0])
        elif what == "begin":
            await world.begin(values[0], str(values[1]))
        elif what == "leave":
            world.leave(values[0])
        elif what == "trim":
            world.engine.trim(TOPIC, values[0])
        elif what == "hole":
            world.engine.skip_feeds = True
            await world.publish(values[0], 10, ttl_ms=0)
            world.engine.skip_feeds = False
        elif what == "lag":
            await world.keep_waiting(values[0])
        elif what == "turn":
            await _turns(values[0])
        else:
            world.clock.advance(values[0])
            world.registry.sweep()
    await world.settle()
