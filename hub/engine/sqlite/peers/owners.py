"""Who owns which shard now, as far as this instance knows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from hub.engine.sqlite.shard import Shard
from shipspeak.realtime.internal.v1 import peer_service_pb2 as peer

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.engine.sqlite.peers.link import Link
    from hub.engine.sqlite.peers.network import Network
    from hub.engine.sqlite.peers.owned import Owned

# A shard that changes hands is not told as failing for so long.
HANDS_S: Final = 3.0


class Owners:
    """The table of owners.

    Args:
        network: what the others say of themselves.
        shards: how many there are.
        on_moved: called with each shard that has another owner, or none.

    Attributes:
        owned: the shards that are open here.
        leaving: this instance is about to end.
    """

    def __init__(self, network: Network, shards: int, on_moved: Callable[[int], None]) -> None:
        self.owned: dict[int, Owned] = {}
        self.leaving = False
        self._network = network
        self._count = shards
        self._on_moved = on_moved
        self._table: dict[int, Shard | Link] = {}
        self._changed = asyncio.Event()
        self._unowned_since: dict[int, float] = {}
        self._told: peer.Word | None = None

    def owner(self, shard: int) -> Shard | Link | None:
        """Where a shard's writes go now."""
        return self._table.get(shard)

    def missing(self) -> list[int]:
        """Shards without an owner."""
        return [shard for shard in range(self._count) if shard not in self._table]

    def name(self, shard: int) -> str:
        """The instance that owns a shard; "" = none, now."""
        owner = self._table.get(shard)
        if owner is None:
            return ""
        return self._network.place.instance if isinstance(owner, Shard) else owner.instance

    def serving(self, shard: int) -> bool:
        """Whether its owner says that the last write was taken.

        A shard that is just changing hands serves: what comes meanwhile waits.
        """
        owner = self._table.get(shard)
        if owner is None:
            since = self._unowned_since.get(shard)
            return since is not None and asyncio.get_running_loop().time() - since < HANDS_S
        if isinstance(owner, Shard):
            return owner.serving
        return owner.shards.get(shard, False)

    async def change(self, until: float) -> bool:
        """Wait until an owner comes or goes; False when the loop's time is there first."""
        changed = self._changed
        try:
            async with asyncio.timeout_at(until):
                await changed.wait()
        except TimeoutError:
            return False
        return True

    def look(self) -> None:
        """Find who owns what, and tell what has moved."""
        before, self._table = self._table, self._find()
        moved = [
            shard for shard in range(self._count) if before.get(shard) is not self._table.get(shard)
        ]
        if not moved:
            return
        for shard in moved:
            if shard in self._table:
                self._unowned_since.pop(shard, None)
            else:
                self._unowned_since[shard] = asyncio.get_running_loop().time()
            self._on_moved(shard)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def standing(self) -> peer.Word:
        """What this instance is to the others."""
        serving = {index: owned.shard.serving for index, owned in self.owned.items()}
        return peer.Word(
            standing=peer.Standing(
                instance=self._network.place.instance,
                serving=sorted(index for index, good in serving.items() if good),
                failing=sorted(index for index, good in serving.items() if not good),
                leaving=self.leaving,
            )
        )

    def announce(self) -> None:
        """Tell the others where it differs from what they were told."""
        word = self.standing()
        if word != self._told:
            self._told = word
            for guest in self._network.guests:
                guest.tell(word)

    def _find(self) -> dict[int, Shard | Link]:
        table: dict[int, Shard | Link] = {}
        for link in self._network.up():
            table.update(dict.fromkeys(link.shards, link))
        table.update({shard: owned.shard for shard, owned in self.owned.items()})
        return table
