"""Acknowledgements of a work subscription, and the way to the dead letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from hub.engine.sqlite.requests import LIGHT, Weight
from hub.engine.sqlite.work_scan import dead
from hub.engine.sqlite.work_tables import listed, work_row
from hub.engine.work import Ruling, Settlement

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from hub.engine.sqlite.operation import Work
    from hub.engine.work import DeadLetter
    from hub.errors import ReasonValue

# So many ordinary rows is the copy of a body, at the most: a batch has sixteen of them.
_DEAD_ROWS: Final = 32
_DONE: Final = (
    "DELETE FROM work_open WHERE work_id = ? "
    "AND pos IN (SELECT value FROM json_each(?)) RETURNING pos"
)
# What retention has just made a dead letter, and nobody has begun to publish.
_REDEEM: Final = (
    "DELETE FROM work_dead WHERE work = ? AND pos IN (SELECT value FROM json_each(?)) "
    "AND id NOT IN (SELECT dead_id FROM work_publishing) RETURNING pos"
)
_BACK: Final = (
    "UPDATE work_open SET not_before_ms = ?, attempts = max(0, attempts - ?) "
    "WHERE work_id = ? AND pos = ?"
)
_DEAD: Final = (
    "INSERT INTO work_dead (work, pos, topic, offset, attempts, reason, event_id, body) "
    "SELECT ?, o.pos, o.topic, o.offset, o.attempts, ?, e.event_id, e.body FROM work_open AS o "
    "CROSS JOIN event AS e ON e.pos = o.pos AND e.body <> x'' WHERE o.work_id = ? AND o.pos = ?"
)
_BURY: Final = (
    "DELETE FROM work_dead WHERE id IN (SELECT value FROM json_each(?))",
    "DELETE FROM work_publishing WHERE dead_id IN (SELECT value FROM json_each(?))",
)


@dataclass(frozen=True, slots=True)
class Settle:
    """See ``WorkStore.settle``."""

    name: str
    settlements: Sequence[Settlement]
    topics: Sequence[str] = ()

    @property
    def weight(self) -> Weight:
        """A row for each; one that is dead has its body copied, which nobody here has measured."""
        dead = sum(one.ruling is Ruling.DEAD for one in self.settlements)
        return Weight(len(self.settlements) + _DEAD_ROWS * dead)

    def run(self, work: Work) -> list[bool]:
        """As in Operation."""
        connection = work.connection
        work_id = work_row(connection, self.name).id
        settled: set[int] = set()
        done = [one.ref for one in self.settlements if one.ruling is Ruling.DONE]
        if done:
            settled |= _returned(connection.execute(_DONE, (work_id, listed(done))))
            late = [ref for ref in done if ref not in settled]
            if late:
                settled |= _returned(connection.execute(_REDEEM, (self.name, listed(late))))
        for one in self.settlements:
            if one.ruling in (Ruling.BACK, Ruling.GIVEN_BACK):
                less = one.ruling is Ruling.GIVEN_BACK
                changed = connection.execute(_BACK, (one.not_before_ms, less, work_id, one.ref))
                settled |= {one.ref} if changed.rowcount else set()
            elif one.ruling is Ruling.DEAD:
                settled |= self._kill(connection, work_id, one.ref, one.reason)
        return [one.ref in settled for one in self.settlements]

    def _kill(
        self, connection: sqlite3.Connection, work_id: int, ref: int, reason: ReasonValue
    ) -> set[int]:
        connection.execute(_DEAD, (self.name, reason, work_id, ref))
        return _returned(connection.execute(_DONE, (work_id, listed([ref]))))


@dataclass(frozen=True, slots=True)
class Exhume:
    """Mark the oldest dead events as being published; those that were marked come again."""

    limit: int
    topics: Sequence[str] = ()
    weight: ClassVar = LIGHT

    def run(self, work: Work) -> list[DeadLetter]:
        """As in Operation."""
        letters = dead(work.connection, self.limit)
        work.connection.execute(
            "INSERT OR IGNORE INTO work_publishing SELECT value FROM json_each(?)",
            (listed(letter.ref for letter in letters),),
        )
        return letters


@dataclass(frozen=True, slots=True)
class Bury:
    """Forget dead events that were published."""

    refs: Sequence[int]
    topics: Sequence[str] = ()
    weight: ClassVar = LIGHT

    def run(self, work: Work) -> None:
        """As in Operation."""
        for statement in _BURY:
            work.connection.execute(statement, (listed(self.refs),))


def _returned(rows: Iterable[tuple[int]]) -> set[int]:
    return {row[0] for row in rows}
