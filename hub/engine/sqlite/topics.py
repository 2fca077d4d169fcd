"""The topics of a shard: their state in memory, always equal to what is committed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hub.engine.contract import TopicHead
from hub.engine.sqlite.bulk import look_up, write_rows
from hub.engine.sqlite.encoding import to_signed, to_unsigned
from hub.engine.sqlite.identity import epoch_of, identity_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

MAX_CACHED: Final = 100_000

_LOAD: Final = (
    "SELECT t.name, t.id, t.epoch, t.head, t.floor, t.floor_id, t.oldest_ms "
    "FROM (VALUES {rows}) AS v CROSS JOIN topic AS t ON t.name = v.column1"
)
_CREATE: Final = (
    "INSERT INTO topic (id, name, epoch, head, floor, floor_id, oldest_ms) VALUES {rows}"
)
_UPDATE: Final = (
    "UPDATE topic SET head = v.column2, floor = v.column3, floor_id = v.column4, "
    "oldest_ms = v.column5 FROM (VALUES {rows}) AS v WHERE topic.id = v.column1"
)


@dataclass(frozen=True, slots=True)
class Trimmed:
    """Events of ``topic`` up to ``floor`` are gone.

    ``oldest_ms``: when the oldest kept event was published, 0 = none is kept; ``purged``: on
    purpose, not by retention; ``more``: further parts of the purge follow.
    """

    topic: str
    floor: int
    oldest_ms: int = 0
    purged: bool = False
    more: bool = False


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The events of ``topic`` at ``offsets`` were withdrawn: their places and ids are left."""

    topic: str
    offsets: Sequence[int]


@dataclass(slots=True)
class TopicState:
    """One row of ``topic``. ``stored`` is False for a topic that has no row yet."""

    id: int
    name: str
    epoch: int
    head: int = 0
    floor: int = 0
    floor_id: str = ""
    oldest_ms: int = 0
    stored: bool = True

    def copy(self) -> TopicState:
        """A state of its own; written out, because every batch makes one per topic."""
        return TopicState(
            self.id,
            self.name,
            self.epoch,
            self.head,
            self.floor,
            self.floor_id,
            self.oldest_ms,
            self.stored,
        )

    def public(self) -> TopicHead:
        """The state as the contract tells it."""
        return TopicHead(self.epoch, self.head, self.floor, self.oldest_ms, self.floor_id)


def topic_from_row(row: tuple[str, int, int, int, int, str, int]) -> TopicState:
    """Make the state from (name, id, epoch, head, floor, floor_id, oldest_ms)."""
    name, topic_id, epoch, head, floor, floor_id, oldest_ms = row
    return TopicState(topic_id, name, to_unsigned(epoch), head, floor, floor_id, oldest_ms)


class TopicTable:
    """Loads, creates and updates topics; keeps those used lately in memory.

    ``working`` hands out copies for one transaction; ``write`` puts the changed ones into it, and
    ``accept`` makes them the truth after the commit. A failed transaction needs no undoing: its
    copies are dropped.
    """

    def __init__(self, connection: sqlite3.Connection, max_cached: int = MAX_CACHED) -> None:
        self._connection = connection
        self._max_cached = max_cached
        self._identity = identity_of(connection)
        self._cached: dict[str, TopicState] = {}
        self._next_id: int = connection.execute(
            "SELECT coalesce(max(id), 0) + 1 FROM topic"
        ).fetchone()[0]

    def cached(self, name: str) -> TopicState | None:
        """The committed state if it is in memory; not to be changed."""
        return self._cached.get(name)

    def working(self, names: Iterable[str]) -> dict[str, TopicState]:
        """Copies of the topics for one transaction; those without a row get an id."""
        topics: dict[str, TopicState] = {}
        missing: list[str] = []
        for name in dict.fromkeys(names):
            state = self._cached.get(name)
            if state is None:
                missing.append(name)
            else:
                topics[name] = state.copy()
        if missing:
            for row in look_up(self._connection, _LOAD, [(name,) for name in missing]):
                topics[row[0]] = topic_from_row(row)
        next_id = self._next_id
        for name in missing:
            if name not in topics:
                topics[name] = TopicState(
                    next_id, name, epoch_of(self._identity, name), stored=False
                )
                next_id += 1
        return topics

    def write(self, changed: Iterable[TopicState]) -> None:
        """Put rows of changed topics into the open transaction; from now on they have one."""
        created: list[tuple[int | str, ...]] = []
        updated: list[tuple[int | str, ...]] = []
        for topic in changed:
            rest = (topic.head, topic.floor, topic.floor_id, topic.oldest_ms)
            if topic.stored:
                updated.append((topic.id, *rest))
            else:
                created.append((topic.id, topic.name, to_signed(topic.epoch), *rest))
                topic.stored = True
        write_rows(self._connection, _CREATE, created)
        write_rows(self._connection, _UPDATE, updated)

    def forget(self, topics: Iterable[TopicState]) -> None:
        """Read these topics from the file again: whether their commit happened is not known.

        The ids that they got are not given to others.
        """
        for topic in topics:
            self._next_id = max(self._next_id, topic.id + 1)
            self._cached.pop(topic.name, None)

    def accept(self, topics: Iterable[TopicState]) -> None:
        """Take states that are committed (or were only read) as the truth."""
        for topic in topics:
            topic.stored = True
            self._next_id = max(self._next_id, topic.id + 1)
            self._cached.pop(topic.name, None)
            self._cached[topic.name] = topic
        while len(self._cached) > self._max_cached:
            del self._cached[next(iter(self._cached))]
