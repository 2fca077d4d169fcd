"""The memory that all rings of an instance share: oldest chunk out first."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hub.fanout.chunk import Chunk


class ChunkHolder(Protocol):
    """A ring, as the budget sees it."""

    def drop_oldest(self, chunk: Chunk) -> None:
        """Let go of everything up to and with a chunk."""


class RingBudget:
    """Counts sealed chunks and drops the oldest when they are too much.

    A ring's last chunk is not sealed yet; it is bounded by its own size and not counted.

    Args:
        max_bytes: of all sealed chunks together.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.bytes = 0
        self._sealed: deque[tuple[ChunkHolder, Chunk]] = deque()

    def add(self, ring: ChunkHolder, chunk: Chunk) -> None:
        """Count a sealed chunk; may drop older ones, of any ring."""
        self.bytes += chunk.size
        self._sealed.append((ring, chunk))
        while self.bytes > self.max_bytes and len(self._sealed) > 1:
            oldest_ring, oldest = self._sealed.popleft()
            if not oldest.dropped:
                oldest_ring.drop_oldest(oldest)
        # Chunks of released rings leave when they come to the front.
        while self._sealed and self._sealed[0][1].dropped:
            self._sealed.popleft()

    def forget(self, chunk: Chunk) -> None:
        """A ring let go of a sealed chunk."""
        self.bytes -= chunk.size
