"""One topic's log in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hub.engine.contract import TopicHead
from hub.model.receipts import is_receipt

if TYPE_CHECKING:
    from hub.engine.contract import TopicFeed
    from hub.engine.sqlite import Retention
    from hub.model.events import StoredEvent


@dataclass
class MemoryLog:
    """One topic."""

    epoch: int
    head: int = 0
    floor: int = 0
    floor_id: str = ""
    purged: tuple[int, int] = (0, 0)
    events: list[StoredEvent] = field(default_factory=list)
    ids: dict[tuple[str, str], int] = field(default_factory=dict)
    feeds: list[TopicFeed] = field(default_factory=list)

    def unsuperseded(self, horizon: int, now_ms: int) -> list[StoredEvent]:
        """Events without those that a later one of their key up to a horizon supersedes."""
        inside = [event for event in self.events if event.key and event.offset <= horizon]
        latest = {event.key: event.offset for event in inside}
        of_use = {
            event.key: event.offset
            for event in inside
            if not event.expires_ms or event.expires_ms > now_ms
        }
        kept = {*latest.values(), *of_use.values()}
        return [
            one for one in self.events if not one.key or one.offset > horizon or one.offset in kept
        ]

    def holds_until(self, after: int, through: int, horizon: int, now_ms: int) -> int:
        """When something up to a horizon ends that supersedes an event of (after, through].

        0 = never, or the stretch does not begin at the floor.
        """
        if after > self.floor:
            return 0
        fresh = [one for one in self.events if not 0 < one.expires_ms <= now_ms]
        state = {one.key: one for one in fresh if one.key and one.offset <= horizon}
        ends = [
            state[one.key].expires_ms
            for one in self.events
            if after < one.offset <= through
            and one.key in state
            and one.offset < state[one.key].offset
        ]
        return min((end for end in ends if end), default=0)

    def count(self, after: int, through: int) -> int:
        """How many events are kept in (after, through]."""
        return sum(after < event.offset <= through for event in self.events)

    def floor_of(self, kept: Retention, now_ms: int) -> int:
        """Where the floor belongs; 0 = nothing has to go."""
        oldest_ms = kept.oldest_allowed_ms(now_ms)
        aged = [event.offset for event in self.events if event.published_ms < oldest_ms]
        counted = [event.offset for event in self.events if not is_receipt(event.event_id)]
        surplus = max(0, kept.surplus(len(counted)))
        return max([*counted[:surplus], *aged], default=0)

    @property
    def state(self) -> TopicHead:
        """The log's state."""
        oldest = self.events[0].published_ms if self.events else 0
        return TopicHead(self.epoch, self.head, self.floor, oldest, self.floor_id)
