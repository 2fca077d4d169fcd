"""The SQLite engine of one instance among several: writes go to owners, reads to the files."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

from hub.engine.sqlite.engine import (
    DEDUP_LIFETIME_S,
    DEFAULT_SHARDS,
    ROUND_INTERVAL_S,
    SqliteEngine,
    wall_clock_ms,
)
from hub.engine.sqlite.failures import shard_unavailable, start_failed
from hub.engine.sqlite.files import ShardFiles, prepare_directory
from hub.engine.sqlite.peers.beats import Beats
from hub.engine.sqlite.peers.desk import OwnerDesk
from hub.engine.sqlite.peers.followings import Followings
from hub.engine.sqlite.peers.network import Network
from hub.engine.sqlite.peers.owned import Terms, give, take
from hub.engine.sqlite.peers.owners import Owners
from hub.engine.sqlite.peers.ownership import Ownership
from hub.engine.sqlite.peers.requests import Requests
from hub.engine.sqlite.peers.watchers import PeerWatchers
from hub.engine.sqlite.policy import RetentionPolicy, keep_everything
from hub.engine.sqlite.readers import ReaderPool
from hub.engine.sqlite.scheduled import AddScheduled
from hub.engine.sqlite.work_store import SqliteWorkStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hub.engine.contract import AppendResult, TopicFeed, TopicHead
    from hub.engine.sqlite.operation import Operation
    from hub.engine.sqlite.peers.guest import Guest
    from hub.engine.sqlite.peers.link import Link
    from hub.engine.sqlite.peers.place import PeerPlace
    from hub.engine.sqlite.reader import ShardReader
    from hub.engine.sqlite.shard import CommitObserver
    from hub.model.events import Append
    from shipspeak.realtime.internal.v1 import peer_service_pb2 as peer

BEAT_S: Final = 0.25
START_S: Final = 30.0
# What others were asked is waited for so long, when this ends.
FINISH_S: Final = 2.0

_T = TypeVar("_T")


class PeerEngine(SqliteEngine):
    """An Engine on files that several instances share; the store was made by ``check_store``.

    Args:
        data_dir, shards, clock, retention, dedup_lifetime_s, round_interval_s, on_commit, on_read,
            sized: as in SqliteEngine.
        place: of this instance among the others.

    Attributes:
        network: the links to the others.
        owners: who owns which shard.
        on_moved: called when a shard has another owner, or none.
        on_scheduled: called when drafts may wait here for their time that did not before.
    """

    def __init__(
        self,
        data_dir: Path,
        place: PeerPlace,
        *,
        shards: int = DEFAULT_SHARDS,
        clock: Callable[[], int] = wall_clock_ms,
        retention: RetentionPolicy = keep_everything,
        dedup_lifetime_s: float = DEDUP_LIFETIME_S,
        round_interval_s: float = ROUND_INTERVAL_S,
        on_commit: CommitObserver | None = None,
        on_read: Callable[[], None] | None = None,
        sized: bool = False,
    ) -> None:
        super().__init__(data_dir, shards=shards, clock=clock, on_commit=on_commit, on_read=on_read)
        self._terms = Terms(
            data_dir,
            shards,
            clock,
            retention,
            int(dedup_lifetime_s * 1000),
            round_interval_s,
            sized,
        )
        self.network = Network(place, self)
        self.on_scheduled: Callable[[], None] | None = None
        self.on_moved: Callable[[], None] | None = None
        self.owners = Owners(self.network, shards, self._moved)
        self._desk = OwnerDesk(self.owners, self.shard_of, clock, self._operated)
        self._followings = Followings(self)
        self._requests = Requests(self.owners, clock)
        self._peer_watchers = self._watchers = PeerWatchers(self.network)
        self.work = SqliteWorkStore(self, self._watchers, clock)
        self._ownership = Ownership(self, self.network, self.owners)
        self._heard = Beats(self.owners, self._followings, shards, clock)
        self._tasks: list[asyncio.Task[None]] = []

    # Life

    async def start(self) -> None:
        """Join the others, and wait until every shard has an owner.

        Raises:
            Unavailable: SHARD_UNAVAILABLE when that takes too long, or the directory is on a
                network file system; STORAGE_FAILED when it cannot be used.
        """
        await asyncio.to_thread(prepare_directory, self._data_dir)
        paths = [ShardFiles(self._data_dir, index).database for index in range(self._count)]
        self._readers = ReaderPool(paths)
        try:
            await self.network.start()
        except OSError as error:
            raise start_failed(self.network.place.run_dir, error) from error
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._ownership.run()), loop.create_task(self._beats())]
        until = loop.time() + START_S
        while missing := self.owners.missing():
            if not await self.owners.change(until):
                names = ", ".join(map(str, missing))
                raise shard_unavailable(missing[0], f"shards {names} got no owner; see the log")

    def leave(self) -> None:
        """This instance is about to end: others take its shards, while its clients go."""
        self.owners.leaving = True
        self.owners.announce()
        self._ownership.poke()

    async def stop(self) -> None:
        """Finish what was accepted, give the shards up, leave. Safe to call twice."""
        readers = self._readers
        self._readers = None
        if readers is None:
            return
        self.leave()
        self._ownership.stop()
        tasks, self._tasks = self._tasks, []
        for task in tasks[1:]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._requests.finish(FINISH_S)
        try:
            await asyncio.gather(*(self.give_shard(shard) for shard in tuple(self.owners.owned)))
        finally:
            self._followings.stop()
            await self._desk.stop()
            await self.network.stop()
            readers.refuse()
            await asyncio.to_thread(readers.close)

    # Data

    async def publish(self, appends: Sequence[Append]) -> list[AppendResult]:
        """Store drafts at their owners; a shard without one is waited for, for a while."""
        parts: dict[int, list[int]] = {}
        for index, append in enumerate(appends):
            parts.setdefault(self.shard_of(append.topic), []).append(index)
        if len(parts) == 1:
            (only,) = parts
            return await self._requests.publish(only, appends)
        # Into every queue before the first await: no later call may overtake a part of this one.
        waiting = [
            self._requests.publish(shard, [appends[index] for index in indexes])
            for shard, indexes in parts.items()
        ]
        answers = await asyncio.gather(*waiting)
        results: dict[int, AppendResult] = {}
        for indexes, answer in zip(parts.values(), answers, strict=True):
            results.update(zip(indexes, answer, strict=True))
        return [results[index] for index in range(len(appends))]

    async def open(self, topic: str, feed: TopicFeed) -> TopicHead:
        """Attach a feed, here or at the owner."""
        return await self._followings.open(topic, feed)

    def close(self, topic: str, feed: TopicFeed) -> None:
        """Detach a feed; it is not called any more."""
        self._followings.close(topic, feed)

    async def operate(self, shard: int, operation: Operation[_T]) -> _T:
        """Run an operation at the owner."""
        return await self._requests.operate(shard, operation)

    async def look(self, shard: int, call: Callable[[ShardReader], _T]) -> _T:
        """Run a read of one shard's file, whoever owns it."""
        if self._readers is None:
            raise shard_unavailable(shard, "it is not open here; try again")
        return await self._readers.run(shard, "", call)

    async def _read(self, topic: str, call: Callable[[ShardReader], _T]) -> _T:
        shard = self.shard_of(topic)
        if self._readers is None:
            raise shard_unavailable(shard, "it is not open here; try again", topic=topic)
        if self._on_read is not None:
            self._on_read()
        return await self._readers.run(shard, topic, call)

    # State

    def shard_serving(self, shard: int) -> bool:
        """Whether its owner says that the last write was taken; see ``Owners.serving``."""
        return self.owners.serving(shard)

    def owns(self, shard: int) -> bool:
        """Whether the shard is open here."""
        return shard in self.owners.owned

    def stored_bytes(self, namespace: str) -> int:
        """Bytes of events that a namespace keeps, as of the owners' last beats."""
        return self._heard.stored_bytes(namespace)

    def complete_as_of_ms(self) -> int:
        """Of owned shards now, of others their owner's last beat, as far as it was followed."""
        return self._heard.complete_as_of_ms()

    # As the holder of shards

    async def take_shard(self, shard: int) -> bool:
        """Try to own a shard."""
        owned = await take(shard, self._terms, self._watchers, self._on_commit)
        if owned is None:
            return False
        self.owners.owned[shard] = owned
        self.owners.announce()
        self.owners.look()
        if self.on_scheduled is not None:
            self.on_scheduled()
        return True

    async def give_shard(self, shard: int) -> None:
        """Own a shard no more: nothing new goes to it, what was accepted is finished."""
        owned = self.owners.owned.pop(shard)
        self.owners.look()
        await give(owned)
        # Only now: whoever takes it finds it unlocked.
        self.owners.announce()

    def _operated(self, operation: object) -> None:
        if isinstance(operation, AddScheduled) and self.on_scheduled is not None:
            self.on_scheduled()

    # As the host of links and guests

    def on_word(self, link: Link, word: peer.Word) -> None:
        """Beats and commits here, the rest to whoever follows."""
        kind = word.WhichOneof("word")
        if kind == "beat":
            self._heard.heard(link, word.beat)
        elif kind == "committed":
            self._peer_watchers.told(word.committed)
        else:
            self._followings.on_word(link, word)

    def on_link_up(self, link: Link) -> None:
        """It lives, or owns other shards than before."""
        self._peer_watchers.joined(link)
        self.owners.look()
        self._ownership.poke()

    def on_link_down(self, link: Link) -> None:
        """Its shards need another owner."""
        self._followings.lost(link)
        self.owners.look()
        self._ownership.poke()

    def on_guest(self, guest: Guest) -> None:
        """Tell it what is owned here."""
        guest.tell(self.owners.standing())

    def on_ask(self, guest: Guest, ask: peer.Ask) -> None:
        """It asks the owner."""
        self._desk.on_ask(guest, ask)

    def on_guest_gone(self, guest: Guest) -> None:
        """It follows nothing more."""
        self._desk.gone(guest)

    def _moved(self, shard: int) -> None:
        self._followings.moved(shard)
        if self.on_moved is not None:
            self.on_moved()

    async def _beats(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            # A shard's storage may have failed, or work again.
            self.owners.announce()
            self._desk.beat(tuple(self.network.guests))
