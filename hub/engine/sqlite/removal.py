"""Operations that take events out on purpose: withdrawals and purges, a bounded part at a time.

A withdrawn event is a row without a body: its offset and its id stay, so a cursor that stands on it
stays good, and a repeat of its id stores nothing. The connection overwrites what is deleted with
zeros, and the writer's thread empties the write-ahead log afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hub.engine.sqlite.purges import note_purge
from hub.engine.sqlite.requests import LIGHT, Weight
from hub.engine.sqlite.work_trim import forget_dead

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hub.engine.sqlite.operation import Work

# Rows that one transaction removes; a publish waits for no more.
CHUNK_ROWS: Final = 500

_EMPTY: Final = (
    "UPDATE event SET body = x'', key = '', expires_ms = 0 "
    "WHERE topic_id = ? AND offset = ? AND event_id = ? AND length(body) > 0"
)
_FORGET: Final = (
    "UPDATE event SET publisher = '' WHERE topic_id = ? AND offset = ? AND event_id = ?"
)
_OLDEST: Final = (
    "SELECT offset, event_id, published_ms FROM event WHERE topic_id = ? AND offset > ? "
    "ORDER BY offset LIMIT ?"
)
_REMOVE: Final = "DELETE FROM event WHERE topic_id = ? AND offset <= ?"


@dataclass(frozen=True, slots=True)
class Place:
    """One event of a log, by its offset and its id."""

    topic: str
    offset: int
    event_id: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Empties events; answers how many still had a body.

    Attributes:
        places: at most CHUNK_ROWS. One that retention has removed meanwhile, or that holds another
            event, is left alone.
        forget_publisher: the row loses the publisher's name too, also where it had no body left.
    """

    places: Sequence[Place]
    forget_publisher: bool = False

    @property
    def topics(self) -> Sequence[str]:
        """The topics of the places."""
        return tuple(dict.fromkeys(place.topic for place in self.places))

    @property
    def weight(self) -> Weight:
        """A row for each place."""
        return Weight(len(self.places))

    def run(self, work: Work) -> int:
        """Empty the rows, and tell which."""
        removed = 0
        emptied: dict[str, list[int]] = {}
        for place in self.places:
            topic = work.topic(place.topic)
            key = (topic.id, place.offset, place.event_id)
            changed = work.connection.execute(_EMPTY, key).rowcount
            removed += changed
            if self.forget_publisher:
                changed += work.connection.execute(_FORGET, key).rowcount
            # Also where retention was quicker: its copy may still wait to be a dead letter.
            forget_dead(work.connection, place.topic, place.offset - 1, place.offset)
            if changed:
                emptied.setdefault(place.topic, []).append(place.offset)
        for name, offsets in emptied.items():
            work.withdraw(name, offsets)
        return removed


@dataclass(frozen=True, slots=True)
class Purged:
    """What one part of a purge did: rows removed, and the head up to which it is to go on."""

    removed: int
    upto: int
    done: bool


@dataclass(frozen=True, slots=True)
class NotePurge:
    """Notes a purge once more, when readers on this instance have been told.

    Attributes:
        topic: which.
        at_ms: when they were told, milliseconds since the epoch. A place that was noted between the
            commit of the purge and the news of it counts as one from before.
        upto: as ``Purge`` answered it.
    """

    topic: str
    at_ms: int
    upto: int

    @property
    def topics(self) -> Sequence[str]:
        """The one."""
        return (self.topic,)

    @property
    def weight(self) -> Weight:
        """A row."""
        return LIGHT

    def run(self, work: Work) -> None:
        """Write the later time."""
        note_purge(work.connection, work.topic(self.topic).id, self.upto, self.at_ms)


@dataclass(frozen=True, slots=True)
class Purge:
    """Removes the oldest events of a topic; its offsets go on.

    Attributes:
        topic: which.
        clock: milliseconds since the epoch; places noted until this runs are told of it.
        upto: the newest offset to remove; 0 = the head as it is when this runs.
        max_rows: of this part. What it removes leaves the readers' memory at once; readers are told
            of the purge with the last one, even if that finds nothing to remove: retention may
            have been faster than a part, and nobody was told of a part whose commit was in doubt.
    """

    topic: str
    clock: Callable[[], int]
    upto: int = 0
    max_rows: int = CHUNK_ROWS

    @property
    def topics(self) -> Sequence[str]:
        """The one."""
        return (self.topic,)

    @property
    def weight(self) -> Weight:
        """The rows of a part."""
        return Weight(self.max_rows)

    def run(self, work: Work) -> Purged:
        """Remove a part from the old end."""
        topic = work.topic(self.topic)
        if not topic.head:
            return Purged(0, 0, done=True)
        upto = self.upto or topic.head
        rows = work.connection.execute(
            _OLDEST, (topic.id, topic.floor, self.max_rows + 1)
        ).fetchall()
        gone = [row for row in rows[: self.max_rows] if row[0] <= upto]
        kept = rows[len(gone)] if len(gone) < len(rows) else None
        done = kept is None or kept[0] > upto
        if done:
            forget_dead(work.connection, self.topic, 0, upto)
            note_purge(work.connection, topic.id, upto, self.clock())
        floor, floor_id = topic.floor, topic.floor_id
        if gone:
            floor, floor_id, _ = gone[-1]
            work.connection.execute(_REMOVE, (topic.id, floor))
        oldest_ms = 0 if kept is None else kept[2]
        work.move_floor(self.topic, floor, floor_id, oldest_ms, more=not done)
        return Purged(len(gone), upto, done)
