"""Which shards this instance takes and gives: asked again whenever somebody comes or goes.

The assignment says who should own a shard and tries; the file's lock says who does. Nothing is
wrong while two disagree for a moment: one of them has the lock, and a shard that nobody seems to
own is tried by everyone after a while.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from hub.engine.sqlite.peers.assignment import assign

if TYPE_CHECKING:
    from hub.engine.sqlite.peers.network import Network
    from hub.engine.sqlite.peers.owners import Owners

_logger: Final = structlog.get_logger(__name__)

# How long the first look waits for the others to answer.
GATHER_S: Final = 2.0
LOOK_S: Final = 0.05
# While a shard that should be taken is still locked.
TRY_S: Final = 0.01
# The others must be the same for so long before a shard is given to one of them.
SETTLED_S: Final = 1.0
# A shard that nobody seems to own for so long is tried by everyone.
ORPHAN_S: Final = 1.0
# After a file could not be used.
FAILED_S: Final = 1.0


class Holder(Protocol):
    """Has the shards."""

    @property
    def shard_count(self) -> int:
        """How many there are."""

    def owns(self, shard: int) -> bool:
        """Whether it is open here."""

    async def take_shard(self, shard: int) -> bool:
        """Try to own it. Raises: HubError, sqlite3.Error: its file cannot be used."""

    async def give_shard(self, shard: int) -> None:
        """Own it no more."""


class Ownership:
    """Takes and gives, one shard at a time.

    Args:
        holder: has them.
        network: knows who lives.
        owners: whether this instance is about to end.
    """

    def __init__(self, holder: Holder, network: Network, owners: Owners) -> None:
        self._holder = holder
        self._owners = owners
        self._network = network
        self._poked = asyncio.Event()
        self._stopping = False
        self._members: tuple[int, ...] = ()
        self._members_since = 0.0
        self._orphan_since: dict[int, float] = {}
        self._failed_until: dict[int, float] = {}

    def poke(self) -> None:
        """Look now."""
        self._poked.set()

    def stop(self) -> None:
        """Let ``run`` end once what it does is done: an opened file must not be lost."""
        self._stopping = True
        self._poked.set()

    async def run(self) -> None:
        """Look until stopped."""
        await self._gather()
        while not self._stopping:
            wanting = False
            try:
                wanting = await self._look()
            except Exception:
                _logger.exception("ownership_failed")
            self._poked.clear()
            if not self._stopping:
                await self._pause(TRY_S if wanting else LOOK_S)

    async def _gather(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + GATHER_S
        others = len(self._network.links)
        while not self._stopping and len(self._network.up()) < others and loop.time() < until:
            self._poked.clear()
            await self._pause(LOOK_S)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._poked.wait()
        except TimeoutError:
            pass

    async def _look(self) -> bool:
        """Take and give what should be; whether something that should be taken is not."""
        now = asyncio.get_running_loop().time()
        members = self._living()
        if members != self._members:
            self._members, self._members_since = members, now
        if not members:
            return False
        wanted = assign(self._holder.shard_count, members)
        elsewhere = {shard for link in self._network.up() for shard in link.shards}
        wanting = False
        for shard, member in enumerate(wanted):
            if self._stopping:
                return False
            mine = member == self._network.place.worker
            if self._holder.owns(shard):
                if not mine and now - self._members_since >= SETTLED_S:
                    _logger.info("shard_given", shard=shard, to_worker=member)
                    await self._holder.give_shard(shard)
            elif shard in elsewhere or self._owners.leaving:
                self._orphan_since.pop(shard, None)
            elif mine or self._is_orphan(shard, now):
                wanting = not await self._take(shard, now) or wanting
        return wanting

    def _living(self) -> tuple[int, ...]:
        living = [link.worker for link in self._network.up() if not link.leaving]
        if not self._owners.leaving:
            living.append(self._network.place.worker)
        return tuple(sorted(living))

    def _is_orphan(self, shard: int, now: float) -> bool:
        return now - self._orphan_since.setdefault(shard, now) >= ORPHAN_S

    async def _take(self, shard: int, now: float) -> bool:
        if now < self._failed_until.get(shard, 0.0):
            return True
        try:
            taken = await self._holder.take_shard(shard)
        except Exception:
            _logger.exception("shard_not_taken", shard=shard)
            self._failed_until[shard] = now + FAILED_S
            return True
        if taken:
            self._orphan_since.pop(shard, None)
        return taken
