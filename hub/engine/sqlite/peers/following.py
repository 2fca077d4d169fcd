"""One feed of a topic, whoever owns its shard: nothing is handed over twice or left out.

The owner changes, links end, and what was stored in between stands in the log, which every instance
can read. So the feed keeps the last offset that it was given; what begins behind a hole, or is told
to have been left out, is read from the log first. While it reads, nothing gathers but a number.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from hub.errors import HubError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.engine.contract import LogPage, TopicFeed, TopicHead
    from hub.model.events import StoredEvent

_logger: Final = structlog.get_logger(__name__)

PAGE_EVENTS: Final = 512
PAGE_BYTES: Final = 1024 * 1024
RETRY_S: Final = 0.05
# Events that come before the answer to the asking; more are read from the log.
MAX_EARLY: Final = 1_000


class Log(Protocol):
    """Where a following reads what it has missed."""

    async def read(
        self, topic: str, after: int, *, max_events: int, max_bytes: int, horizon: int = 0
    ) -> LogPage:
        """As in Engine."""

    def follow_changed(self, following: Following) -> None:
        """It has fallen behind, or has caught up."""


class Following:
    """What is told of a topic, on its way to one feed. Implements TopicFeed towards the owner.

    Args:
        topic: its name.
        shard: of the topic.
        feed: gets everything once and in order.
        log: of all topics.

    Attributes:
        source: who tells; None = nobody yet, or no more.
        last: offset of the last event that the feed was given, or of the head that it began at.
        floor: of the log, as far as the feed knows.
    """

    def __init__(self, topic: str, shard: int, feed: TopicFeed, log: Log) -> None:
        self.topic = topic
        self.shard = shard
        self.feed = feed
        self.source: object | None = None
        self.last = 0
        self.closed = False
        self._log = log
        self._begun = False
        self._attached = False
        self._epoch = 0
        self.floor = 0
        self._early: list[StoredEvent] = []
        self._target = 0
        self._reading: asyncio.Task[None] | None = None

    @property
    def behind(self) -> bool:
        """Whether something may be stored that the feed was not given, and will be."""
        return not self._attached or self._reading is not None

    def missed_floor(self, head: TopicHead) -> bool:
        """Whether events have gone from the log that the feed was not told of."""
        return self._begun and head.floor > self.floor

    def detach(self) -> None:
        """Whoever told is gone: what comes from it late is of no use."""
        self.source = None
        self._attached = False
        self._early.clear()
        self._log.follow_changed(self)

    def attach(self, head: TopicHead, *, purged: bool = False) -> None:
        """The owner answers: everything behind ``head`` is told from now on.

        Args:
            head: of the log, at the owner's answer.
            purged: a purge has reached what the feed was given, and it may not know.
        """
        if not self._begun:
            self.last, self._epoch, self._begun = head.head, head.epoch, True
        elif head.epoch != self._epoch:
            _logger.error("log_replaced", topic=self.topic)
        elif self.missed_floor(head):
            self.feed.on_trimmed(head.floor, purged=purged, oldest_ms=head.oldest_ms)
        self.floor = max(self.floor, head.floor)
        self._attached = True
        early, self._early = self._early, []
        if head.head > self.last:
            self._catch_up(head.head)
        if early:
            self.on_events(early)
        if self._target > self.last:
            # More came early than was kept.
            self._catch_up(self._target)
        self._log.follow_changed(self)

    def close(self) -> None:
        """Give the feed nothing more."""
        self.closed = True
        if self._reading is not None:
            self._reading.cancel()

    def on_events(self, events: Sequence[StoredEvent]) -> None:
        """Hand over what is new and follows the last; read the log where it does not follow."""
        if self.closed:
            return
        if not self._attached:
            self._keep_early(events)
            return
        if events[0].offset <= self.last:
            events = [event for event in events if event.offset > self.last]
            if not events:
                return
        if self._reading is not None or events[0].prev > self.last:
            self._catch_up(events[-1].offset)
            return
        self._give(events)

    def skipped(self, head: int) -> None:
        """Events up to ``head`` were left out: they stand in the log."""
        if head > self.last:
            self._catch_up(head)

    def on_trimmed(
        self, floor: int, *, purged: bool = False, more: bool = False, oldest_ms: int = 0
    ) -> None:
        """As in TopicFeed."""
        if not self.closed and self._begun:
            self.floor = max(self.floor, floor)
            self.feed.on_trimmed(floor, purged=purged, more=more, oldest_ms=oldest_ms)

    def on_withdrawn(self, offsets: Sequence[int]) -> None:
        """As in TopicFeed."""
        if not self.closed and self._begun:
            self.feed.on_withdrawn(offsets)

    def _keep_early(self, events: Sequence[StoredEvent]) -> None:
        room = MAX_EARLY - len(self._early)
        self._early.extend(events[: max(0, room)])
        if len(events) > room:
            self._target = max(self._target, events[-1].offset)

    def _give(self, events: Sequence[StoredEvent]) -> None:
        self.last = events[-1].offset
        try:
            self.feed.on_events(events)
        except Exception:
            # The contract forbids it; the others must not pay for it.
            _logger.exception("feed_failed", topic=self.topic, events=len(events))

    def _catch_up(self, target: int) -> None:
        self._target = max(self._target, target)
        if self._reading is None and not self.closed:
            self._reading = asyncio.get_running_loop().create_task(self._read())
            self._log.follow_changed(self)

    async def _read(self) -> None:
        try:
            while self.last < self._target and not self.closed:
                try:
                    page = await self._log.read(
                        self.topic, self.last, max_events=PAGE_EVENTS, max_bytes=PAGE_BYTES
                    )
                except HubError as error:
                    _logger.warning("follow_read_failed", topic=self.topic, error=str(error))
                    await asyncio.sleep(RETRY_S)
                    continue
                self._take(page)
        finally:
            self._reading = None
            if not self.closed:
                self._log.follow_changed(self)

    def _take(self, page: LogPage) -> None:
        # What lies between may be gone already: then the first that is left follows the floor.
        before = max(self.last, page.after, page.state.floor)
        linked: list[StoredEvent] = []
        for event in page.events:
            linked.append(replace(event, prev=before))
            before = event.offset
        if linked:
            self._give(linked)
        self.last = max(self.last, page.through)
        if not linked and not page.more and page.state.head <= self.last:
            # All that there is; a target above it was of events that are gone.
            self._target = self.last
