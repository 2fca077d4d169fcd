"""Makes, moves and removes work subscriptions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from hub.engine.sqlite.requests import LIGHT
from hub.engine.sqlite.work_tables import end_of_log, listed, work_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.engine.sqlite.operation import Work
    from hub.engine.work import WorkSpec


# No topic is empty. Every shard has it before the first one forgets the subscription.
REMOVED_PATTERN: Final = ""

_CREATE: Final = (
    "INSERT INTO work (name, pattern, ordered, created_ms, position, taken) "
    "VALUES (?, ?, ?, ?, ?, 0) ON CONFLICT (name) DO UPDATE SET "
    "pattern = excluded.pattern, ordered = excluded.ordered, created_ms = excluded.created_ms, "
    "position = excluded.position WHERE pattern <> excluded.pattern "
    "OR ordered <> excluded.ordered OR created_ms <> excluded.created_ms"
)


@dataclass(frozen=True, slots=True)
class Create:
    """Make a work subscription that begins behind the newest event; nothing when it is there.

    Another one of the name gives way: its making was cut short, and nobody was told of it.
    """

    spec: WorkSpec
    topics: Sequence[str] = ()
    weight: ClassVar = LIGHT

    def run(self, work: Work) -> None:
        """As in Operation."""
        spec = self.spec
        work.connection.execute(
            _CREATE,
            (
                spec.name,
                spec.pattern,
                spec.ordered,
                spec.created_ms,
                end_of_log(work.connection),
            ),
        )


@dataclass(frozen=True, slots=True)
class MarkRemoved:
    """A work subscription's removal has begun, in all shards: it matches nothing from now on."""

    name: str
    topics: Sequence[str] = ()
    weight: ClassVar = LIGHT

    def run(self, work: Work) -> None:
        """As in Operation."""
        work.connection.execute(
            "UPDATE work SET pattern = ? WHERE name = ?", (REMOVED_PATTERN, self.name)
        )


@dataclass(frozen=True, slots=True)
class Remove:
    """Forget a work subscription; its dead events stay until they are published."""

    name: str
    topics: Sequence[str] = ()
    weight: ClassVar = LIGHT

    def run(self, work: Work) -> None:
        """As in Operation."""
        connection = work.connection
        connection.execute(
            "DELETE FROM work_open WHERE work_id IN (SELECT id FROM work WHERE name = ?)",
            (self.name,),
        )
        connection.execute("DELETE FROM work WHERE name = ?", (self.name,))


@dataclass(frozen=True, slots=True)
class SeekPlace:
    """Go behind a place in the shard's order."""

    name: str
    position: int
    topics: Sequence[str] = ()
    weight: ClassVar = LIGHT

    def run(self, work: Work) -> None:
        """As in Operation."""
        connection = work.connection
        row = work_row(connection, self.name)
        connection.execute("DELETE FROM work_open WHERE work_id = ?", (row.id,))
        connection.execute("UPDATE work SET position = ? WHERE id = ?", (self.position, row.id))


@dataclass(frozen=True, slots=True)
class SeekOffset:
    """Go behind an offset of a topic."""

    name: str
    topic: str
    offset: int
    weight: ClassVar = LIGHT

    @property
    def topics(self) -> Sequence[str]:
        """As in Operation."""
        return (self.topic,)

    def run(self, work: Work) -> None:
        """As in Operation."""
        found = work.connection.execute(
            "SELECT pos FROM event WHERE topic_id = ? AND offset > ? ORDER BY offset LIMIT 1",
            (work.topic(self.topic).id, self.offset),
        ).fetchone()
        place = end_of_log(work.connection) if found is None else found[0] - 1
        SeekPlace(self.name, place).run(work)


@dataclass(frozen=True, slots=True)
class MarkReplayed:
    """Remember replayed dead letters; those that are trimmed need no mark any more."""

    topic: str
    offsets: Sequence[int]
    weight: ClassVar = LIGHT

    @property
    def topics(self) -> Sequence[str]:
        """As in Operation."""
        return (self.topic,)

    def run(self, work: Work) -> None:
        """As in Operation."""
        connection = work.connection
        connection.execute(
            "INSERT OR IGNORE INTO work_replayed (topic, offset) SELECT ?, value FROM json_each(?)",
            (self.topic, listed(self.offsets)),
        )
        connection.execute(
            "DELETE FROM work_replayed WHERE topic = ? AND offset <= ?",
            (self.topic, work.topic(self.topic).floor),
        )
