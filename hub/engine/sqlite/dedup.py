"""The memory of ids: the offset of each (topic, publisher, event id), for its own lifetime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hub.engine.sqlite.bulk import look_up, write_rows
from hub.engine.sqlite.database import writing

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

Key = tuple[int, str, str]  # topic id, publisher, event id

_LOOK_UP: Final = (
    "SELECT d.topic_id, d.publisher, d.event_id, d.offset FROM (VALUES {rows}) AS v "
    "CROSS JOIN dedup AS d "
    "ON d.topic_id = v.column1 AND d.publisher = v.column2 AND d.event_id = v.column3"
)
_REMEMBER: Final = (
    "INSERT INTO dedup (topic_id, publisher, event_id, offset, stored_ms) VALUES {rows}"
)
_CHUNK_END: Final = (
    "SELECT topic_id, publisher, event_id FROM dedup "
    "WHERE (topic_id, publisher, event_id) > (?, ?, ?) "
    "ORDER BY topic_id, publisher, event_id LIMIT 1 OFFSET ?"
)
_CHUNK: Final = (
    "FROM dedup WHERE (topic_id, publisher, event_id) > (?, ?, ?) "
    "AND (topic_id, publisher, event_id) <= (?, ?, ?) AND stored_ms < ?"
)
_ANY_OLD: Final = f"SELECT 1 {_CHUNK} LIMIT 1"
_DELETE_OLD: Final = f"DELETE {_CHUNK}"

START: Final[Key] = (0, "", "")  # before all keys: topic ids begin at 1
_END: Final[Key] = ((1 << 63) - 1, "", "")


def known_offsets(connection: sqlite3.Connection, keys: Sequence[Key]) -> dict[Key, int]:
    """The offsets of those keys that are remembered."""
    return {(row[0], row[1], row[2]): row[3] for row in look_up(connection, _LOOK_UP, keys)}


def remember(
    connection: sqlite3.Connection, rows: Sequence[tuple[int, str, str, int, int]]
) -> None:
    """Put (topic id, publisher, event id, offset, stored_ms) into the open transaction."""
    write_rows(connection, _REMEMBER, rows)


def find_in_log(connection: sqlite3.Connection, key: Key) -> int | None:
    """The offset of a kept event with this key.

    Walks the topic's log, so only for ids older than the memory.
    """
    row = connection.execute(
        "SELECT offset FROM event WHERE topic_id = ? AND publisher = ? AND event_id = ?", key
    ).fetchone()
    return None if row is None else int(row[0])


def prune(connection: sqlite3.Connection, after: Key, stored_before_ms: int, rows: int) -> Key:
    """Look at the next ``rows`` ids behind ``after`` and forget those stored before that time.

    Ids are looked at in the order of their keys: an index by age would cost every commit more than
    a walk over all of them costs now and then. Returns where to go on, START after the last one.
    """
    found = connection.execute(_CHUNK_END, (*after, rows - 1)).fetchone()
    end: Key = _END if found is None else tuple(found)
    bounds = (*after, *end, stored_before_ms)
    if connection.execute(_ANY_OLD, bounds).fetchone() is not None:
        with writing(connection):
            connection.execute(_DELETE_OLD, bounds)
    return START if found is None else end
