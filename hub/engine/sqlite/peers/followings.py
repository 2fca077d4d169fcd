"""All feeds of an instance, each led to whoever owns its topic's shard."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import structlog

from hub.engine.sqlite.failures import shard_unavailable
from hub.engine.sqlite.peers.calls import LinkLost, NotOwner
from hub.engine.sqlite.peers.following import Following
from hub.engine.sqlite.peers.requests import PATIENCE_S, RETRY_S
from hub.engine.sqlite.peers.told import Told
from hub.engine.sqlite.purges import was_purged
from hub.engine.sqlite.shard import Shard
from hub.errors import HubError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from hub.engine.contract import LogPage, TopicFeed, TopicHead
    from hub.engine.sqlite.peers.link import Link
    from hub.engine.sqlite.peers.owners import Owners
    from hub.engine.sqlite.reader import ShardReader
    from shipspeak.realtime.internal.v1 import peer_service_pb2 as peer

_logger: Final = structlog.get_logger(__name__)
_T = TypeVar("_T")


class Store(Protocol):
    """Knows the owners, and reads the logs."""

    owners: Owners

    def shard_of(self, topic: str) -> int:
        """As in Engine."""

    async def read(
        self, topic: str, after: int, *, max_events: int, max_bytes: int, horizon: int = 0
    ) -> LogPage:
        """As in Engine."""

    async def look(self, shard: int, call: Callable[[ShardReader], _T]) -> _T:
        """Run a read of one shard's file."""


class Followings:
    """Feeds by topic.

    Args:
        store: knows the owners.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._all: dict[tuple[str, int], Following] = {}
        self._of_shard: dict[int, dict[Following, None]] = {}
        self._behind: dict[int, set[Following]] = {}
        self._told: dict[Link, Told] = {}
        self._moves: dict[int, asyncio.Task[None]] = {}

    async def open(self, topic: str, feed: TopicFeed) -> TopicHead:
        """Attach a feed; it gets what is stored behind the answer's head.

        Raises:
            HubError: nobody owns the shard, for too long.
        """
        shard = self._store.shard_of(topic)
        following = Following(topic, shard, feed, self)
        key = topic, id(feed)
        self._all[key] = following
        self._behind.setdefault(shard, set()).add(following)
        until = asyncio.get_running_loop().time() + PATIENCE_S
        try:
            while (head := await self._attach(following)) is None:
                await self._wait_or_raise(following, until)
        except BaseException:
            self._forget(key, following)
            raise
        self._of_shard.setdefault(shard, {})[following] = None
        if following.source is not self._store.owners.owner(shard):
            # The owner has changed in this very turn.
            self.moved(shard)
        return head

    def close(self, topic: str, feed: TopicFeed) -> None:
        """Detach a feed; nothing happens when it is not attached."""
        following = self._all.get((topic, id(feed)))
        if following is not None:
            self._forget((topic, id(feed)), following)

    def stop(self) -> None:
        """Feed nobody any more."""
        for task in self._moves.values():
            task.cancel()
        for key, following in tuple(self._all.items()):
            self._forget(key, following)

    def behind(self, shard: int) -> bool:
        """Whether a feed of the shard may lack what is stored."""
        return bool(self._behind.get(shard))

    def moved(self, shard: int) -> None:
        """The shard has another owner, or none: its feeds go there."""
        for following in self._of_shard.get(shard, ()):
            if following.source is not self._store.owners.owner(shard):
                self._let_go(following)
                following.detach()
        if shard not in self._moves and self._of_shard.get(shard):
            task = asyncio.get_running_loop().create_task(self._move(shard))
            self._moves[shard] = task
            task.add_done_callback(lambda _: self._moves.pop(shard, None))

    def lost(self, link: Link) -> None:
        """A link has ended."""
        told = self._told.pop(link, None)
        if told is not None:
            told.lost()

    def on_word(self, link: Link, word: peer.Word) -> None:
        """Something is told of a topic."""
        told = self._told.get(link)
        if told is not None:
            told.on_word(word)

    # As the followings' log

    async def read(
        self, topic: str, after: int, *, max_events: int, max_bytes: int, horizon: int = 0
    ) -> LogPage:
        """As in Engine."""
        return await self._store.read(
            topic, after, max_events=max_events, max_bytes=max_bytes, horizon=horizon
        )

    def follow_changed(self, following: Following) -> None:
        """It has fallen behind, or has caught up."""
        behind = self._behind.setdefault(following.shard, set())
        if following.behind and not following.closed:
            behind.add(following)
        else:
            behind.discard(following)

    async def _move(self, shard: int) -> None:
        """Lead the feeds of a shard to its owner, until all are there."""
        while True:
            lost = [one for one in self._of_shard.get(shard, ()) if one.source is None]
            if not lost:
                return
            found = await asyncio.gather(*(self._attach(one) for one in lost))
            if any(head is None for head in found):
                await self._wait(shard, asyncio.get_running_loop().time() + PATIENCE_S)

    async def _wait(self, shard: int, until: float) -> bool:
        loop = asyncio.get_running_loop()
        if self._store.owners.owner(shard) is not None:
            await asyncio.sleep(RETRY_S)
            return loop.time() < until
        return await self._store.owners.change(until)

    async def _wait_or_raise(self, following: Following, until: float) -> None:
        if not await self._wait(following.shard, until):
            raise shard_unavailable(
                following.shard, "nobody owns it now; try again", topic=following.topic
            )

    async def _attach(self, following: Following) -> TopicHead | None:
        """Have the owner tell the following; the log's head then, or None: try again."""
        owner = self._store.owners.owner(following.shard)
        if owner is None:
            return None
        try:
            if isinstance(owner, Shard):
                head = await owner.open(following.topic, following)
            else:
                head = await self._of_link(owner).follow(following)
            purged = await self._is_purged(following, head)
        except (HubError, LinkLost, NotOwner) as error:
            if isinstance(error, HubError):
                _logger.warning("follow_failed", topic=following.topic, error=str(error))
            self._leave(owner, following)
            return None
        if following.closed or self._store.owners.owner(following.shard) is not owner:
            self._leave(owner, following)
            return None
        following.source = owner
        following.attach(head, purged=purged)
        return head

    async def _is_purged(self, following: Following, head: TopicHead) -> bool:
        if not following.missed_floor(head):
            return False
        reached = partial(_reached, following.topic, following.floor + 1)
        return await self._store.look(following.shard, lambda reader: reader.query(reached))

    def _of_link(self, link: Link) -> Told:
        told = self._told.get(link)
        if told is None:
            told = self._told[link] = Told(link)
        return told

    def _let_go(self, following: Following) -> None:
        if following.source is not None:
            self._leave(following.source, following)

    def _leave(self, owner: object, following: Following) -> None:
        if isinstance(owner, Shard):
            owner.detach(following.topic, following)
            return
        for link, told in self._told.items():
            if link is owner:
                told.leave(following)

    def _forget(self, key: tuple[str, int], following: Following) -> None:
        following.close()
        self._let_go(following)
        if self._all.get(key) is following:
            del self._all[key]
        self._of_shard.get(following.shard, {}).pop(following, None)
        self._behind.get(following.shard, set()).discard(following)


def _reached(topic: str, offset: int, connection: sqlite3.Connection) -> bool:
    return was_purged(connection, topic, offset)
