"""The SQLite engine: a fixed number of shards, all owned by this process."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import time
from typing import TYPE_CHECKING, Final, TypeVar

from hub.engine.sqlite.checkpoint import Checkpointer
from hub.engine.sqlite.failures import start_failed, storage_failed
from hub.engine.sqlite.opening import open_shards
from hub.engine.sqlite.policy import RetentionPolicy, keep_everything
from hub.engine.sqlite.readers import ReaderPool
from hub.engine.sqlite.watchers import Watchers
from hub.engine.sqlite.work_store import SqliteWorkStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hub.engine.contract import AppendResult, LogPage, LogPlace, Resume, TopicFeed, TopicHead
    from hub.engine.sqlite.operation import Operation
    from hub.engine.sqlite.reader import ShardReader
    from hub.engine.sqlite.shard import CommitObserver, Shard
    from hub.model.cursor import Cursor
    from hub.model.events import Append

DEFAULT_SHARDS: Final = 4
DEDUP_LIFETIME_S: Final = 24 * 3600.0
ROUND_INTERVAL_S: Final = 1.0

_T = TypeVar("_T")


def wall_clock_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class SqliteEngine:
    """An Engine (see ``hub.engine.contract``) on SQLite files in one directory.

    Args:
        data_dir: where the files are, on a local disk; made if missing, readable by this user
            alone.
        shards: number of shard files, fixed when the directory is first used.
        clock: milliseconds since the epoch; also called in the writers' threads.
        retention: how much of a topic is kept; also called in the writers' threads.
        dedup_lifetime_s: how long ids are remembered, in seconds.
        round_interval_s: pause between two looks for events and ids past their time, in seconds;
            each look takes 500 topics of each shard.
        sized: count the bytes that each namespace keeps.
        accept_lost_shards: start with empty files in place of those that the store has lost.
        on_commit: called on the loop with (shard, stored events, seconds) after each commit.
        on_read: called on the loop for each read of a topic's log.

    Attributes:
        clock: as given.
        work: the register of work subscriptions (see ``hub.engine.work``).
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        shards: int = DEFAULT_SHARDS,
        clock: Callable[[], int] = wall_clock_ms,
        retention: RetentionPolicy = keep_everything,
        dedup_lifetime_s: float = DEDUP_LIFETIME_S,
        round_interval_s: float = ROUND_INTERVAL_S,
        accept_lost_shards: bool = False,
        sized: bool = False,
        on_commit: CommitObserver | None = None,
        on_read: Callable[[], None] | None = None,
    ) -> None:
        self._data_dir = data_dir
        self._count = shards
        self.clock = clock
        self._retention = retention
        self._lifetime_ms = int(dedup_lifetime_s * 1000)
        self._interval_s = round_interval_s
        self._accept_lost = accept_lost_shards
        self._sized = sized
        self._on_commit = on_commit
        self._on_read = on_read
        self._shards: list[Shard] = []
        self._readers: ReaderPool | None = None
        self._checkpointer: Checkpointer | None = None
        self._watchers = Watchers()
        self.work = SqliteWorkStore(self, self._watchers, clock)

    async def start(self) -> None:
        """Open every shard, or none.

        Raises:
            Unavailable: SHARD_UNAVAILABLE when another process owns a shard or the directory is on
                a network file system; STORAGE_FAILED when a file cannot be used or is lost, has
                another number of shards or a newer schema.
        """
        loop = asyncio.get_running_loop()
        opened = await asyncio.to_thread(
            open_shards,
            self._data_dir,
            self._count,
            loop=loop,
            clock=self.clock,
            retention=self._retention,
            dedup_lifetime_ms=self._lifetime_ms,
            round_interval_s=self._interval_s,
            accept_lost=self._accept_lost,
            sized=self._sized,
        )
        self._shards = [shard for shard, _ in opened]
        paths = [shard.files.database for shard in self._shards]
        self._readers = ReaderPool(paths)
        for shard, thread in opened:
            shard.on_commit = self._on_commit
            shard.watchers = self._watchers
            shard.run(thread)
        try:
            checkpointer = Checkpointer([(s.files.database, thread) for s, thread in opened])
        except sqlite3.Error as error:
            await self.stop()
            raise start_failed(self._data_dir, error) from error
        self._checkpointer = checkpointer
        checkpointer.start()

    def leave(self) -> None:
        """This instance is about to end. Alone, it has nobody to leave its shards to."""

    async def stop(self) -> None:
        """Finish what was accepted, then close the files and free the locks. Safe to call twice."""
        readers, checkpointer = self._readers, self._checkpointer
        self._readers = self._checkpointer = None
        for shard in self._shards:
            shard.refuse()
        if readers is None:
            return
        readers.refuse()
        try:
            await asyncio.to_thread(readers.close)
            if checkpointer is not None:
                await asyncio.to_thread(checkpointer.stop)
        finally:
            await asyncio.gather(*(asyncio.to_thread(shard.close) for shard in self._shards))

    async def publish(self, appends: Sequence[Append]) -> list[AppendResult]:
        """Store drafts and answer after commit, one result each, in order."""
        parts: dict[int, list[int]] = {}
        for index, append in enumerate(appends):
            parts.setdefault(self.shard_of(append.topic), []).append(index)
        if len(parts) == 1:
            (only,) = parts
            return await self._shard(only).publish(appends)
        # Into every queue before the first await: no later call may overtake a part of this one.
        waiting = [
            self._shard(shard).publish([appends[index] for index in indexes])
            for shard, indexes in parts.items()
        ]
        answers = await asyncio.gather(*waiting)
        results: dict[int, AppendResult] = {}
        for indexes, answer in zip(parts.values(), answers, strict=True):
            results.update(zip(indexes, answer, strict=True))
        return [results[index] for index in range(len(appends))]

    async def open(self, topic: str, feed: TopicFeed) -> TopicHead:
        """Attach a feed.

        It may be called before the awaiting caller runs again, always for offsets > head.
        """
        return await self._shard_for(topic).open(topic, feed)

    def close(self, topic: str, feed: TopicFeed) -> None:
        """Detach a feed; it is not called any more."""
        if self._shards:
            self._shard_for(topic).detach(topic, feed)

    async def read(
        self, topic: str, after: int, *, max_events: int, max_bytes: int, horizon: int = 0
    ) -> LogPage:
        """Read a page behind ``after``. At least one event is returned when there is one."""
        return await self._read(
            topic, lambda log: log.read(topic, after, max_events, max_bytes, horizon, self.clock())
        )

    async def read_latest(
        self, topic: str, *, before: int, max_events: int, max_bytes: int, horizon: int = 0
    ) -> LogPage:
        """Read the newest events with offset <= ``before`` (0 = head), in rising order."""
        return await self._read(
            topic,
            lambda log: log.read_latest(
                topic, before, max_events, max_bytes, horizon, self.clock()
            ),
        )

    async def before_latest(self, topic: str, count: int) -> LogPlace:
        """The place behind which the newest ``count`` events are; the floor when fewer are kept."""
        return await self._read(topic, lambda log: log.before_latest(topic, count))

    async def head(self, topic: str) -> TopicHead:
        """The topic's committed state, read from the file."""
        return await self._read(topic, lambda log: log.head(topic))

    async def resume(self, topic: str, cursor: Cursor) -> Resume:
        """Judge a cursor (see ``hub.engine.sqlite.verdict``)."""
        return await self._read(topic, lambda log: log.resume(topic, cursor))

    def shard_of(self, topic: str) -> int:
        """The shard that holds the topic; stable over restarts and machines."""
        digest = hashlib.blake2b(topic.encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") % self._count

    @property
    def shard_count(self) -> int:
        """Number of shards."""
        return self._count

    def shard_serving(self, shard: int) -> bool:
        """Whether the shard is open here and its storage took the last write."""
        return shard < len(self._shards) and self._shards[shard].serving

    def stored_bytes(self, namespace: str) -> int:
        """Bytes of events that a namespace keeps, as of the last commits; 0 where none counts."""
        return sum(shard.stored_bytes(namespace) for shard in self._shards)

    def owns(self, shard: int) -> bool:
        """Whether this instance writes the shard: alone, it does all of them."""
        return shard < self._count

    def complete_as_of_ms(self) -> int:
        """Everything stored before this time has been handed to the feeds.

        The clock is read first: what begins to commit after that cannot be older. A batch that has
        begun and is not handed over yet holds the time back to its beginning, even if its commit is
        not done.
        """
        complete = self.clock()
        for index in range(self._count):
            outstanding = self._shard(index).oldest_outstanding_ms()
            if outstanding is not None:
                complete = min(complete, outstanding)
        return complete

    async def operate(self, shard: int, operation: Operation[_T]) -> _T:
        """Run an operation in line with a shard's commits; what it answers is durable.

        Raises:
            HubError: refused by the operation, or the shard is not here or its storage failed.
        """
        return await self._shard(shard).operate(operation)

    async def look(self, shard: int, call: Callable[[ShardReader], _T]) -> _T:
        """Run a read of one shard in a reader's thread.

        Raises:
            HubError: the shard is not here or cannot be read.
        """
        readers = self._readers
        if readers is None:
            raise self._shard(shard).unavailable("")
        return await readers.run(shard, "", call)

    async def _read(self, topic: str, call: Callable[[ShardReader], _T]) -> _T:
        shard = self._shard_for(topic)
        readers = self._readers
        if readers is None:
            raise shard.unavailable(topic)
        if self._on_read is not None:
            self._on_read()
        return await readers.run(shard.index, topic, call)

    def _shard_for(self, topic: str) -> Shard:
        return self._shard(self.shard_of(topic))

    def _shard(self, index: int) -> Shard:
        if not self._shards:
            raise storage_failed(index, RuntimeError("the engine was not started"))
        return self._shards[index]
