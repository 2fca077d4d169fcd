"""The memory that all rings of an instance share: oldest chunk out first."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hub.fanout.chunk import Chunk


class ChunkHolder(Protocol):
    """A ring, as the budget sees it."""

    def drop_oldest(self, chunk: Chunk) -> None:
        """Let go of everything up to and with a chunk."""


class RingBudget:
    """Counts chunks and drops the oldest when they are too much.

    The age of a chunk is that of its latest event, so a topic's open chunk goes too when nothing
    has come for longest.

    Args:
        max_bytes: of all chunks together.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.bytes = 0
        self._chunks: OrderedDict[Chunk, ChunkHolder] = OrderedDict()

    def __len__(self) -> int:
        return len(self._chunks)

    def grow(self, ring: ChunkHolder, chunk: Chunk, size: int) -> None:
        """Count what was put into a chunk; may drop older ones, of any ring."""
        self.bytes += size
        if chunk in self._chunks:
            self._chunks.move_to_end(chunk)
        else:
            self._chunks[chunk] = ring
        if self.bytes > self.max_bytes:
            self._shrink()

    def adopt(self, ring: ChunkHolder, chunks: Iterable[Chunk]) -> None:
        """Count the chunks of a ring that are new, and take all of them as its latest, in order.

        Nothing is dropped before all are counted: a ring that is asked for one chunk lets go of
        those before it too.
        """
        for chunk in chunks:
            if chunk not in self._chunks:
                self._chunks[chunk] = ring
                self.bytes += chunk.cost
            self._chunks.move_to_end(chunk)
        self._shrink()

    def shrink(self, chunk: Chunk, size: int) -> None:
        """Something in a chunk gave bytes back."""
        if chunk in self._chunks:
            self.bytes -= size

    def forget(self, chunk: Chunk) -> None:
        """A ring let go of a chunk."""
        if self._chunks.pop(chunk, None) is not None:
            self.bytes -= chunk.cost

    def _shrink(self) -> None:
        while self.bytes > self.max_bytes and len(self._chunks) > 1:
            # Out of the table first, so that this ends whatever the owner does.
            oldest, owner = self._chunks.popitem(last=False)
            self.bytes -= oldest.cost
            owner.drop_oldest(oldest)
