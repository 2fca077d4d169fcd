"""A stretch of a ring: events that are framed, joined and dropped together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

CHUNK_BYTES = 65_536
# Bytes of built frames kept with a chunk, for readers at different places in it.
_SHARED_BYTES = 4 * CHUNK_BYTES
# What an entry costs beside its bytes, about: objects, numbers, the id.
ENTRY_BYTES = 256
# A slot or a time that is never reached.
NEVER = 1 << 62


@dataclass(slots=True)
class Entry:
    """One event, framed as an entry of TopicRun.events; no bytes = it was withdrawn."""

    offset: int
    event_id: str
    key: str
    framed: bytes
    priority: int
    expires_ms: int
    published_ms: int = 0


@dataclass(slots=True, eq=False)
class Chunk:
    """A stretch of the ring.

    Attributes:
        first_slot: slot of its first entry.
        after: the offset before its first entry.
        size: bytes of its entries, as they stand in a frame.
        frames: frames already built, by (first, past-the-last) entry, with the time until which
            they hold.
        frames_size: bytes of these frames.
    """

    first_slot: int
    after: int
    entries: list[Entry] = field(default_factory=list)
    size: int = 0
    frames: dict[tuple[int, int], tuple[int, bytes]] = field(default_factory=dict)
    frames_size: int = 0

    @property
    def cost(self) -> int:
        """Bytes of memory, about."""
        return self.size + ENTRY_BYTES * len(self.entries)

    def slots_of(self, key: str) -> list[int]:
        """Slots of the events with this key, in order."""
        entries = enumerate(self.entries, self.first_slot)
        return [slot for slot, entry in entries if entry.key == key]

    def published_after(self, offset: int) -> int:
        """When its first event behind an offset was published, ms; 0 = it has none."""
        return next((entry.published_ms for entry in self.entries if entry.offset > offset), 0)

    def share(self, place: tuple[int, int], frame: bytes, holds_until: int) -> tuple[int, bytes]:
        """Keep a built frame for other readers; what was kept makes room where it is too much."""
        if self.frames_size + len(frame) > _SHARED_BYTES:
            self.drop_frames()
        self.frames_size += len(frame)
        shared = self.frames[place] = (holds_until, frame)
        return shared

    def drop_frames(self) -> None:
        """Forget the frames already built."""
        self.frames.clear()
        self.frames_size = 0


class Recent(NamedTuple):
    """The last answer of ``Ring.frame``, and what it holds for."""

    slot: int
    ring_end: int
    until_ms: int
    answer: tuple[bytes, int, int]


NO_ANSWER = Recent(-NEVER, 0, 0, (b"", 0, 0))
