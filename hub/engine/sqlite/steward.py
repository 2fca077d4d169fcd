"""The steward of a SQLite engine: looks by its readers, removes by operations of its writers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from hub.engine.sqlite.inspection import (
    places_of_id,
    places_of_publisher,
    topics_like,
    waiting_letters,
)
from hub.engine.sqlite.removal import CHUNK_ROWS, NotePurge, Place, Purge, Withdraw
from hub.engine.sqlite.scheduled import EraseScheduled
from hub.engine.sqlite.work_settle import Bury
from hub.engine.steward import TopicPage
from hub.topics.grammar import is_topic
from hub.topics.namespaces import DEAD
from shipspeak.realtime.v1 import event_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hub.engine.sqlite.engine import SqliteEngine
    from hub.engine.sqlite.reader import ShardReader
    from hub.model.events import StoredEvent

_logger: Final = structlog.get_logger(__name__)

_OWN_TOPICS_AT_ONCE: Final = 100
_LETTER_BYTES: Final = 1 << 20


class SqliteSteward:
    """Implements Steward.

    Args:
        engine: started before the first call.
    """

    def __init__(self, engine: SqliteEngine) -> None:
        self._engine = engine
        self._purges: set[asyncio.Task[int]] = set()

    async def list_topics(self, pattern: str, after: str, limit: int) -> TopicPage:
        """Merge the shards' pages by name."""
        shards = range(self._engine.shard_count)
        found = await asyncio.gather(
            *(
                self._engine.look(
                    shard, lambda reader: topics_like(reader.connection, pattern, after, limit)
                )
                for shard in shards
            )
        )
        # A name behind what one shard has looked at may have unseen ones before it.
        bound = min((one.looked_to for one in found if one.looked_to), default="")
        topics = sorted(
            (entry for one in found for entry in one.topics if not bound or entry[0] <= bound),
            key=lambda entry: entry[0],
        )
        if len(topics) > limit:
            return TopicPage(topics[:limit], topics[limit - 1][0])
        return TopicPage(topics, bound)

    async def purge(self, topic: str) -> int:
        """Purge part by part, to the end even if the caller goes away: readers must be told."""
        task = asyncio.get_running_loop().create_task(self._purge(topic))
        self._purges.add(task)
        task.add_done_callback(self._purge_done)
        return await asyncio.shield(task)

    async def _purge(self, topic: str) -> int:
        shard, clock = self._engine.shard_of(topic), self._engine.clock
        news = _PurgeNews(clock)
        await self._engine.open(topic, news)
        try:
            part = await self._engine.operate(shard, Purge(topic, clock))
            removed = part.removed
            while not part.done:
                part = await self._engine.operate(shard, Purge(topic, clock, part.upto))
                removed += part.removed
            if part.upto:
                await self._engine.operate(shard, NotePurge(topic, news.told_ms, part.upto))
        finally:
            self._engine.close(topic, news)
        return removed

    def _purge_done(self, task: asyncio.Task[int]) -> None:
        self._purges.discard(task)
        if not task.cancelled() and task.exception() is not None:
            # Its caller is told; unless it has gone.
            _logger.warning("purge_failed", error=repr(task.exception()))

    async def withdraw(
        self, topic: str, event_id: str, offset: int = 0, publisher: str = ""
    ) -> int:
        """Find the places by a reader, then empty them."""
        shard = self._engine.shard_of(topic)
        places = await self._engine.look(
            shard,
            lambda reader: places_of_id(reader.connection, topic, event_id, offset, publisher),
        )
        for start in range(0, len(places), CHUNK_ROWS):
            await self._engine.operate(shard, Withdraw(places[start : start + CHUNK_ROWS]))
        return len(places)

    async def erase(self, user: str) -> int:
        """Shard by shard, then the user's own topics."""
        shards = range(self._engine.shard_count)
        # A name that is no segment of a topic has none of its own, and * is no pattern here.
        own = f"user/{user}" if "/" not in user and is_topic(f"user/{user}") else ""
        # First what could still come, and last what is in no topic of the user's own.
        removed = sum([await self._erase_scheduled(shard, user, own) for shard in shards])
        removed += sum([await self._erase_waiting(shard, user, own) for shard in shards])
        if own:
            removed += await self._purge_own(user)
            removed += await self._erase_letters(own)
        return removed + sum([await self._erase_published(shard, user) for shard in shards])

    async def _erase_scheduled(self, shard: int, user: str, own: str) -> int:
        removed = 0
        while part := await self._engine.operate(shard, EraseScheduled(user, own, CHUNK_ROWS)):
            removed += part
        return removed

    async def _erase_waiting(self, shard: int, user: str, own: str) -> int:
        """Events that wait to be dead letters; those in a log go with it, others only here."""
        removed = after = 0
        while True:

            def walk(reader: ShardReader, at: int = after) -> tuple[list[int], int]:
                return waiting_letters(reader.connection, user, own, at, CHUNK_ROWS)

            refs, after = await self._engine.look(shard, walk)
            if refs:
                await self._engine.operate(shard, Bury(refs))
                removed += len(refs)
            if not after:
                return removed

    async def _erase_published(self, shard: int, user: str) -> int:
        removed = after = 0
        while True:

            def walk(reader: ShardReader, at: int = after) -> tuple[list[Place], int]:
                return places_of_publisher(reader.connection, user, at, CHUNK_ROWS)

            places, after = await self._engine.look(shard, walk)
            if places:
                removed += await self._engine.operate(
                    shard, Withdraw(places, forget_publisher=True)
                )
            if not after:
                return removed

    async def _purge_own(self, user: str) -> int:
        """``user/<id>`` and what lies below it."""
        own = f"user/{user}"
        removed = await self.purge(own)
        page = TopicPage((), "")
        while True:
            page = await self.list_topics(f"{own}/**", page.after, _OWN_TOPICS_AT_ONCE)
            for topic, _ in page.topics:
                removed += await self.purge(topic)
            if not page.after:
                return removed

    async def _erase_letters(self, own: str) -> int:
        """Dead letters about events of the user's own topics, whoever published those."""
        letters = f"{DEAD}/user"
        removed, after, more = 0, 0, True
        while more:
            page = await self._engine.read(
                letters, after, max_events=CHUNK_ROWS, max_bytes=_LETTER_BYTES
            )
            places = [
                Place(letters, event.offset, event.event_id)
                for event in page.events
                if not event.withdrawn and f"{_topic_of_letter(event.data)}/".startswith(f"{own}/")
            ]
            if places:
                operation = Withdraw(places, forget_publisher=True)
                removed += await self._engine.operate(self._engine.shard_of(letters), operation)
            after, more = page.through, page.more
        return removed


class _PurgeNews:
    """A feed that notes when readers here were told of a purge, in the same turn of the loop.

    Attributes:
        told_ms: milliseconds since the epoch. Cursors with the news are made later.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self.told_ms = 0

    def on_events(self, events: Sequence[StoredEvent]) -> None:
        """As in TopicFeed."""

    def on_trimmed(
        self, floor: int, *, purged: bool = False, more: bool = False, oldest_ms: int = 0
    ) -> None:
        """As in TopicFeed."""
        del floor, oldest_ms
        if purged and not more:
            self.told_ms = self._clock()

    def on_withdrawn(self, offsets: Sequence[int]) -> None:
        """As in TopicFeed."""


def _topic_of_letter(data: bytes) -> str:
    return event_pb2.Event.FromString(data).content.attributes.get("topic", "")
