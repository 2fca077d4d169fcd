"""What an engine promises to work subscriptions: a durable register of what is not yet settled.

An engine keeps, per work subscription and shard, a place in the shard's order and the events before
it that are open: handed out and not settled, or registered to be handed out later. How often an
event was handed out and that it was settled is durable when the call is answered. Who holds an
event, and for how long, is the coordinator's business and may be lost with the process: whatever
is open after a restart is handed out again.

``ref`` names an event within (work subscription, shard) and rises in the order of the shard, which
keeps the order of each topic. All methods are called on the event loop. For one subscription and
shard, one ``take`` is under way at a time. Methods raise HubError when the shard or its storage is
not there, and NotFound (WORK_UNKNOWN) for a name that was not created.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from shipspeak.realtime.v1 import error_reason_pb2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.errors import ReasonValue

# Events between the oldest open one and the newest registered one, per subscription and shard.
MAX_SPAN = 10_000


@dataclass(frozen=True, slots=True)
class WorkSpec:
    """A work subscription, as its first member made it.

    Attributes:
        name: of the subscription.
        pattern: topics that it is about.
        ordered: each topic's events go out one at a time, in order.
        created_ms: milliseconds since the epoch.
    """

    name: str
    pattern: str
    ordered: bool
    created_ms: int


@dataclass(frozen=True, slots=True)
class OpenItem:
    """An event that is not settled.

    Attributes:
        ref: names it.
        topic: where it was published.
        offset: its place in the topic's log.
        attempts: how often it was handed out.
        not_before_ms: not to be handed out again before this time; 0 = now.
        expires_ms: of one handed out: not to be given to anybody at or after this time; 0 = never.
    """

    ref: int
    topic: str
    offset: int
    attempts: int
    not_before_ms: int = 0
    expires_ms: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer to ``take``.

    Attributes:
        handed_out: events with their bytes (a serialized Event); ``attempts`` counts this time.
            Of the refs asked for, those that are neither here nor in ``gone`` did not fit: they
            are as they were.
        registered: new open events that are not handed out yet.
        gone: refs asked for that are open no more: trimmed, removed or expired.
        expired: events that were left out since they had expired; they are settled.
        more: there may be further events behind the place.
        full: MAX_SPAN is reached: nothing new is registered until an older event is settled.
        receipts: how many were passed over on the way: they are no work.
    """

    handed_out: Sequence[tuple[OpenItem, bytes]] = ()
    registered: Sequence[OpenItem] = ()
    gone: Sequence[int] = ()
    expired: int = 0
    more: bool = False
    full: bool = False
    receipts: int = 0


class Ruling(enum.Enum):
    """What becomes of an open event."""

    DONE = "settled for ever"
    BACK = "open, to be handed out again"
    GIVEN_BACK = "as BACK, and its last attempt does not count"
    DEAD = "settled, and to be buried"


@dataclass(frozen=True, slots=True)
class Settlement:
    """A ruling on one open event.

    Attributes:
        ref: of the event.
        ruling: what becomes of it.
        not_before_ms: for BACK and GIVEN_BACK.
        reason: for DEAD.
    """

    ref: int
    ruling: Ruling
    not_before_ms: int = 0
    reason: ReasonValue = error_reason_pb2.ERROR_REASON_UNSPECIFIED


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead event that waits to be published to its dead letter topic.

    Attributes:
        ref: names it within its shard.
        work, topic, offset, attempts: as in OpenItem.
        reason: why it is dead.
        event_id: of the event.
        data: the serialized Event.
    """

    ref: int
    work: str
    topic: str
    offset: int
    attempts: int
    reason: ReasonValue
    event_id: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a subscription has before it in one shard.

    Attributes:
        events: not settled, handed out or not.
        oldest_ms: when the oldest of them was published; 0 = there is none.
        more: there are more than were counted.
    """

    events: int
    oldest_ms: int
    more: bool = False


class WorkWatcher(Protocol):
    """Hears of what concerns one work subscription; must not block nor raise."""

    def on_stored(self, shard: int) -> None:
        """Events of its topics were stored; also called now and then when many others were."""

    def on_trimmed(self, shard: int) -> None:
        """Retention trimmed topics of the shard: open events may have become dead letters."""


class WorkStore(Protocol):
    """The register. Implemented by an engine."""

    async def specs(self) -> list[WorkSpec]:
        """All work subscriptions."""

    async def create(self, spec: WorkSpec) -> None:
        """Make one, durably; it begins with what is stored after the answer. Idempotent.

        What a making under the same name has left that was cut short gives way.
        """

    async def remove(self, name: str) -> None:
        """Forget one and all that is open in it; nothing where it is not known.

        One whose removal has failed may be half there. It hands out nothing new, and is gone with
        the next call, or when ``specs`` is read after a start.
        """

    def watch(self, spec: WorkSpec, watcher: WorkWatcher) -> None:
        """Call ``watcher`` from now on, until ``unwatch``."""

    def unwatch(self, name: str) -> None:
        """Call the subscription's watcher no more."""

    async def open_items(self, name: str, shard: int) -> list[OpenItem]:
        """What is open, in order of ``ref``."""

    async def take(
        self,
        name: str,
        shard: int,
        *,
        again: Sequence[int],
        fresh: int,
        hand_out: bool,
        uncounted: Sequence[int] = (),
    ) -> Taken:
        """Hand out events; the attempt is durable before the answer.

        Args:
            name: of the subscription.
            shard: number of the shard.
            again: refs of open events to hand out.
            fresh: how many events behind the place to register at most.
            hand_out: whether those are handed out at once, or only registered.
            uncounted: those of ``again`` whose last attempt reached nobody: this one is the same.
        """

    async def settle(self, name: str, shard: int, settlements: Sequence[Settlement]) -> list[bool]:
        """Rule on open events, durably; False = it was not open any more.

        An event that retention has made a dead letter can still be settled as DONE, until
        ``exhume`` has named it.
        """

    async def seek_time(self, name: str, time_ms: int) -> None:
        """Go to the first event published at or after a time; nothing stays open."""

    async def seek_offset(self, name: str, topic: str, offset: int) -> None:
        """Go behind an offset of the subscription's one topic; nothing stays open."""

    async def backlog(self, spec: WorkSpec, shard: int) -> Backlog:
        """Count what is not settled, as far as a look of bounded length goes (``more``)."""

    async def dead(self, shard: int, limit: int) -> list[DeadLetter]:
        """The oldest dead events that wait to be published."""

    async def exhume(self, shard: int, limit: int) -> list[DeadLetter]:
        """The same, to be published now: durably, no acknowledgement settles them any more.

        Those that it named before and that are not buried come again: publishing was cut short.
        """

    async def bury(self, shard: int, refs: Sequence[int]) -> None:
        """They are published: forget them."""

    async def was_purged(self, topic: str, offset: int) -> bool:
        """Whether a purge has ever reached an offset of a topic."""

    async def replayed(self, topic: str) -> set[int]:
        """Offsets of the dead letters of a dead letter topic that were replayed."""

    async def mark_replayed(self, topic: str, offsets: Sequence[int]) -> None:
        """Remember that dead letters were replayed, for as long as they are kept."""
