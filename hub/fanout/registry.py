"""Which topics are live on this instance, and who holds them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from hub.errors import Unavailable
from hub.fanout.budget import RingBudget
from hub.fanout.chunk import CHUNK_BYTES
from hub.fanout.page_cache import PageCache
from hub.fanout.ring import Ring
from hub.fanout.topic import LiveTopic
from hub.model.events import withdrawn
from hub.telemetry.unheard import hear
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hub.engine.contract import Engine, TopicHead
    from hub.fanout.flush import Flusher
    from hub.model.events import StoredEvent
    from hub.session.position import Subscription
    from hub.session.session import Session
    from hub.topics.namespaces import Namespaces

log = structlog.get_logger(__name__)

LINGER_SECONDS = 60.0
_PREFILL_EVENTS = 256
_PREFILL_BYTES = 2 * CHUNK_BYTES
# Of the rings' memory, and beside it: pages read for those who lie before the ring.
_PAGES_SHARE = 0.25


class TopicRegistry:
    """Topic name -> live topic; opened once for all who wait, kept a while after the last reader.

    Args:
        engine: of the durable topics.
        namespaces: tells which topics are volatile.
        flusher: sends what is new.
        ring_bytes: memory of all rings; a quarter of it more is for pages of the log.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        engine: Engine,
        namespaces: Namespaces,
        flusher: Flusher,
        *,
        ring_bytes: int,
        clock: Callable[[], float],
    ) -> None:
        self._engine = engine
        self._namespaces = namespaces
        self._flusher = flusher
        self._clock = clock
        self._budget = RingBudget(ring_bytes)
        self._pages = PageCache(int(ring_bytes * _PAGES_SHARE))
        self._topics: dict[str, LiveTopic] = {}
        self._opening: dict[str, asyncio.Task[LiveTopic]] = {}

    def __len__(self) -> int:
        return len(self._topics)

    @property
    def ring_bytes(self) -> int:
        """Memory of all rings, about."""
        return self._budget.bytes

    @property
    def page_bytes(self) -> int:
        """Memory of pages of the log that are kept, about."""
        return self._pages.bytes

    def live(self, topic: str) -> LiveTopic | None:
        """The topic, if someone here reads it."""
        return self._topics.get(topic)

    def names(self) -> tuple[str, ...]:
        """All topics that are live here."""
        return tuple(self._topics)

    def readers(self, topic: str) -> int:
        """How many sessions here read a topic."""
        live = self._topics.get(topic)
        return 0 if live is None else len(live.subscribers)

    async def open(self, topic: str) -> LiveTopic:
        """The live topic; its ring starts exactly at the head that the engine gave."""
        live = self._topics.get(topic)
        if live is not None:
            live.released_at = self._clock()
            return live
        task = self._opening.get(topic)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._open(topic))
            self._opening[topic] = task
            task.add_done_callback(lambda _: self._opening.pop(topic, None))
            task.add_done_callback(hear)
        return await asyncio.shield(task)

    async def _open(self, topic: str) -> LiveTopic:
        if not self._namespaces.of(topic).topic_class.durable:
            live = LiveTopic(Ring(topic, 0, 0, self._budget), None, self._flusher, self._clock)
            self._topics[topic] = live
            live.released_at = self._clock()
            return live
        feed = _OpeningFeed()
        state = await self._engine.open(topic, feed)
        try:
            live = await self._fill(topic, feed, state)
        except BaseException:
            # Nobody will let go of the feed later.
            self._engine.close(topic, feed)
            raise
        live.released_at = self._clock()
        live.feed = feed
        self._topics[topic] = live
        return live

    async def _fill(self, topic: str, feed: _OpeningFeed, state: TopicHead) -> LiveTopic:
        live = LiveTopic(
            Ring(
                topic,
                state.epoch,
                state.head,
                self._budget,
                head_id=state.floor_id if state.head == state.floor else "",
            ),
            self._engine,
            self._flusher,
            self._clock,
            self._pages,
            state.floor,
        )
        live.oldest_ms = state.oldest_ms
        feed.connect(live)
        if state.head > state.floor:
            page = await self._engine.read_latest(
                topic, before=state.head, max_events=_PREFILL_EVENTS, max_bytes=_PREFILL_BYTES
            )
            if page.events and not live.removals:
                live.ring.prefill(page.events, page.after)
        return live

    def require(self, live: LiveTopic) -> None:
        """Check that a topic is still open, before anybody is told that its events follow.

        Raises:
            Unavailable: SHARD_UNAVAILABLE: it was let go of; its feed is closed.
        """
        if self._topics.get(live.name) is not live:
            raise Unavailable(
                reasons.ERROR_REASON_SHARD_UNAVAILABLE,
                "the store took too long to judge the position; subscribe again",
                topic=live.name,
                retry_after=1.0,
            )

    def subscribe(
        self, live: LiveTopic, subscription: Subscription, purges: int | None = None
    ) -> None:
        """Begin to deliver.

        Args:
            live: the topic.
            subscription: gets it.
            purges: those that its reader needs not be told of; None = all up to now.

        Raises:
            Unavailable: as ``require``.
        """
        self.require(live)
        subscription.purges = live.purges if purges is None else purges
        live.subscribers[subscription] = None
        subscription.session.add_subscription(subscription)

    def unsubscribe(self, session: Session, topic: str) -> bool:
        """Stop delivering; False when there was no such subscription."""
        subscription = session.remove_subscription(topic)
        if subscription is None:
            return False
        live = self._topics.get(topic)
        if live is not None:
            live.subscribers.pop(subscription, None)
            live.released_at = self._clock()
        return True

    def release(self, session: Session) -> None:
        """The session has ended."""
        for topic in tuple(session.subscriptions):
            self.unsubscribe(session, topic)

    def sweep(self) -> None:
        """Let go of topics that nobody has read for a while; to be called now and then."""
        now = self._clock()
        for topic, live in tuple(self._topics.items()):
            if live.subscribers or live.watchers or live.holders:
                continue
            if now - live.released_at < LINGER_SECONDS:
                continue
            del self._topics[topic]
            if live.feed is not None:
                self._engine.close(topic, live.feed)
            live.ring.release()
            self._pages.forget(topic)

    def complete_as_of_ms(self) -> int:
        """Everything stored before this time has been handed to the rings."""
        return self._engine.complete_as_of_ms()


class _OpeningFeed:
    """Keeps what is stored between the engine's answer and the making of the ring."""

    def __init__(self) -> None:
        self._live: LiveTopic | None = None
        self._early: list[StoredEvent] = []
        self._oldest_ms: int | None = None

    def connect(self, live: LiveTopic) -> None:
        """From now on to the live topic, what came early first."""
        self._live = live
        if self._oldest_ms is not None:
            live.oldest_ms = self._oldest_ms
        if self._early:
            live.on_events(self._early)
            self._early = []

    def on_events(self, events: Sequence[StoredEvent]) -> None:
        """As in TopicFeed."""
        if self._live is None:
            self._early.extend(events)
        else:
            self._live.on_events(events)

    def on_trimmed(
        self, floor: int, *, purged: bool = False, more: bool = False, oldest_ms: int = 0
    ) -> None:
        """As in TopicFeed."""
        if self._live is None:
            self._early = [event for event in self._early if event.offset > floor]
            self._oldest_ms = oldest_ms
        else:
            self._live.on_trimmed(floor, purged=purged, more=more, oldest_ms=oldest_ms)

    def on_withdrawn(self, offsets: Sequence[int]) -> None:
        """As in TopicFeed."""
        if self._live is None:
            self._early = [
                withdrawn(event) if event.offset in offsets else event for event in self._early
            ]
        else:
            self._live.on_withdrawn(offsets)
