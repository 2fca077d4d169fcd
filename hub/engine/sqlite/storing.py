"""The rows of new events: themselves, their ids, and the drafts for later that they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hub.engine.sqlite.bulk import write_rows
from hub.engine.sqlite.dedup import remember

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from hub.engine.sqlite.requests import NewEvent
    from hub.engine.sqlite.topics import TopicState

_INSERT: Final = (
    "INSERT INTO event (topic_id, offset, event_id, publisher, priority, key, published_ms, "
    "expires_ms, body) VALUES {rows}"
)
_ANY_DRAFT: Final = "SELECT EXISTS (SELECT 1 FROM scheduled)"
TAKE_BACK: Final = (
    "DELETE FROM scheduled WHERE seq IN (SELECT s.seq FROM (VALUES {rows}) AS v "
    "CROSS JOIN scheduled AS s "
    "ON s.topic = v.column1 AND s.publisher = v.column2 AND s.event_id = v.column3)"
)


def store(
    connection: sqlite3.Connection, topics: Mapping[str, TopicState], events: Sequence[NewEvent]
) -> None:
    """Put new events and their ids into the open transaction."""
    rows, ids = [], []
    for event in events:
        append, topic_id = event.append, topics[event.append.topic].id
        rows.append(
            (
                topic_id,
                event.offset,
                append.event_id,
                append.publisher,
                append.priority,
                append.key,
                append.published_ms,
                append.expires_ms,
                append.body,
            )
        )
        one = (topic_id, append.publisher, append.event_id, event.offset, append.published_ms)
        ids.append(one)
    write_rows(connection, _INSERT, rows)
    remember(connection, ids)


def drafts_wait(connection: sqlite3.Connection) -> bool:
    """Whether any draft waits for its time."""
    return bool(connection.execute(_ANY_DRAFT).fetchone()[0])


def take_back_stored(connection: sqlite3.Connection, events: Sequence[NewEvent]) -> int:
    """Remove the drafts for later whose ids these events have; answers how many.

    They are published now. Were they kept, they would be stored a second time once the memory of
    ids and the log have forgotten the first; a draft may wait longer than both.
    """
    before = connection.total_changes
    keys = [(e.append.topic, e.append.publisher, e.append.event_id) for e in events]
    write_rows(connection, TAKE_BACK, keys)
    return connection.total_changes - before
