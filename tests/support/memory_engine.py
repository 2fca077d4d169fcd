"""An engine that keeps its logs in memory: quick and fully under the test's control."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hub.engine.contract import (
    AppendResult,
    LogPage,
    NotAttempted,
    Resume,
    Stored,
    TopicFeed,
    TopicHead,
    Verdict,
)
from hub.errors import FailedPrecondition, HubError
from hub.model.events import Append, StoredEvent, withdrawn
from hub.model.wire import event_data
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hub.model.cursor import Cursor


@dataclass
class MemoryLog:
    """One topic."""

    epoch: int
    head: int = 0
    floor: int = 0
    floor_id: str = ""
    events: list[StoredEvent] = field(default_factory=list)
    ids: dict[tuple[str, str], int] = field(default_factory=dict)
    feeds: list[TopicFeed] = field(default_factory=list)

    @property
    def state(self) -> TopicHead:
        """The log's state."""
        oldest = self.events[0].published_ms if self.events else 0
        return TopicHead(self.epoch, self.head, self.floor, oldest, self.floor_id)


class MemoryEngine:
    """Implements Engine.

    Reads wait while `reading` is cleared, openings while `opening` is; `fail_reads` makes reads
    fail. Publishing commits at once; with `skip_feeds` the feeds are not told.

    Args:
        clock: seconds since the epoch.
    """

    shard_count = 1

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._logs: dict[str, MemoryLog] = {}
        self.reading = asyncio.Event()
        self.reading.set()
        self.read_begun = asyncio.Event()
        self.opening = asyncio.Event()
        self.opening.set()
        self.fail_reads: HubError | None = None
        self.reads = 0
        self.opens = 0
        self.skip_feeds = False

    async def start(self) -> None:
        """As in Engine."""

    async def stop(self) -> None:
        """As in Engine."""

    def log(self, topic: str) -> MemoryLog:
        """A topic's log."""
        return self._logs.setdefault(topic, MemoryLog(epoch=1_000 + len(self._logs)))

    def feeds(self, topic: str) -> int:
        """How many feeds are attached."""
        return len(self.log(topic).feeds)

    async def publish(self, appends: Sequence[Append]) -> list[AppendResult]:
        """As in Engine; group commits are all or none."""
        results: list[AppendResult] = []
        failed: set[str] = set()
        for append in appends:
            log = self.log(append.topic)
            expected = append.expected_offset
            key = (append.publisher, append.event_id)
            if append.topic in failed:
                results.append(NotAttempted())
            elif key in log.ids:
                results.append(Stored(log.epoch, log.ids[key], duplicate=True))
            elif expected is not None and expected != log.head:
                failed.add(append.topic)
                results.append(
                    FailedPrecondition(reasons.ERROR_REASON_OFFSET_MISMATCH, "another head")
                )
            else:
                results.append(Stored(log.epoch, self._store(log, append)))
        return results

    def _store(self, log: MemoryLog, append: Append) -> int:
        previous, log.head = log.head, log.head + 1
        event = StoredEvent(
            log.head,
            previous,
            append.event_id,
            event_data(append.body, log.head),
            append.priority,
            append.key,
            append.published_ms,
            append.expires_ms,
        )
        log.events.append(event)
        log.ids[append.publisher, append.event_id] = log.head
        if not self.skip_feeds:
            for feed in tuple(log.feeds):
                feed.on_events((event,))
        return log.head

    def purge(self, topic: str) -> None:
        """Everything is gone, on purpose."""
        self.trim(topic, self.log(topic).head, purged=True)

    def withdraw(self, topic: str, offset: int) -> None:
        """An event is taken out; its place stays."""
        log = self.log(topic)
        log.events = [withdrawn(e) if e.offset == offset else e for e in log.events]
        for feed in log.feeds:
            feed.on_withdrawn((offset,))

    def trim(self, topic: str, floor: int, *, purged: bool = False) -> None:
        """Retention: events up to `floor` are gone."""
        log = self.log(topic)
        log.floor = max(log.floor, min(floor, log.head))
        gone = [event for event in log.events if event.offset <= log.floor]
        log.floor_id = gone[-1].event_id if gone else log.floor_id
        log.events = log.events[len(gone) :]
        for feed in log.feeds:
            feed.on_trimmed(log.floor, purged=purged)

    async def open(self, topic: str, feed: TopicFeed) -> TopicHead:
        """As in Engine."""
        self.opens += 1
        await self.opening.wait()
        log = self.log(topic)
        log.feeds.append(feed)
        return log.state

    def close(self, topic: str, feed: TopicFeed) -> None:
        """As in Engine."""
        feeds = self.log(topic).feeds
        if feed in feeds:
            feeds.remove(feed)

    async def read(self, topic: str, after: int, *, max_events: int, max_bytes: int) -> LogPage:
        """As in Engine."""
        await self._may_read()
        log = self.log(topic)
        kept = [event for event in log.events if event.offset > after]
        page: list[StoredEvent] = []
        size = 0
        for event in kept[:max_events]:
            if page and size + len(event.data) > max_bytes:
                break
            page.append(event)
            size += len(event.data)
        more = len(page) < len(kept)
        through = page[-1].offset if more else max(log.head, after)
        return LogPage(after, page, through, more, log.state)

    async def read_latest(
        self, topic: str, *, before: int, max_events: int, max_bytes: int
    ) -> LogPage:
        """As in Engine."""
        await self._may_read()
        log = self.log(topic)
        last = before or log.head
        kept = [event for event in log.events if event.offset <= last]
        page: list[StoredEvent] = []
        size = 0
        for event in reversed(kept[-max_events:]):
            if page and size + len(event.data) > max_bytes:
                break
            page.insert(0, event)
            size += len(event.data)
        after = page[0].offset - 1 if page else log.floor
        return LogPage(after, page, last, len(page) < len(kept), log.state)

    async def _may_read(self) -> None:
        self.reads += 1
        self.read_begun.set()
        await self.reading.wait()
        if self.fail_reads is not None:
            raise self.fail_reads

    async def head(self, topic: str) -> TopicHead:
        """As in Engine."""
        return self.log(topic).state

    async def resume(self, topic: str, cursor: Cursor) -> Resume:
        """As in Engine."""
        log = self.log(topic)
        if cursor.epoch != log.epoch or cursor.offset > log.head:
            return Resume(Verdict.RESET, log.floor, None, log.state)
        if cursor.offset < log.floor:
            return Resume(Verdict.GAP, log.floor, log.floor - cursor.offset, log.state)
        there = {event.offset: event.event_id for event in log.events} | {log.floor: log.floor_id}
        if cursor.offset and cursor.event_id and there.get(cursor.offset) != cursor.event_id:
            return Resume(Verdict.RESET, log.floor, None, log.state)
        return Resume(Verdict.OK, cursor.offset, None, log.state)

    def shard_of(self, topic: str) -> int:
        """As in Engine."""
        return 0

    def shard_serving(self, shard: int) -> bool:
        """As in Engine."""
        return True

    def complete_as_of_ms(self) -> int:
        """As in Engine."""
        return int(self._clock() * 1000)


def append(
    topic: str,
    event_id: str,
    *,
    size: int = 10,
    priority: int = 3,
    expires_ms: int = 0,
    publisher: str = "p",
) -> Append:
    """A draft ready to be stored, with about `size` bytes."""
    body = event_pb2.Event(id=event_id)
    body.content.attributes["fill"] = "x" * size
    return Append(topic, event_id, publisher, body.SerializeToString(), priority, "", 1, expires_ms)
