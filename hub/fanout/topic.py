"""One topic on this instance: its ring and who reads it."""

from __future__ import annotations

import asyncio
import contextlib
import math
from typing import TYPE_CHECKING

import structlog

from hub.errors import HubError, Internal
from hub.fanout.log_pages import LogPages
from hub.fanout.notice import gap_frame, lost_frame
from hub.model.cursor import Cursor, encode_cursor
from hub.session import frames
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence

    from hub.engine.contract import Engine, TopicFeed
    from hub.fanout.marker import Marker
    from hub.fanout.page_cache import PageCache
    from hub.fanout.ring import Ring
    from hub.model.events import StoredEvent
    from hub.session.position import PageOfLog, Subscription

log = structlog.get_logger(__name__)


class LiveTopic:
    """A topic with readers. Implements TopicFeed for the engine and RunSource for sessions.

    Args:
        ring: opened at the head that the engine gave.
        engine: for reads behind the ring; None for volatile topics.
        marker: told when something is new.
        clock: seconds since the epoch.
        cache: pages of the log, of all topics of an instance; None = none is kept.
        floor: of the log when it was opened; what is gone by then may have been purged.
    """

    def __init__(
        self,
        ring: Ring,
        engine: Engine | None,
        marker: Marker[LiveTopic],
        clock: Callable[[], float],
        cache: PageCache | None = None,
        floor: int = 0,
    ) -> None:
        self.ring = ring
        self.subscribers: dict[Subscription, None] = {}
        self.watchers: dict[asyncio.Future[None], None] = {}
        self.released_at = math.inf
        self.holders = 0
        self.feed: TopicFeed | None = None
        self._engine = engine
        self._marker = marker
        self._clock = clock
        self._pages = None if engine is None else LogPages(engine, ring, cache, clock)
        self._tasks: set[asyncio.Task[None]] = set()
        self.purges = 0
        self.oldest_ms = 0  # when the oldest kept event was published; 0 = none is kept
        self.purged = floor

    @property
    def name(self) -> str:
        """The topic."""
        return self.ring.topic

    @property
    def volatile(self) -> bool:
        """Whether the topic has no log."""
        return self._engine is None

    @property
    def pages(self) -> LogPages:
        """The topic's log, as its readers share it."""
        if self._pages is None:
            raise Internal(reasons.ERROR_REASON_INTERNAL, "it has no log", topic=self.name)
        return self._pages

    @property
    def removals(self) -> int:
        """How often events were taken out of the log since the topic was opened."""
        return 0 if self._pages is None else self._pages.removals

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep the topic open while somebody who is no reader yet works with it."""
        self.holders += 1
        try:
            yield
        finally:
            self.holders -= 1
            self.released_at = self._clock()

    # As the engine's feed

    def on_events(self, events: Sequence[StoredEvent]) -> None:
        """Take stored events into the ring; flushing is another turn of the loop."""
        self.oldest_ms = self.oldest_ms or events[0].published_ms
        for event in events:
            if not self.ring.append(event):
                log.warning("ring_restarted", topic=self.name, offset=event.offset, prev=event.prev)
        if any(event.priority == event_pb2.PRIORITY_CRITICAL for event in events):
            for subscription in tuple(self.subscribers):
                subscription.session.hasten(subscription)
        self._wake()

    def _wake(self) -> None:
        for watcher in self.watchers:
            if not watcher.done():
                watcher.set_result(None)
        self._marker.mark(self)

    def on_trimmed(
        self, floor: int, *, purged: bool = False, more: bool = False, oldest_ms: int = 0
    ) -> None:
        """After retention, readers behind the ring see the floor with their next page.

        What a purge removes leaves memory at once; every reader is told, with the last part (G6).
        """
        if self._pages is not None:
            self._pages.trimmed(floor)
        # What was stored in the same commit came before the news.
        self.oldest_ms = oldest_ms or self.ring.published_after(floor)
        if not purged:
            return
        self._forget_pages(range(floor + 1))
        if more:
            self.ring.drop_through(floor)
            return
        self.purges += 1
        self.purged = floor
        self.ring.release()
        self._wake()

    def on_withdrawn(self, offsets: Sequence[int]) -> None:
        """Forget the events' content, in the ring and in pages that wait for their readers."""
        self._forget_pages(frozenset(offsets))
        for offset in offsets:
            self.ring.withdraw(offset)

    def _forget_pages(self, gone: Container[int]) -> None:
        if self._pages is not None:
            self._pages.forget()
        for subscription in self.subscribers:
            if subscription.page is not None:
                subscription.page.withdraw(gone)

    # As a session's source

    def waiting_priority(self, subscription: Subscription) -> int:
        """The highest priority (1 = CRITICAL) that waits; 0 = caught up."""
        if subscription.purges != self.purges:
            return event_pb2.PRIORITY_NORMAL
        slot = subscription.slot
        if slot is not None and slot >= self.ring.next_slot:
            return 0
        if slot is None and subscription.page is None and self._is_ahead(subscription):
            return 0
        first = slot if slot is not None else self.ring.first_slot
        for priority in range(event_pb2.PRIORITY_CRITICAL, event_pb2.PRIORITY_LOW + 1):
            if self.ring.last_slots[priority] >= first:
                return priority
        return event_pb2.PRIORITY_NORMAL

    def needs_log(self, subscription: Subscription) -> bool:
        """Whether the next frame must be read from the log before it can be made."""
        slot, ring = subscription.slot, self.ring
        if slot is not None and slot >= ring.first_slot:
            return False
        if self.volatile or subscription.page is not None or subscription.purges != self.purges:
            return False
        return ring.slot_after(subscription.offset) is None

    def next_frame(self, subscription: Subscription, now_ms: int) -> bytes | None:
        """The next frame for a subscription, from the ring or from a page of the log."""
        if subscription.purges != self.purges:
            self._tell_of_purge(subscription, now_ms)
            return None
        if subscription.page is not None:
            return self._take_page(subscription, subscription.page, now_ms)
        slot = subscription.slot
        if slot is None or slot < self.ring.first_slot:
            if self.volatile:
                self._tell_of_loss(subscription)
                return None
            if self._is_ahead(subscription):
                subscription.slot = None  # or it would seem that something waits
                return None
            slot = subscription.slot = self.ring.slot_after(subscription.offset)
        if slot is None:
            self._read_page(subscription, subscription.horizon(now_ms))
            return None
        if slot >= self.ring.next_slot:
            subscription.behind_since = math.inf
            return None
        frame, subscription.slot, subscription.offset = self.ring.frame(
            slot, now_ms, subscription.horizon(now_ms)
        )
        if subscription.slot >= self.ring.next_slot:
            subscription.behind_since = math.inf
        return frame

    def _take_page(self, subscription: Subscription, page: PageOfLog, now_ms: int) -> bytes | None:
        if page.begin > subscription.offset:
            # Retention was faster: the reader is told first, the page stays in hand.
            lost = page.begin - subscription.offset
            cursor, oldest_ms = page.begin_cursor(now_ms), page.oldest_ms
            notice = gap_frame(self.ring, page.begin, cursor, lost, oldest_ms=oldest_ms)
            subscription.offset = page.begin
            subscription.session.queue_control(notice)
            return None
        frame = page.frame(now_ms)
        subscription.page = None
        subscription.offset = max(subscription.offset, page.through)
        self._find(subscription)
        return frame

    def _tell_of_purge(self, subscription: Subscription, now_ms: int) -> None:
        """Whoever reads the topic is told GAP, even if it has read everything."""
        subscription.purges, subscription.page = self.purges, None
        notice, subscription.offset = self.purge_notice(subscription.offset, now_ms)
        subscription.session.queue_control(notice)
        self._find(subscription)

    def purge_notice(self, offset: int, now_ms: int) -> tuple[bytes, int]:
        """Subscribed{GAP} for a reader at an offset, and where it goes on."""
        ring, at = self.ring, max(offset, self.purged)
        # Later than the news of the purge, so that it is not told again to whoever comes back here.
        as_of_ms = max(now_ms, int(self._clock() * 1000)) + 1
        cursor = encode_cursor(self.name, Cursor(ring.epoch, at, ring.id_at(at), as_of_ms))
        return gap_frame(ring, at, cursor, at - offset, oldest_ms=self.oldest_ms), at

    def _tell_of_loss(self, subscription: Subscription) -> None:
        """The ring of a topic without a log has left a reader behind: what is gone is counted."""
        if subscription.slot is not None:
            lost = self.ring.first_slot - subscription.slot
            subscription.session.queue_control(lost_frame(self.name, lost))
        subscription.slot = self.ring.first_slot

    def _find(self, subscription: Subscription) -> None:
        ahead = self._is_ahead(subscription)
        subscription.slot = None if ahead else self.ring.slot_after(subscription.offset)
        if ahead or subscription.slot == self.ring.next_slot:
            subscription.behind_since = math.inf

    def _is_ahead(self, subscription: Subscription) -> bool:
        """Whether a page brought what is committed and not handed to the ring yet.

        The ring's next slots are no place for such a reader: it would get them a second time.
        """
        return not self.volatile and subscription.offset > self.ring.head

    def _read_page(self, subscription: Subscription, horizon: int) -> None:
        if subscription.reading:
            return
        subscription.reading = True
        task = asyncio.get_running_loop().create_task(self._catch_up(subscription, horizon))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _catch_up(self, subscription: Subscription, horizon: int) -> None:
        session = subscription.session
        try:
            horizon = min(horizon, max(self.ring.head, subscription.snapshot_to))
            page = await self.pages.after(subscription.offset, horizon)
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
        if subscription.ended or subscription not in self.subscribers:
            return
        subscription.page = page
        session.page_read(subscription)

    def _fail(self, subscription: Subscription, error: HubError) -> None:
        self.subscribers.pop(subscription, None)
        self.released_at = self._clock()
        subscription.session.remove_subscription(self.name)
        if subscription.on_failed is not None:
            subscription.on_failed()
        subscription.session.send_control(frames.unsubscribed_frame(self.name, error=error))
