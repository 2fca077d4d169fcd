"""What the owners' beats say, and what is known of the shards that are owned here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.engine.sqlite.peers.followings import Followings
    from hub.engine.sqlite.peers.link import Link
    from hub.engine.sqlite.peers.owners import Owners
    from shipspeak.realtime.internal.v1 import peer_service_pb2 as peer


class Beats:
    """How far every shard is told, and what it keeps.

    Args:
        owners: who owns what.
        followings: whose feeds may be behind.
        shards: how many there are.
        clock: milliseconds since the epoch.
    """

    def __init__(
        self, owners: Owners, followings: Followings, shards: int, clock: Callable[[], int]
    ) -> None:
        self._owners = owners
        self._followings = followings
        self._clock = clock
        self._complete = [clock()] * shards
        self._sizes: dict[int, dict[str, int]] = {}

    def heard(self, link: Link, beat: peer.Beat) -> None:
        """An owner says that all before it was told."""
        for one in beat.shards:
            if self._owners.owner(one.shard) is not link:
                continue
            self._sizes[one.shard] = dict(one.stored_bytes)
            if not self._followings.behind(one.shard):
                told = self._complete[one.shard]
                self._complete[one.shard] = max(told, one.complete_as_of_ms)

    def complete_as_of_ms(self) -> int:
        """Of owned shards now, of others their owner's last beat, as far as it was followed."""
        now = self._clock()
        for index, owned in self._owners.owned.items():
            if not self._followings.behind(index):
                outstanding = owned.shard.oldest_outstanding_ms()
                ms = now if outstanding is None else min(now, outstanding)
                self._complete[index] = max(self._complete[index], ms)
        return min(self._complete)

    def stored_bytes(self, namespace: str) -> int:
        """Bytes of events that a namespace keeps."""
        owned = self._owners.owned
        return sum(one.shard.stored_bytes(namespace) for one in owned.values()) + sum(
            sizes.get(namespace, 0) for shard, sizes in self._sizes.items() if shard not in owned
        )
