"""One topic on this instance: its ring and who reads it."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Protocol

import structlog

from hub.engine.contract import Engine, TopicFeed, TopicHead
from hub.errors import HubError, Internal
from hub.fanout.chunk import CHUNK_BYTES
from hub.fanout.splice import Spliced, splice
from hub.session import frames
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2, frame_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hub.fanout.ring import Ring
    from hub.model.events import StoredEvent
    from hub.session.position import Subscription

log = structlog.get_logger(__name__)

# A receiver that could take nothing for this long lags; a flush that finds the last frame still on
# its way is no lag yet.
LAG_SECONDS = 0.25
_PAGE_EVENTS = 1_000


class Marker(Protocol):
    """Schedules a flush."""

    def mark(self, topic: LiveTopic) -> None:
        """The topic has something new."""


class LiveTopic:
    """A topic with readers. Implements TopicFeed for the engine and RunSource for sessions.

    Args:
        ring: opened at the head that the engine gave.
        engine: for reads behind the ring; None for volatile topics.
        marker: told when something is new.
        clock: seconds since the epoch.
    """

    def __init__(
        self, ring: Ring, engine: Engine | None, marker: Marker, clock: Callable[[], float]
    ) -> None:
        self.ring = ring
        self.subscribers: dict[Subscription, None] = {}
        self.watchers: dict[asyncio.Future[None], None] = {}
        self.released_at = math.inf
        self.feed: TopicFeed | None = None
        self._engine = engine
        self._marker = marker
        self._clock = clock
        self._reads: dict[int, asyncio.Task[Spliced]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def name(self) -> str:
        """The topic."""
        return self.ring.topic

    @property
    def volatile(self) -> bool:
        """Whether the topic has no log."""
        return self._engine is None

    # As the engine's feed

    def on_events(self, events: Sequence[StoredEvent]) -> None:
        """Take stored events into the ring; flushing is another turn of the loop."""
        for event in events:
            if not self.ring.append(event):
                log.warning("ring_restarted", topic=self.name, offset=event.offset, prev=event.prev)
        for watcher in self.watchers:
            if not watcher.done():
                watcher.set_result(None)
        self._marker.mark(self)

    def on_trimmed(self, floor: int) -> None:
        """Nothing to do: readers behind the ring see the floor with their next page."""

    # As a session's source

    def waiting_priority(self, subscription: Subscription) -> int:
        """The highest priority (1 = CRITICAL) that waits; 0 = caught up."""
        slot = subscription.slot
        if slot is not None and slot >= self.ring.next_slot:
            return 0
        for priority in range(event_pb2.PRIORITY_CRITICAL, event_pb2.PRIORITY_LOW + 1):
            if self.ring.last_slots[priority] >= (
                slot if slot is not None else self.ring.first_slot
            ):
                return priority
        return event_pb2.PRIORITY_NORMAL

    def next_frame(self, subscription: Subscription, now_ms: int) -> bytes | None:
        """The next frame for a subscription, from the ring or from a page of the log."""
        if subscription.page is not None:
            frame, subscription.offset = subscription.page
            subscription.page = None
            subscription.slot = self.ring.slot_after(subscription.offset)
            if subscription.slot == self.ring.next_slot:
                subscription.behind_since = math.inf
            return frame
        slot = subscription.slot
        if slot is not None and slot < self.ring.first_slot:
            slot = subscription.slot = self._left_behind(subscription)
        if slot is None:
            self._read_page(subscription)
            return None
        if slot >= self.ring.next_slot:
            subscription.behind_since = math.inf
            return None
        lags = now_ms / 1000 - subscription.behind_since > LAG_SECONDS
        take = self.ring.conflated_frame if lags and subscription.conflate else self.ring.frame
        frame, subscription.slot, subscription.offset = take(slot, now_ms)
        if subscription.slot >= self.ring.next_slot:
            subscription.behind_since = math.inf
        return frame

    def _left_behind(self, subscription: Subscription) -> int | None:
        """The ring moved past a position: on from the log, or from the ring's oldest event."""
        return self.ring.first_slot if self.volatile else self.ring.slot_after(subscription.offset)

    def _read_page(self, subscription: Subscription) -> None:
        if subscription.reading:
            return
        subscription.reading = True
        task = asyncio.get_running_loop().create_task(self._catch_up(subscription))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _catch_up(self, subscription: Subscription) -> None:
        session = subscription.session
        try:
            spliced = await self.page_after(subscription.offset)
        except HubError as error:
            self._fail(subscription, error)
            return
        except Exception:
            log.exception("catch_up_failed", topic=self.name, session=session.session_id)
            self._fail(
                subscription,
                Internal(
                    reasons.ERROR_REASON_INTERNAL,
                    "the log could not be read; subscribe again",
                    retry_after=1.0,
                ),
            )
            return
        finally:
            subscription.reading = False
        if subscription not in self.subscribers:
            return
        if spliced.gap:
            lost = spliced.after - subscription.offset
            subscription.offset = spliced.after
            session.send_control(gap_frame(self.ring, spliced, lost))
        if spliced.frame is not None:
            subscription.page = (spliced.frame, spliced.through)
        else:
            subscription.slot = self.ring.slot_after(subscription.offset)
        session.offer(subscription)

    async def page_after(self, offset: int) -> Spliced:
        """A frame read from the log; readers at the same place share one read and one frame."""
        engine = self._engine
        if engine is None:
            raise Internal(
                reasons.ERROR_REASON_INTERNAL, "a volatile topic has no log", topic=self.name
            )
        task = self._reads.get(offset)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._page(engine, offset))
            self._reads[offset] = task
            task.add_done_callback(lambda _: self._reads.pop(offset, None))
        return await asyncio.shield(task)

    async def _page(self, engine: Engine, offset: int) -> Spliced:
        page = await engine.read(self.name, offset, max_events=_PAGE_EVENTS, max_bytes=CHUNK_BYTES)
        return splice(self.name, offset, page, int(self._clock() * 1000))

    def _fail(self, subscription: Subscription, error: HubError) -> None:
        self.subscribers.pop(subscription, None)
        subscription.session.remove_subscription(self.name)
        subscription.session.send_control(frames.unsubscribed_frame(self.name, error=error))


def subscribed_frame(
    topic: str,
    state: TopicHead,
    verdict: frame_pb2.Verdict.ValueType,
    *,
    position: int,
    cursor: bytes,
    request_id: int = 0,
    lost: int | None = None,
) -> bytes:
    """ServerFrame{subscribed}: the verdict and where the receiver stands."""
    subscribed = frame_pb2.Subscribed(
        request_id=request_id,
        topic=topic,
        verdict=verdict,
        head=state.head,
        epoch=state.epoch,
        lost=lost,
    )
    subscribed.position.cursor = cursor
    subscribed.position.handled_offset = position
    if state.oldest_ms:
        subscribed.oldest_at.CopyFrom(frames.timestamp_ms(state.oldest_ms))
    return frame_pb2.ServerFrame(subscribed=subscribed).SerializeToString()


def gap_frame(ring: Ring, spliced: Spliced, lost: int) -> bytes:
    """Subscribed{GAP} in mid-stream: history was trimmed under a slow reader."""
    return subscribed_frame(
        ring.topic,
        TopicHead(ring.epoch, ring.head, spliced.after),
        frame_pb2.VERDICT_GAP,
        position=spliced.after,
        cursor=spliced.gap_cursor,
        lost=lost,
    )
