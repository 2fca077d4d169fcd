"""How far a purge has reached in each topic, and when: readers who were away are told by it.

Removed rows tell nobody who had read them. A place at or below ``through`` that was noted before
the purge gets GAP on its return (G6); one that was noted after it has been told already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3

PURGE_TABLE: Final = (
    "CREATE TABLE purge ("
    "topic_id INTEGER PRIMARY KEY, through INTEGER NOT NULL, at_ms INTEGER NOT NULL)"
)
_NOTE: Final = (
    "INSERT INTO purge (topic_id, through, at_ms) VALUES (?, ?, ?) "
    "ON CONFLICT (topic_id) DO UPDATE SET through = max(through, excluded.through), "
    "at_ms = max(at_ms, excluded.at_ms)"
)
_REACHES: Final = "SELECT at_ms FROM purge WHERE topic_id = ? AND through >= ?"

_REACHES_NAMED: Final = (
    "SELECT 1 FROM purge AS p JOIN topic AS t ON t.id = p.topic_id "
    "WHERE t.name = ? AND p.through >= ?"
)


def note_purge(connection: sqlite3.Connection, topic_id: int, through: int, at_ms: int) -> None:
    """Remember, in the open transaction, that a purge has reached an offset.

    A later one reaches at least as far; of two side by side, the notes may come in any order.
    """
    connection.execute(_NOTE, (topic_id, through, at_ms))


def purged_ms(connection: sqlite3.Connection, topic_id: int, offset: int) -> int:
    """When a purge reached an offset last, milliseconds since the epoch; 0 = none ever did."""
    row = connection.execute(_REACHES, (topic_id, offset)).fetchone()
    return 0 if row is None else int(row[0])


def was_purged(connection: sqlite3.Connection, topic: str, offset: int) -> bool:
    """Whether a purge has ever reached an offset of a topic."""
    return connection.execute(_REACHES_NAMED, (topic, offset)).fetchone() is not None
