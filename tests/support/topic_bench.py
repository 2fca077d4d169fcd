"""A registry of live topics over an engine in memory, and readers of one topic."""

from __future__ import annotations

import math

from hub.fanout.flush import Flusher
from hub.fanout.registry import TopicRegistry
from hub.session.position import Subscription
from hub.topics.namespaces import Namespaces
from tests.support.fake_sink import FakeSink
from tests.support.manual_clock import ManualClock
from tests.support.memory_engine import MemoryEngine, append
from tests.support.sessions import open_session

TOPIC = "meeting/1"


class TopicBench:
    """Publishes to one topic and reads it."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.engine = MemoryEngine(self.clock)
        self.registry = TopicRegistry(
            self.engine, Namespaces(), Flusher(self.clock), ring_bytes=1 << 20, clock=self.clock
        )

    async def publish(self, count: int, *, size: int = 10, priority: int = 3) -> None:
        """Store events e1, e2 ... behind the head."""
        head = self.engine.log(TOPIC).head
        for number in range(head + 1, head + count + 1):
            draft = append(TOPIC, f"e{number}", size=size, priority=priority)
            await self.engine.publish([draft])

    async def reader(
        self, after: int, *, window: int = 0, automatic: bool = True, snapshot_to: int = 0
    ) -> FakeSink:
        """The sink of a session that reads the topic behind an offset, or a snapshot of it."""
        live = await self.registry.open(TOPIC)
        sink = FakeSink(automatic=automatic)
        session = open_session(self.clock, sink, window=window)
        slot = live.ring.slot_after(after)
        subscription = Subscription(
            session,
            live,
            epoch=live.ring.epoch,
            offset=after,
            slot=slot,
            rights_until=math.inf,
        )
        subscription.snapshot_to = snapshot_to
        self.registry.subscribe(live, subscription)
        return sink
