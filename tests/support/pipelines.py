"""The data paths over an engine in memory, without doors."""

from __future__ import annotations

from hub.auth.grants import EVERYTHING, Principal
from hub.auth.tokens import Authenticator
from hub.auth.topic_grants import TopicGrants
from hub.fanout.flush import Flusher
from hub.fanout.registry import TopicRegistry
from hub.limits.rates import Rates
from hub.pipeline.history import HistoryReader
from hub.pipeline.poll import Poller
from hub.pipeline.presence import PresenceDesk
from hub.pipeline.publish import Publisher, PublishLimits
from hub.pipeline.subscribe import Subscriber
from hub.settings import Settings
from hub.telemetry.metrics import Metrics
from hub.topics.namespaces import Namespaces
from shipspeak.realtime.v1 import event_pb2, frame_pb2
from tests.support.manual_clock import ManualClock
from tests.support.memory_engine import MemoryEngine

ALICE = Principal("alice", EVERYTHING)


class PipelineBench:
    """Publisher, subscriber, poller and history reader on one engine."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.engine = MemoryEngine(self.clock)
        self.metrics = Metrics()
        namespaces = Namespaces()
        self.registry = TopicRegistry(
            self.engine, namespaces, Flusher(self.clock), ring_bytes=1 << 20, clock=self.clock
        )
        limits = PublishLimits(max_event_bytes=1000, max_batch_events=10, max_batch_bytes=5000)
        self.publisher = Publisher(
            self.engine, self.registry, namespaces, limits, self.metrics, self.clock
        )
        self.presence = PresenceDesk(
            namespaces, "instance", 20.0, self.clock, Rates(Settings(dev=True), self.clock)
        )
        self.grants = grants = TopicGrants(Authenticator(Settings(dev=True), self.clock))
        self.subscriber = Subscriber(
            self.engine,
            self.registry,
            namespaces,
            grants,
            self.presence,
            self.metrics,
            max_subscriptions=3,
            clock=self.clock,
        )
        self.poller = Poller(self.engine, self.subscriber, self.clock)
        self.history = HistoryReader(self.engine, namespaces, self.clock, grants)

    async def publish(
        self, *drafts: event_pb2.Draft, all_or_nothing: bool = False, principal: Principal = ALICE
    ) -> list[frame_pb2.PublishResult]:
        """Publish a batch."""
        request = frame_pb2.PublishRequest(drafts=drafts, all_or_nothing=all_or_nothing)
        return await self.publisher.publish(request, principal, "phone")


def draft(event_id: str, topic: str = "meeting/1", *, size: int = 0) -> event_pb2.Draft:
    """A draft with a payload that every namespace allows."""
    made = event_pb2.Draft(id=event_id, topic=topic)
    made.content.other.type_url = "type.example/x"
    made.content.other.value = bytes(size)
    return made
