"""How a work subscription stands, for operators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.engine.work import WorkSpec


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
    """

    spec: WorkSpec
    members: int
    outstanding: int
    backlog: int
    oldest_ms: int
    expired: int
    held_back: bool
