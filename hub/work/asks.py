"""What a queue asks of the register: how many events of which shard, and whose turn it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hub.work.items import Take

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hub.work.waiting import Waiting

# Events of one Take.
MAX_TAKE: Final = 256


class Asks:
    """One Take of each shard at a time, for no more events than members have room for.

    Args:
        shards: numbers of the shards that may hold the queue's topics.
        waiting: open events that may go again.
        ordered: new events are registered first, since only some of them may go.

    Attributes:
        full: shards in which the span of open events has reached its limit.
    """

    def __init__(self, shards: Iterable[int], waiting: Waiting, *, ordered: bool) -> None:
        self.full: set[int] = set()
        self._shards = list(shards)
        self._waiting = waiting
        self._ordered = ordered
        self._taking: dict[int, int] = {}
        self._more = set(self._shards)

    @property
    def reserved(self) -> int:
        """Events that are being read for members, at most."""
        return sum(self._taking.values())

    @property
    def idle(self) -> bool:
        """Whether nothing is asked."""
        return not self._taking

    def news(self, shard: int) -> None:
        """There may be new events."""
        if shard in self._shards:
            self._more.add(shard)

    def reset(self) -> None:
        """The register's place has changed."""
        self.full.clear()
        self._more.update(self._shards)

    def answered(self, take: Take) -> None:
        """A Take is over."""
        self._taking.pop(take.shard, None)

    def next(self, free: int) -> Iterator[Take]:
        """What to ask now.

        Args:
            free: events that members have room for.
        """
        for shard in tuple(self._shards):
            take = self._of(shard, free - self.reserved)
            if take is not None:
                yield take
        # Another shard is the first to be asked next time.
        self._shards.append(self._shards.pop(0))

    def _of(self, shard: int, budget: int) -> Take | None:
        if shard in self._taking or budget <= 0:
            return None
        again = self._waiting.pop(shard, min(budget, MAX_TAKE))
        fresh = 0
        if shard in self._more and shard not in self.full and budget > len(again):
            fresh = MAX_TAKE if self._ordered else min(MAX_TAKE, budget - len(again))
            # Before the answer: what is stored meanwhile sets it again.
            self._more.discard(shard)
        if not again and not fresh:
            return None
        refs = tuple(item.ref for item in again)
        uncounted = tuple(item.ref for item in again if item.uncounted)
        take = Take(shard, refs, fresh, not self._ordered, uncounted)
        self._taking[shard] = take.reserved
        return take
