"""How a work subscription stands, for operators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.engine.work import WorkSpec, WorkStore
    from hub.work.running import RunningWork


@dataclass(frozen=True, slots=True)
class WorkState:
    """How a work subscription stands.

    Attributes:
        spec: of the subscription.
        members: sessions that take part.
        outstanding: events that they hold.
        backlog: events not settled.
        oldest_ms: when the oldest of them was published; 0 = there is none.
        expired: events left out since they had expired, since the hub's start.
        held_back: the span of open events has reached its limit in some shard.
        more: the backlog is larger than that; the count has a bound.
    """

    spec: WorkSpec
    members: int
    outstanding: int
    backlog: int
    oldest_ms: int
    expired: int
    held_back: bool
    more: bool


async def state_of(work: RunningWork, store: WorkStore) -> WorkState:
    """How one stands; counts its backlog in the register."""
    backlogs = [await store.backlog(work.spec, shard) for shard in work.shards]
    return WorkState(
        work.spec,
        len(work.queue.members),
        work.queue.outstanding,
        sum(one.events for one in backlogs),
        min((one.oldest_ms for one in backlogs if one.oldest_ms), default=0),
        work.queue.expired,
        bool(work.queue.full),
        any(one.more for one in backlogs),
    )
