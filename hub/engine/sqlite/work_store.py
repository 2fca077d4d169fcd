"""The register of work subscriptions on SQLite: readers scan, the shards' writers change."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from hub.engine.sqlite import work_scan
from hub.engine.sqlite.purges import was_purged
from hub.engine.sqlite.work_place import (
    REMOVED_PATTERN,
    Create,
    MarkRemoved,
    MarkReplayed,
    Remove,
    SeekOffset,
    SeekPlace,
)
from hub.engine.sqlite.work_settle import Bury, Exhume, Settle
from hub.engine.sqlite.work_take import Take
from hub.engine.work import Backlog, DeadLetter, OpenItem, Settlement, Taken, WorkSpec

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Coroutine, Sequence

    from hub.engine.sqlite.operation import Operation
    from hub.engine.sqlite.reader import ShardReader
    from hub.engine.sqlite.watchers import Watchers
    from hub.engine.work import WorkWatcher

_T = TypeVar("_T")

# A place that moved over so many events of others is written down even if it found nothing.
FOLLOW_ROWS: Final = 1_000


class Shards(Protocol):
    """The engine's shards, as the register needs them."""

    @property
    def shard_count(self) -> int:
        """How many there are."""

    def shard_of(self, topic: str) -> int:
        """Where a topic lives."""

    async def operate(self, shard: int, operation: Operation[_T]) -> _T:
        """Run an operation in line with a shard's commits."""

    async def look(self, shard: int, call: Callable[[ShardReader], _T]) -> _T:
        """Run a read of one shard in a reader's thread."""


class SqliteWorkStore:
    """A WorkStore (see ``hub.engine.work``).

    Args:
        shards: the engine's.
        watchers: told by the shards.
        clock: milliseconds since the epoch.
    """

    def __init__(self, shards: Shards, watchers: Watchers, clock: Callable[[], int]) -> None:
        self._shards = shards
        self._watchers = watchers
        self._clock = clock

    async def specs(self) -> list[WorkSpec]:
        """All work subscriptions; a making or a removal that was cut short is finished here."""
        by_shard = await self._on_all(lambda shard: self._query(shard, work_scan.specs))
        every = list(itertools.chain(*by_shard))
        removed = {spec.name for spec in every if spec.pattern == REMOVED_PATTERN}
        for name in sorted(removed):
            await self.remove(name)
        by_shard = [[spec for spec in specs if spec.name not in removed] for specs in by_shard]
        all_specs = sorted(itertools.chain(*by_shard), key=lambda spec: spec.created_ms)
        found = {spec.name: spec for spec in all_specs}
        for spec in found.values():
            # Two makings that were cut short may have left two of the name: the newer one stays.
            if any(spec not in specs for specs in by_shard):
                await self.create(spec)
        return sorted(found.values(), key=lambda spec: spec.name)

    async def create(self, spec: WorkSpec) -> None:
        """Make one in every shard."""
        await self._on_all(lambda shard: self._shards.operate(shard, Create(spec)))

    async def remove(self, name: str) -> None:
        """Forget one in every shard, after all of them know that it goes."""
        await self._on_all(lambda shard: self._shards.operate(shard, MarkRemoved(name)))
        await self._on_all(lambda shard: self._shards.operate(shard, Remove(name)))

    def watch(self, spec: WorkSpec, watcher: WorkWatcher) -> None:
        """Call ``watcher`` from now on."""
        self._watchers.add(spec.name, spec.pattern, watcher)

    def unwatch(self, name: str) -> None:
        """Call it no more."""
        self._watchers.remove(name)

    async def open_items(self, name: str, shard: int) -> list[OpenItem]:
        """What is open."""
        return await self._query(shard, lambda db: work_scan.open_items(db, name))

    async def take(
        self,
        name: str,
        shard: int,
        *,
        again: Sequence[int],
        fresh: int,
        hand_out: bool,
        uncounted: Sequence[int] = (),
    ) -> Taken:
        """Scan beside the commits, then register and count in line with them."""
        scan = None
        if fresh:
            scan = await self._query(shard, lambda db: work_scan.scan(db, name, fresh))
            if not again and not scan.found and scan.through - scan.after < FOLLOW_ROWS:
                return Taken(more=scan.more)
        take = Take(name, tuple(again), scan, hand_out, self._clock(), frozenset(uncounted))
        return await self._shards.operate(shard, take)

    async def settle(self, name: str, shard: int, settlements: Sequence[Settlement]) -> list[bool]:
        """Rule on open events in one transaction."""
        return await self._shards.operate(shard, Settle(name, tuple(settlements)))

    async def seek_time(self, name: str, time_ms: int) -> None:
        """Move in every shard."""

        async def seek(shard: int) -> None:
            place = await self._query(shard, lambda db: work_scan.place_before(db, time_ms))
            await self._shards.operate(shard, SeekPlace(name, place))

        await self._on_all(seek)

    async def seek_offset(self, name: str, topic: str, offset: int) -> None:
        """Move in the topic's shard."""
        shard = self._shards.shard_of(topic)
        await self._shards.operate(shard, SeekOffset(name, topic, offset))

    async def backlog(self, spec: WorkSpec, shard: int) -> Backlog:
        """Count in one shard."""
        return await self._query(shard, lambda db: work_scan.backlog(db, spec.name))

    async def dead(self, shard: int, limit: int) -> list[DeadLetter]:
        """The oldest that wait."""
        return await self._query(shard, lambda db: work_scan.dead(db, limit))

    async def exhume(self, shard: int, limit: int) -> list[DeadLetter]:
        """Look first: there are hardly ever any, and marking them is a write."""
        if not await self.dead(shard, 1):
            return []
        return await self._shards.operate(shard, Exhume(limit))

    async def bury(self, shard: int, refs: Sequence[int]) -> None:
        """Forget those that are published."""
        await self._shards.operate(shard, Bury(tuple(refs)))

    async def was_purged(self, topic: str, offset: int) -> bool:
        """Ask the note of the topic's last purge, which reached at least as far as those before."""
        shard = self._shards.shard_of(topic)
        return await self._query(shard, lambda db: was_purged(db, topic, offset))

    async def replayed(self, topic: str) -> set[int]:
        """Offsets of the replayed dead letters."""
        shard = self._shards.shard_of(topic)
        return await self._query(shard, lambda db: work_scan.replayed(db, topic))

    async def mark_replayed(self, topic: str, offsets: Sequence[int]) -> None:
        """Remember replayed dead letters."""
        mark = MarkReplayed(topic, tuple(offsets))
        await self._shards.operate(self._shards.shard_of(topic), mark)

    async def _query(self, shard: int, call: Callable[[sqlite3.Connection], _T]) -> _T:
        return await self._shards.look(shard, lambda reader: reader.query(call))

    async def _on_all(self, call: Callable[[int], Coroutine[Any, Any, _T]]) -> list[_T]:
        """On every shard, to the end on each: a failure must not leave others under way."""
        answers = await asyncio.gather(
            *map(call, range(self._shards.shard_count)), return_exceptions=True
        )
        done: list[_T] = []
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
            done.append(answer)
        return done
