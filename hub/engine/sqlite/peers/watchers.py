"""Watchers of patterns on any instance: commits elsewhere are told to those that have some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hub.engine.sqlite.watchers import Watchers
from shipspeak.realtime.internal.v1 import peer_service_pb2 as peer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hub.engine.sqlite.peers.link import Link
    from hub.engine.sqlite.peers.network import Network
    from hub.engine.work import WorkWatcher

WATCHING: Final = "watching"


class PeerWatchers(Watchers):
    """The watchers of one instance.

    Args:
        network: its links.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network

    def add(self, name: str, pattern: str, watcher: WorkWatcher) -> None:
        """Call ``watcher`` from now on, also of commits elsewhere."""
        super().add(name, pattern, watcher)
        self._network.note(WATCHING, None)

    def joined(self, link: Link) -> None:
        """An instance has come up: it is to tell its commits where somebody watches here."""
        if self._watchers:
            self._network.note_to(link, WATCHING, None)

    def stored(self, shard: int, topics: Iterable[str], events: int) -> None:
        """A shard of this instance has committed."""
        super().stored(shard, topics, events)
        self._tell(shard, topics, events)

    def trimmed(self, shard: int, topics: Iterable[str]) -> None:
        """A shard of this instance was trimmed."""
        super().trimmed(shard, topics)
        self._tell(shard, topics, 0)

    def told(self, committed: peer.Committed) -> None:
        """A shard of another instance has committed, or was trimmed."""
        if committed.events:
            super().stored(committed.shard, committed.topics, committed.events)
        else:
            super().trimmed(committed.shard, committed.topics)

    def _tell(self, shard: int, topics: Iterable[str], events: int) -> None:
        watching = [guest for guest in self._network.guests if guest.watching]
        if watching:
            committed = peer.Committed(shard=shard, topics=topics, events=events)
            for guest in watching:
                guest.tell(peer.Word(committed=committed))
