"""What retention takes from under a work subscription becomes a dead letter (G6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hub.topics.patterns import matches
from shipspeak.realtime.v1 import error_reason_pb2

if TYPE_CHECKING:
    import sqlite3

# Not settled: open, or still behind the place. What has expired is not owed to anybody, and
# receipts are no work.
_UNSETTLED: Final = (
    "INSERT INTO work_dead (work, pos, topic, offset, attempts, reason, event_id, body) "
    "SELECT ?1, e.pos, ?2, e.offset, coalesce(o.attempts, 0), ?3, e.event_id, e.body "
    "FROM event AS e LEFT JOIN work_open AS o ON o.work_id = ?4 AND o.pos = e.pos "
    "WHERE e.topic_id = ?5 AND e.offset <= ?6 AND (o.pos IS NOT NULL OR e.pos > ?7) "
    "AND +e.event_id < '~' AND e.body <> x'' AND (e.expires_ms = 0 OR e.expires_ms > ?8) "
    "ORDER BY e.offset"
)
_CLOSE: Final = (
    "DELETE FROM work_open WHERE work_id = ? AND pos IN "
    "(SELECT pos FROM event WHERE topic_id = ? AND offset <= ?)"
)


# Bodies that wait to be published as dead letters go with the events that they were copied from.
_UNDO: Final = "DELETE FROM work_dead WHERE topic = ? AND offset > ? AND offset <= ?"


def forget_dead(connection: sqlite3.Connection, topic: str, after: int, through: int) -> None:
    """Events of a topic with after < offset <= through are taken out on purpose.

    Part of the transaction that does so.
    """
    connection.execute(_UNDO, (topic, after, through))


def bury_trimmed(
    connection: sqlite3.Connection, topic_id: int, topic: str, floor: int, now_ms: int
) -> None:
    """Keep the unsettled events up to ``floor`` as dead letters; the caller then deletes them.

    Part of the transaction that trims.
    """
    works = connection.execute("SELECT id, name, pattern, position FROM work").fetchall()
    for work_id, name, pattern, position in works:
        if matches(pattern, topic):
            reason = error_reason_pb2.ERROR_REASON_RETENTION
            connection.execute(
                _UNSETTLED,
                (name, topic, reason, work_id, topic_id, floor, position, now_ms),
            )
            connection.execute(_CLOSE, (work_id, topic_id, floor))
