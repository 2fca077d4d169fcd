"""What every engine promises to the rooms above it.

An engine keeps one log per topic: an epoch (identity of the log, non-zero), strictly rising offsets
that are never reused, and the ids it has seen. It answers ``publish`` only after the events are
durable, and hands every stored event to the feeds of its topic in log order. All methods are called
on the event loop; feeds are called there too. Volatile topics never reach an engine. What it
promises to work subscriptions is in ``hub.engine.work``.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from hub.errors import HubError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.model.cursor import Cursor
    from hub.model.events import Append, StoredEvent


@dataclass(frozen=True, slots=True)
class Stored:
    """A draft is durably in the log: now, or (``duplicate``) since an earlier publish of its id."""

    epoch: int
    offset: int
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class NotAttempted:
    """A draft was not tried, since an earlier one of its topic in the same call failed."""


AppendResult = Stored | NotAttempted | HubError


@dataclass(frozen=True, slots=True)
class TopicHead:
    """The state of one topic's log.

    Attributes:
        epoch: identity of the log. A topic that has never been written has one too, which it keeps.
        head: newest offset; 0 = nothing was ever stored.
        floor: highest offset that retention or a purge has removed from the old end; 0 = nothing is
            gone. Events with floor < offset <= head are kept.
        oldest_ms: when the oldest kept event was published, milliseconds since the epoch; 0 = none
            is kept.
        floor_id: id of the event that stood at ``floor``, to prove a cursor there; empty = none.
    """

    epoch: int
    head: int
    floor: int
    oldest_ms: int = 0
    floor_id: str = ""


@dataclass(frozen=True, slots=True)
class LogPage:
    """A page of one topic's log, in rising order.

    Attributes:
        after: the page begins behind this offset: the one asked for, or, from read_latest, the
            offset before the first event (which may be a trimmed one).
        events: events with after < offset <= through.
        through: the page accounts for everything up to here.
        more: the log goes on behind ``through``.
        state: the topic at the moment of the read. ``state.floor > after`` means that events
            between were trimmed: the reader must be told GAP.
        conflated: kept events of (after, through] that were left out for a later one of their key.
        holds_until_ms: the earliest end of an event that supersedes one of them, wherever up to
            the horizon it lies; from then on the page would be another. 0 = none. Only from
            ``read`` behind the floor, since no other conflated page is kept.
    """

    after: int
    events: Sequence[StoredEvent]
    through: int
    more: bool
    state: TopicHead
    conflated: int = 0
    holds_until_ms: int = 0


@dataclass(frozen=True, slots=True)
class LogPlace:
    """A place in one topic's log.

    Attributes:
        offset: of the place.
        event_id: id of the event that stands, or stood, there; empty = none did.
        state: the topic at the moment of the read.
    """

    offset: int
    event_id: str
    state: TopicHead


class Verdict(enum.Enum):
    """The outcome of a resume."""

    OK = "ok"
    GAP = "gap"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Resume:
    """Where a reader with a cursor stands.

    Attributes:
        verdict: OK: nothing is missing; GAP: events behind the cursor were trimmed, or what it has
            read was purged since it was made; RESET: another log.
        position: the offset after which reading goes on: the cursor's (OK), the floor (GAP, RESET).
        lost: upper bound of the events lost (GAP); None where it cannot be known.
        state: the topic.
    """

    verdict: Verdict
    position: int
    lost: int | None
    state: TopicHead


class TopicFeed(Protocol):
    """Receives one topic's events as they are stored."""

    def on_events(self, events: Sequence[StoredEvent]) -> None:
        """Take newly stored events, in log order, linked by ``prev``. Must not block nor raise."""

    def on_trimmed(
        self, floor: int, *, purged: bool = False, more: bool = False, oldest_ms: int = 0
    ) -> None:
        """Take note that events up to ``floor`` are gone from the log.

        Args:
            floor: offset of the newest event that is gone.
            purged: they were removed on purpose and not by retention: every reader must be told,
                also one that has read them. Nothing of them is to stay in memory.
            more: further parts of the purge follow; readers are told with the last.
            oldest_ms: when the oldest event that was kept then was published, milliseconds since
                the epoch; 0 = none was.
        """

    def on_withdrawn(self, offsets: Sequence[int]) -> None:
        """Take note that these events were withdrawn: nothing of them is to be delivered any more.

        Their places and ids stay in the log.
        """


class Engine(Protocol):
    """A store and mover of events."""

    async def start(self) -> None:
        """Open everything.

        Raises:
            Unavailable: the storage is owned by another process, or unusable.
        """

    async def stop(self) -> None:
        """Finish what was accepted, then close everything."""

    async def publish(self, appends: Sequence[Append]) -> list[AppendResult]:
        """Store drafts and answer after commit, one result each, in order.

        Within one call, drafts of one topic are stored in order and stop at the topic's first
        failure (NotAttempted for the rest). A repeated (topic, publisher, event_id) gives the
        original offset. Never raises for one draft's sake: failures are results. A failure with the
        reason OUTCOME_UNKNOWN says that the draft may be stored; every other says that it is not.
        When the caller is cancelled the drafts may still be stored.
        """

    async def open(self, topic: str, feed: TopicFeed) -> TopicHead:
        """Attach a feed; it gets exactly what is stored after the answer's ``head``, no hole."""

    def close(self, topic: str, feed: TopicFeed) -> None:
        """Detach a feed; it is not called any more."""

    async def read(
        self, topic: str, after: int, *, max_events: int, max_bytes: int, horizon: int = 0
    ) -> LogPage:
        """Read a page behind ``after``. At least one event is returned when there is one.

        With a ``horizon``, events that a later one of their key with offset <= ``horizon``
        supersedes are left out and counted; those without a key never are. One that has expired
        when this reads supersedes only what is of no use either.
        """

    async def read_latest(
        self, topic: str, *, before: int, max_events: int, max_bytes: int, horizon: int = 0
    ) -> LogPage:
        """Read the newest events with offset <= ``before`` (0 = head), in rising order.

        ``more`` says that older ones exist. ``horizon``: as in ``read``.
        """

    async def before_latest(self, topic: str, count: int) -> LogPlace:
        """The place behind which the newest ``count`` events are; the floor when fewer are kept."""

    async def head(self, topic: str) -> TopicHead:
        """The topic's state, proved by the log and not by a cache."""

    async def resume(self, topic: str, cursor: Cursor) -> Resume:
        """Judge a cursor: OK iff the log is the cursor's and nothing behind it was trimmed.

        GAP also to one that was made before a purge reached its offset.
        """

    def shard_of(self, topic: str) -> int:
        """The shard that holds the topic, 0 <= shard < shard_count."""

    @property
    def shard_count(self) -> int:
        """Number of shards, fixed when the store was made."""

    def shard_serving(self, shard: int) -> bool:
        """Whether the shard takes reads and writes now."""

    def complete_as_of_ms(self) -> int:
        """The time before which everything stored has been handed to the feeds.

        Milliseconds since the epoch; of all topics that this instance follows.
        """
