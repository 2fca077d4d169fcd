"""The SQLite engine on virtual time: its real SQL, its loop's side, and writers that are timers.

A crash drops everything in memory. What was committed before is in the file, the rest is not.
"""

from __future__ import annotations

import asyncio
import queue
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from hub.engine.sqlite import SqliteEngine
from hub.engine.sqlite.database import connect_writer
from hub.engine.sqlite.failures import shard_unavailable
from hub.engine.sqlite.files import ShardFiles
from hub.engine.sqlite.housekeeping import Housekeeper
from hub.engine.sqlite.identity import epoch_of, identity_of
from hub.engine.sqlite.reader import ShardReader
from hub.engine.sqlite.schema import prepare
from hub.engine.sqlite.shard import Shard
from hub.engine.sqlite.thread import WriterThread
from hub.engine.sqlite.writer import ShardWriter
from tests.simulation.loop import BEGIN

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from random import Random

    from hub.engine.sqlite.requests import Outcome
    from hub.engine.sqlite.thread import Waiting

_T = TypeVar("_T")
DEDUP_MS = 24 * 3600 * 1000
ROUND_SECONDS = 1.0
_IDENTITY_BITS = 55


class Disk:
    """How the disk behaves now; shared by all starts of a hub.

    Attributes:
        slow: seconds that a commit takes at most beyond its usual few milliseconds.
        crash_at: called at each boundary of a commit, "before" and "after"; True = die here.
        commits: counted over all starts.
    """

    def __init__(self, random: Random) -> None:
        self.random = random
        self.slow = 0.0
        self.crash_at: Callable[[str], bool] = lambda _boundary: False
        self.commits = 0

    def commit_seconds(self) -> float:
        """How long the next half of a commit takes."""
        return self.random.uniform(0.0005, 0.006) + self.random.random() * self.slow

    def read_seconds(self) -> float:
        """How long the next read takes."""
        return self.random.uniform(0.0002, 0.004) + self.random.random() * self.slow


class _NoLock:
    def release(self) -> None:
        """One process, one hub at a time."""


class _Inbox:
    """The writer's queue; tells the writer when something came."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._items: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._wake = wake

    def put(self, item: Waiting | None) -> None:
        self._items.put(item)
        self._wake()

    def get_nowait(self) -> Waiting | None:
        return self._items.get_nowait()

    def empty(self) -> bool:
        return self._items.empty()


class TimedWriter(WriterThread):
    """The writer's thread as a chain of timers: take, commit, hand over, keep house."""

    def __init__(self, disk: Disk, died: Callable[[], None], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.waiting = _Inbox(self._wake)  # type: ignore[assignment]
        self._disk, self._died = disk, died
        self._dead = self._busy = False

    def start(self) -> None:
        """Begin the rounds of housekeeping."""
        self._loop.call_later(ROUND_SECONDS, self._round)

    def stop(self) -> None:
        """Die: nothing that waits is finished."""
        self._dead = True

    def _wake(self) -> None:
        if not self._busy and not self._dead:
            self._busy = True
            self._loop.call_later(self._disk.random.uniform(0, 0.002), self._begin)

    def _idle_s(self) -> float:
        return 0.0

    def _begin(self) -> None:
        if self._dead:
            return
        batch = self._take()
        if not batch:
            self._busy = False
            return
        self.outstanding_ms.append(self._clock())
        self._loop.call_later(self._disk.commit_seconds(), self._store, batch)

    def _store(self, batch: list[Waiting]) -> None:
        if self._dead or self._crashed("before"):
            return
        outcome = self.writer.commit([waiting.request for waiting in batch])
        self._serving = outcome.failure is None
        self._disk.commits += outcome.wrote
        if not self._crashed("after"):
            self._loop.call_later(self._disk.commit_seconds(), self._hand_over, batch, outcome)

    def _crashed(self, boundary: str) -> bool:
        if self._disk.crash_at(boundary):
            self._died()
            return True
        return False

    def _hand_over(self, batch: list[Waiting], outcome: Outcome) -> None:
        if self._dead:
            return
        self._loop_side.handed_over(batch, outcome, 0.0)
        self._guarded(lambda: self._housekeeper.note(outcome))
        if self._serving and self._housekeeper.busy:
            self._guarded(self._step)
        self._busy = False
        if not self.waiting.empty():
            self._wake()

    def _round(self) -> None:
        if self._dead:
            return
        self._guarded(self._look_round)
        if self._serving and self._housekeeper.busy and not self._busy:
            self._guarded(self._step)
        self._loop.call_later(ROUND_SECONDS, self._round)


class _TimedReaders:
    """Reads take virtual time, then happen at once."""

    def __init__(self, disk: Disk, paths: list[Path]) -> None:
        self._disk = disk
        self.readers = [ShardReader(path) for path in paths]
        self._closed = False

    async def run(self, shard: int, topic: str, call: Callable[[ShardReader], _T]) -> _T:
        await asyncio.sleep(self._disk.read_seconds())
        if self._closed:
            raise shard_unavailable(shard, "it is not open here; try again", topic=topic)
        return call(self.readers[shard])

    def close(self) -> None:
        self._closed = True
        for reader in self.readers:
            reader.close()


@lru_cache
def _empty_file(index: int, count: int) -> bytes:
    """A shard file as a first start leaves it: to make its tables takes longer than to use them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shard.db"
        connection = connect_writer(path)
        connection.execute("PRAGMA synchronous=OFF")
        prepare(connection, index, count, int(BEGIN * 1000))
        connection.close()
        return path.read_bytes()


class TimedEngine(SqliteEngine):
    """One hub's engine, from its start to its crash.

    Args:
        disk: how it behaves.
        died: called when the disk's `crash_at` strikes.
        folder: the shard files; on a file system in memory they cost little.
        options: as the real engine's.
    """

    def __init__(
        self, disk: Disk, died: Callable[[], None], folder: Path, _data_dir: Path, **options: Any
    ) -> None:
        super().__init__(folder, **options)
        self._disk, self._died = disk, died
        self.writers: list[TimedWriter] = []

    async def start(self) -> None:
        """Open every shard, as a real start does, in this thread."""
        paths = []
        for index in range(self._count):
            files = ShardFiles(self._data_dir, index)
            paths.append(files.database)
            writer = self._open(files.database, index)
            shard = Shard(index, files, _NoLock())  # type: ignore[arg-type]
            timed = TimedWriter(
                self._disk,
                self._died,
                index,
                writer,
                Housekeeper(writer, self._retention, DEDUP_MS),
                shard,
                loop=asyncio.get_running_loop(),
                clock=self.clock,
                round_interval_s=ROUND_SECONDS,
            )
            shard.watchers = self._watchers
            shard.run(timed)
            self._shards.append(shard)
            self.writers.append(timed)
        self._timed = _TimedReaders(self._disk, paths)
        self._readers = self._timed  # type: ignore[assignment]

    def _open(self, path: Path, index: int) -> ShardWriter:
        fresh = not path.exists()
        if fresh:
            path.write_bytes(_empty_file(index, self._count))
        connection = connect_writer(path)
        connection.execute("PRAGMA synchronous=OFF")
        prepare(connection, index, self._count, self.clock())
        if fresh:
            # The identity is drawn from the seed, so that epochs are the same in every run.
            identity = self._disk.random.getrandbits(_IDENTITY_BITS)
            connection.execute("UPDATE meta SET value = ? WHERE key = 'identity'", (identity,))
        return ShardWriter(connection, index, DEDUP_MS)

    def crash(self) -> None:
        """Drop everything in memory; a transaction under way is undone."""
        for writer in self.writers:
            writer.stop()
            writer.writer.connection.close()
        self._timed.close()

    def fill(self, *, full: bool) -> None:
        """Let the disk be full, or have room again."""
        for writer in self.writers:
            connection: sqlite3.Connection = writer.writer.connection
            pages = connection.execute("PRAGMA page_count").fetchone()[0] if full else 1 << 30
            connection.execute(f"PRAGMA max_page_count={pages}").fetchone()

    def epoch(self, topic: str) -> int:
        """The identity of a topic's log now."""
        writer = self.writers[self.shard_of(topic)]
        return epoch_of(identity_of(writer.writer.connection), topic)

    def reader(self, topic: str) -> ShardReader:
        """Reads the topic's file without virtual time."""
        return self._timed.readers[self.shard_of(topic)]
