"""Which events of a ring a later one of their key supersedes: what conflation leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.fanout.chunk import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hub.fanout.chunk import Chunk, Entry

_NOTHING = -NEVER, None


class LatestOfKeys:
    """The newest event of each key in a ring's chunks."""

    __slots__ = ("_latest",)

    def __init__(self) -> None:
        self._latest: dict[str, tuple[int, Entry]] = {}

    def put(self, slot: int, entry: Entry) -> None:
        """An event has come into the ring, at its end or before all others."""
        if entry.key and self._latest.get(entry.key, _NOTHING)[0] < slot:
            self._latest[entry.key] = (slot, entry)

    def forget(self, chunk: Chunk) -> None:
        """A chunk leaves the ring; those before it have left."""
        for slot, entry in enumerate(chunk.entries, chunk.first_slot):
            if entry.key and self._latest.get(entry.key, _NOTHING)[0] == slot:
                del self._latest[entry.key]

    def withdraw(self, key: str, slot: int, chunks: Iterable[Chunk]) -> None:
        """The event in a slot has lost its key: the one before it counts again."""
        if key and self._latest.get(key, _NOTHING)[0] == slot:
            del self._latest[key]
            for chunk in chunks:
                for at in chunk.slots_of(key):
                    self._latest[key] = (at, chunk.entries[at - chunk.first_slot])

    def superseded(
        self, chunks: Sequence[Chunk], first: int, now_ms: int, horizon: int
    ) -> set[int]:
        """The entries of a chunk that may be left out.

        The state of a key is its newest event up to the horizon that has not expired; what lies
        before that gives way to it.

        Args:
            chunks: the chunk, and all behind it in the ring.
            first: its first entry that is asked for.
            now_ms: milliseconds since the epoch.
            horizon: what lies behind this offset neither gives way nor supersedes.

        Returns:
            Indexes in the first chunk's entries.
        """
        chunk, found = chunks[0], set[int]()
        scanned: dict[str, int] | None = None
        for index, entry in enumerate(chunk.entries[first:], first):
            if not entry.key or entry.offset > horizon:
                continue
            slot, latest = self._latest[entry.key]
            if not _is_state(latest, now_ms, horizon):
                if scanned is None:
                    scanned = _states(chunks, now_ms, horizon)
                slot = scanned.get(entry.key, -NEVER)
            if slot > chunk.first_slot + index:
                found.add(index)
        return found


def _is_state(entry: Entry, now_ms: int, horizon: int) -> bool:
    return entry.offset <= horizon and not 0 < entry.expires_ms <= now_ms


def _states(chunks: Iterable[Chunk], now_ms: int, horizon: int) -> dict[str, int]:
    """The slot of each key's state; one pass, whatever the number of keys."""
    return {
        entry.key: slot
        for chunk in chunks
        for slot, entry in enumerate(chunk.entries, chunk.first_slot)
        if entry.key and _is_state(entry, now_ms, horizon)
    }
