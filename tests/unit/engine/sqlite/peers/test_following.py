"""A feed that is led from owner to owner: everything once, in order, and nothing is left out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hub.engine.contract import LogPage, TopicHead
from hub.engine.sqlite.failures import shard_unavailable
from hub.engine.sqlite.peers.following import MAX_EARLY, Following
from hub.model.events import NORMAL, StoredEvent
from tests.contract.engine.harness import RecordingFeed
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import Sequence

EPOCH = 7


def event(offset: int, prev: int | None = None) -> StoredEvent:
    before = offset - 1 if prev is None else prev
    return StoredEvent(offset, before, f"e{offset}", b"data", NORMAL, "", 1, 0)


class ScriptedLog:
    """A log of so many events; counts what is read, and can be away."""

    def __init__(self) -> None:
        self.head = 0
        self.floor = 0
        self.reads: list[int] = []
        self.away = 0
        self.gate: asyncio.Event | None = None
        self.changes = 0

    async def read(
        self, topic: str, after: int, *, max_events: int, max_bytes: int, horizon: int = 0
    ) -> LogPage:
        del max_bytes, horizon
        self.reads.append(after)
        if self.gate is not None:
            await self.gate.wait()
        if self.away:
            self.away -= 1
            raise shard_unavailable(0, "away", topic=topic)
        begin = max(after, self.floor)
        events = [event(n, -1) for n in range(begin + 1, self.head + 1)][:max_events]
        through = events[-1].offset if events else max(begin, self.head)
        state = TopicHead(EPOCH, self.head, self.floor)
        return LogPage(after, events, through, through < self.head, state)

    def follow_changed(self, following: Following) -> None:
        del following
        self.changes += 1


@pytest.fixture
def log() -> ScriptedLog:
    return ScriptedLog()


@pytest.fixture
def feed() -> RecordingFeed:
    return RecordingFeed()


@pytest.fixture
def following(log: ScriptedLog, feed: RecordingFeed) -> Following:
    return Following("meeting/1", 0, feed, log)


def head(offset: int, floor: int = 0) -> TopicHead:
    return TopicHead(EPOCH, offset, floor)


def linked(events: Sequence[StoredEvent], after: int = 0) -> bool:
    """Whether each follows the one before it."""
    return [one.prev for one in events] == [after, *(one.offset for one in events[:-1])]


async def test_what_comes_in_line_goes_through(following: Following, feed: RecordingFeed):
    following.attach(head(3))
    following.on_events([event(4), event(5)])
    following.on_events([event(6)])
    assert feed.ids == ["e4", "e5", "e6"]
    assert not following.behind


async def test_what_comes_before_the_answer_is_kept_for_it(
    following: Following, feed: RecordingFeed
):
    following.on_events([event(3), event(4)])
    assert feed.ids == []
    following.attach(head(3))
    assert feed.ids == ["e4"]


async def test_what_was_given_is_not_given_again(following: Following, feed: RecordingFeed):
    following.attach(head(0))
    following.on_events([event(1), event(2)])
    following.detach()
    following.on_events([event(2), event(3)])
    following.attach(head(2))
    assert feed.ids == ["e1", "e2", "e3"]


async def test_a_hole_is_read_from_the_log(
    following: Following, feed: RecordingFeed, log: ScriptedLog
):
    following.attach(head(0))
    log.head = 5
    following.on_events([event(1)])
    following.on_events([event(5)])
    assert following.behind
    await until(lambda: not following.behind)
    assert feed.ids == [f"e{number}" for number in range(1, 6)]
    assert linked(feed.events)


async def test_what_an_owner_stored_and_never_told_is_read_at_the_next(
    following: Following, feed: RecordingFeed, log: ScriptedLog
):
    following.attach(head(0))
    following.on_events([event(1)])
    following.detach()
    assert following.behind
    log.head = 9
    following.attach(head(9))
    following.on_events([event(10)])
    log.head = 10
    await until(lambda: not following.behind)
    assert feed.ids == [f"e{number}" for number in range(1, 11)]
    assert linked(feed.events)


async def test_what_was_left_out_of_a_full_link_is_read(
    following: Following, feed: RecordingFeed, log: ScriptedLog
):
    following.attach(head(0))
    log.head = 700
    following.skipped(700)
    await until(lambda: not following.behind)
    assert len(feed.events) == 700
    assert linked(feed.events)
    following.skipped(300)
    assert not following.behind


async def test_what_comes_while_it_reads_is_no_more_than_a_number(
    following: Following, feed: RecordingFeed, log: ScriptedLog
):
    following.attach(head(0))
    log.gate = asyncio.Event()
    log.head = 2
    following.skipped(2)
    await asyncio.sleep(0)
    for offset in range(3, 1_000):
        log.head = offset
        following.on_events([event(offset)])
    log.gate.set()
    await until(lambda: not following.behind)
    assert feed.ids == [f"e{number}" for number in range(1, 1_000)]


async def test_more_than_may_be_kept_early_is_read(
    following: Following, feed: RecordingFeed, log: ScriptedLog
):
    count = MAX_EARLY + 50
    for offset in range(1, count + 1):
        following.on_events([event(offset)])
    log.head = count
    following.attach(head(0))
    await until(lambda: len(feed.events) == count)
    assert linked(feed.events)


async def test_a_log_that_is_away_is_tried_again(
    following: Following, feed: RecordingFeed, log: ScriptedLog
):
    following.attach(head(0))
    log.head, log.away = 3, 2
    following.skipped(3)
    await until(lambda: not following.behind)
    assert feed.ids == ["e1", "e2", "e3"]


async def test_what_retention_took_meanwhile_is_told(
    following: Following, feed: RecordingFeed, log: ScriptedLog
):
    following.attach(head(2))
    following.detach()
    log.head, log.floor = 9, 6
    following.attach(head(9, floor=6))
    await until(lambda: not following.behind)
    assert feed.floors == [6]
    assert feed.purges == []
    assert feed.ids == ["e7", "e8", "e9"]
    assert linked(feed.events, after=6)


async def test_a_purge_that_nobody_told_is_told(following: Following, feed: RecordingFeed):
    following.attach(head(4))
    following.detach()
    following.attach(head(4, floor=4), purged=True)
    assert feed.purges == [4]


async def test_a_closed_one_gives_nothing(
    following: Following, feed: RecordingFeed, log: ScriptedLog
):
    following.attach(head(0))
    log.gate = asyncio.Event()
    log.head = 2
    following.skipped(2)
    await asyncio.sleep(0)
    following.close()
    log.gate.set()
    await asyncio.sleep(0.01)
    following.on_events([event(3)])
    assert feed.ids == []
