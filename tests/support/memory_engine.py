"""An engine that keeps its logs in memory: quick and fully under the test's control.

The contract suite runs on it, so that what pipelines are tested with keeps an engine's promises.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from hub.engine.contract import AppendResult, LogPage, LogPlace, Resume, TopicFeed, TopicHead
from hub.engine.sqlite.failures import shard_unavailable
from hub.engine.sqlite.judge import Judge
from hub.engine.sqlite.policy import keep_everything
from hub.engine.sqlite.requests import refuse_all
from hub.engine.sqlite.topics import TopicState
from hub.engine.sqlite.verdict import judge_cursor
from hub.model.events import Append, StoredEvent, withdrawn
from hub.model.wire import event_data
from shipspeak.realtime.v1 import event_pb2
from tests.support.memory_log import MemoryLog

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hub.engine.sqlite.dedup import Key
    from hub.engine.sqlite.policy import RetentionPolicy
    from hub.errors import HubError
    from hub.model.cursor import Cursor


class MemoryEngine:
    """Implements Engine.

    Reads wait while `reading` is cleared, openings while `opening` is; `fail_reads` makes reads
    fail. Publishing commits at once; with `skip_feeds` the feeds are not told.

    Args:
        clock: seconds since the epoch.
        logs: what another one has left behind.
        retention: how much of a topic is kept; by age only once the engine was started.
        lifetime_s: age of a draft in seconds beyond which its id is not taken any more.
    """

    shard_count = 1

    def __init__(
        self,
        clock: Callable[[], float],
        logs: dict[str, MemoryLog] | None = None,
        retention: RetentionPolicy = keep_everything,
        lifetime_s: float = 24 * 3600.0,
    ) -> None:
        self._clock = clock
        self._logs: dict[str, MemoryLog] = {} if logs is None else logs
        self._retention = retention
        self._lifetime_ms = int(lifetime_s * 1000)
        self._house: asyncio.Task[None] | None = None
        self._stopped = False
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
        self._house = asyncio.create_task(self._keep_house())

    async def stop(self) -> None:
        """As in Engine."""
        self._stopped = True
        if self._house is not None:
            self._house.cancel()
        for log in self._logs.values():
            log.feeds.clear()

    def log(self, topic: str) -> MemoryLog:
        """A topic's log."""
        return self._logs.setdefault(topic, MemoryLog(epoch=1_000 + len(self._logs)))

    def feeds(self, topic: str) -> int:
        """How many feeds are attached."""
        return len(self.log(topic).feeds)

    async def publish(self, appends: Sequence[Append]) -> list[AppendResult]:
        """As in Engine; what is stored is committed and told before this first waits."""
        if self._stopped:
            return refuse_all(appends, _stopped)
        published = self._judge(appends).publish(appends)
        for event in published.events:
            self._store(self.log(event.append.topic), event.append)
        for topic in {event.append.topic for event in published.events}:
            self._keep(topic)
        await asyncio.sleep(0)
        return published.results

    def _judge(self, appends: Sequence[Append]) -> Judge:
        """The rules of ids, offsets and groups are those of the hub."""
        topics: dict[str, TopicState] = {}
        known: dict[Key, int] = {}
        for append in appends:
            log = self.log(append.topic)
            topic = topics.setdefault(
                append.topic, TopicState(len(topics), append.topic, log.epoch, log.head)
            )
            offset = log.ids.get((append.publisher, append.event_id))
            if offset is not None:
                known[topic.id, append.publisher, append.event_id] = offset
        return Judge(topics, known, set(), self._lifetime_ms)

    def _store(self, log: MemoryLog, append: Append) -> None:
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

    def _keep(self, topic: str) -> None:
        """Remove what retention does not promise any more."""
        log, kept = self.log(topic), self._retention(topic)
        floor = log.floor_of(kept, self._now_ms())
        if floor > log.floor:
            self.trim(topic, floor)

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(0.005)
            for topic in tuple(self._logs):
                self._keep(topic)

    def purge(self, topic: str) -> None:
        """Everything is gone, on purpose."""
        self.trim(topic, self.log(topic).head, purged=True)

    def withdraw(self, topic: str, offset: int) -> None:
        """An event is taken out; its place stays."""
        log = self.log(topic)
        log.events = [withdrawn(e) if e.offset == offset else e for e in log.events]
        for feed in log.feeds:
            feed.on_withdrawn((offset,))

    def trim(self, topic: str, floor: int, *, purged: bool = False, more: bool = False) -> None:
        """Retention, or a part of a purge: events up to `floor` are gone."""
        log = self.log(topic)
        log.floor = max(log.floor, min(floor, log.head))
        gone = [event for event in log.events if event.offset <= log.floor]
        log.floor_id = gone[-1].event_id if gone else log.floor_id
        if purged and not more:
            log.purged = (log.floor, self._now_ms())
        log.events = log.events[len(gone) :]
        for feed in log.feeds:
            feed.on_trimmed(log.floor, purged=purged, more=more, oldest_ms=log.state.oldest_ms)

    async def open(self, topic: str, feed: TopicFeed) -> TopicHead:
        """As in Engine."""
        self.opens += 1
        self._check_started()
        await self.opening.wait()
        await asyncio.sleep(0)
        log = self.log(topic)
        log.feeds.append(feed)
        return log.state

    def close(self, topic: str, feed: TopicFeed) -> None:
        """As in Engine."""
        feeds = self.log(topic).feeds
        if feed in feeds:
            feeds.remove(feed)

    async def read(
        self, topic: str, after: int, *, max_events: int, max_bytes: int, horizon: int = 0
    ) -> LogPage:
        """As in Engine."""
        await self._may_read()
        log = self.log(topic)
        there = log.unsuperseded(horizon, self._now_ms())
        kept = [replace(one, prev=-1) for one in there if one.offset > after]
        page: list[StoredEvent] = []
        size = 0
        for event in kept[:max_events]:
            if page and size + len(event.data) > max_bytes:
                break
            page.append(event)
            size += len(event.data)
        more = len(page) < len(kept)
        through = page[-1].offset if more else max(log.head, after)
        left_out = log.count(after, through) - len(page)
        holds = log.holds_until(after, through, horizon, self._now_ms())
        return LogPage(after, page, through, more, log.state, left_out, holds)

    async def read_latest(
        self, topic: str, *, before: int, max_events: int, max_bytes: int, horizon: int = 0
    ) -> LogPage:
        """As in Engine."""
        await self._may_read()
        log = self.log(topic)
        last = before or log.head
        there = log.unsuperseded(horizon, self._now_ms())
        kept = [replace(one, prev=-1) for one in there if one.offset <= last]
        page: list[StoredEvent] = []
        size = 0
        for event in reversed(kept[-max_events:]):
            if page and size + len(event.data) > max_bytes:
                break
            page.insert(0, event)
            size += len(event.data)
        after = page[0].offset - 1 if page else log.floor
        if horizon and len(page) == len(kept):
            after = min(log.floor, last)  # what is left was superseded, all of it
        left_out = log.count(after, last) - len(page)
        return LogPage(after, page, last, len(page) < len(kept), log.state, left_out)

    async def before_latest(self, topic: str, count: int) -> LogPlace:
        """As in Engine."""
        log = self.log(topic)
        if count >= len(log.events):
            return LogPlace(log.floor, log.floor_id, log.state)
        event = log.events[-count - 1]
        return LogPlace(event.offset, event.event_id, log.state)

    async def _may_read(self) -> None:
        self.reads += 1
        self.read_begun.set()
        await self.reading.wait()
        if self.fail_reads is not None:
            raise self.fail_reads

    async def head(self, topic: str) -> TopicHead:
        """As in Engine."""
        self._check_started()
        return self.log(topic).state

    def _check_started(self) -> None:
        if self._stopped:
            raise _stopped("")

    async def resume(self, topic: str, cursor: Cursor) -> Resume:
        """As in Engine."""
        log = self.log(topic)
        there = {event.offset: event.event_id for event in log.events}
        if log.floor_id:
            there[log.floor] = log.floor_id
        through, at_ms = log.purged
        purged_ms = at_ms if cursor.offset <= through else 0
        return judge_cursor(cursor, log.state, there.get(cursor.offset), purged_ms)

    def shard_of(self, topic: str) -> int:
        """As in Engine."""
        return 0

    def shard_serving(self, shard: int) -> bool:
        """As in Engine."""
        return not self._stopped

    def complete_as_of_ms(self) -> int:
        """As in Engine."""
        return self._now_ms()

    def _now_ms(self) -> int:
        return round(self._clock() * 1000)


def _stopped(topic: str) -> HubError:
    return shard_unavailable(0, "the engine was stopped", topic=topic)


def append(
    topic: str,
    event_id: str,
    *,
    size: int = 10,
    priority: int = 3,
    expires_ms: int = 0,
    publisher: str = "p",
    key: str = "",
) -> Append:
    """A draft ready to be stored, with about `size` bytes."""
    body = event_pb2.Event(id=event_id)
    body.content.attributes["fill"] = "x" * size
    return Append(
        topic, event_id, publisher, body.SerializeToString(), priority, key, 1, expires_ms
    )
