"""A stretch of a ring: events that are framed, joined and dropped together."""

from __future__ import annotations

from dataclasses import dataclass, field

CHUNK_BYTES = 65_536


@dataclass(slots=True)
class Entry:
    """One event, framed as an entry of TopicRun.events."""

    offset: int
    event_id: str
    framed: bytes
    priority: int
    expires_ms: int


@dataclass(slots=True, eq=False)
class Chunk:
    """A stretch of the ring.

    Attributes:
        first_slot: slot of its first entry.
        after: the offset before its first entry.
        frames: frames already built, by (first, past-the-last) entry, with the time until which
            they hold.
    """

    first_slot: int
    after: int
    entries: list[Entry] = field(default_factory=list)
    size: int = 0
    frames: dict[tuple[int, int], tuple[int, bytes]] = field(default_factory=dict)
    sealed: bool = False
    dropped: bool = False
