"""The called end of a link: what one other instance follows here, and what waits for it.

The bytes that wait are bounded: what does not fit is left out, and the other is told how far to
read the log instead (G7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hub.engine.sqlite.peers.outbox import Outbox
from hub.engine.sqlite.peers.wire import event_message, part
from shipspeak.realtime.internal.v1 import peer_service_pb2 as peer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.model.events import StoredEvent

WAITING_BYTES: Final = 8 * 1024 * 1024


class Guest:
    """One instance that has called.

    Attributes:
        instance: its name.
        worker: its number.
        watching: it is told of every commit.
        outbox: what waits to be written.
    """

    def __init__(self) -> None:
        self.instance = ""
        self.worker = -1
        self.watching = False
        self.outbox = Outbox()
        self.follows: dict[str, int] = {}
        self._skipped: dict[str, int] = {}

    def tell(self, word: peer.Word) -> None:
        """Tell it something, behind what it was told before."""
        self.outbox.put(part(word))

    def events(self, topic: str, word: bytes, head: int) -> None:
        """Tell it events of a topic up to ``head``, as a part that others get, too."""
        if topic in self._skipped or self.outbox.size > WAITING_BYTES:
            self._skipped[topic] = head
        else:
            self.outbox.put(word)

    def catch_up(self) -> None:
        """Tell what was left out, once what waited has gone; before a beat, and after a write."""
        if self._skipped and self.outbox.size < WAITING_BYTES // 2:
            self.tell_skipped()

    def tell_skipped(self) -> None:
        """Tell what was left out, now."""
        for topic, head in self._skipped.items():
            self.tell(peer.Word(skipped=peer.Skipped(topic=topic, head=head)))
        self._skipped.clear()


class Outlet:
    """A topic of an owned shard, for the guests that follow it. Implements TopicFeed.

    Args:
        topic: its name.
    """

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.guests: dict[Guest, None] = {}

    def on_events(self, events: Sequence[StoredEvent]) -> None:
        """Encoded once, for all."""
        stored = peer.Stored(topic=self.topic, events=[event_message(event) for event in events])
        word, head = part(peer.Word(stored=stored)), events[-1].offset
        for guest in self.guests:
            guest.events(self.topic, word, head)

    def on_trimmed(
        self, floor: int, *, purged: bool = False, more: bool = False, oldest_ms: int = 0
    ) -> None:
        """As in TopicFeed."""
        trimmed = peer.Trimmed(
            topic=self.topic, floor=floor, purged=purged, more=more, oldest_ms=oldest_ms
        )
        self._tell(peer.Word(trimmed=trimmed))

    def on_withdrawn(self, offsets: Sequence[int]) -> None:
        """As in TopicFeed."""
        self._tell(peer.Word(withdrawn=peer.Withdrawn(topic=self.topic, offsets=offsets)))

    def _tell(self, word: peer.Word) -> None:
        for guest in self.guests:
            guest.tell(word)
