"""The memory of ids: which (topic, publisher, event id) is at which offset, for its own lifetime."""

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
_PRUNE: Final = (
    "DELETE FROM dedup WHERE (topic_id, publisher, event_id) IN "
    "(SELECT topic_id, publisher, event_id FROM dedup WHERE stored_ms < ? "
    "ORDER BY stored_ms LIMIT ?)"
)


def known_offsets(connection: sqlite3.Connection, keys: Sequence[Key]) -> dict[Key, int]:
    """The offsets of those keys that are remembered."""
    return {(row[0], row[1], row[2]): row[3] for row in look_up(connection, _LOOK_UP, keys)}


def remember(
    connection: sqlite3.Connection, rows: Sequence[tuple[int, str, str, int, int]]
) -> None:
    """Put (topic id, publisher, event id, offset, stored_ms) into the open transaction."""
    write_rows(connection, _REMEMBER, rows)


def find_in_logger(connection: sqlite3.Connection, key: Key) -> int | None:
    """The offset of a kept event with this key. Walks the topic's log, so only for ids older than the memory."""
    row = connection.execute(
        "SELECT offset FROM event WHERE topic_id = ? AND publisher = ? AND event_id = ?", key
    ).fetchone()
    return None if row is None else int(row[0])


def prune(connection: sqlite3.Connection, stored_before_ms: int, limit: int) -> int:
    """Forget at most ``limit`` ids stored before that time, in a transaction of its own; returns how many."""
    waiting = connection.execute(
        "SELECT 1 FROM dedup WHERE stored_ms < ? LIMIT 1", (stored_before_ms,)
    ).fetchone()
    if waiting is None:
        return 0
    with writing(connection):
        return connection.execute(_PRUNE, (stored_before_ms, limit)).rowcount
