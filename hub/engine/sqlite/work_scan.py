"""Reads for work subscriptions, on read-only connections: they never hold a commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hub.engine.sqlite.work_tables import work_row
from hub.engine.work import Backlog, DeadLetter, OpenItem, WorkSpec
from hub.model.receipts import is_receipt
from hub.model.wire import event_data
from hub.topics.patterns import matches

if TYPE_CHECKING:
    import sqlite3

# Rows that one scan looks at; beyond them it is asked again.
SCAN_ROWS: Final = 20_000
_FETCH_ROWS: Final = 500
# Rows that one count looks at: an operator's question must not read through a log of any length.
COUNT_ROWS: Final = 50_000

_BEHIND: Final = (
    "SELECT e.pos, t.name, e.offset, e.event_id FROM event AS e "
    "CROSS JOIN topic AS t ON t.id = e.topic_id WHERE e.pos > ? ORDER BY e.pos LIMIT ?"
)
_BACKLOG: Final = (
    "SELECT t.name, b.events, b.oldest_ms, b.rows FROM (SELECT topic_id, "
    "count(*) FILTER (WHERE event_id < '~') AS events, "
    "min(published_ms) FILTER (WHERE event_id < '~') AS oldest_ms, "
    "sum(count(*)) OVER () AS rows FROM "
    "(SELECT topic_id, published_ms, event_id FROM event WHERE pos > ? ORDER BY pos LIMIT ?) "
    "GROUP BY topic_id) AS b CROSS JOIN topic AS t ON t.id = b.topic_id"
)
_OPEN_BACKLOG: Final = (
    "SELECT count(*), coalesce(min(e.published_ms), 0) FROM work_open AS o "
    "LEFT JOIN event AS e ON e.pos = o.pos WHERE o.work_id = ?"
)
_PLACE_BEFORE: Final = (
    "SELECT coalesce((SELECT pos FROM event WHERE published_ms >= ? ORDER BY pos LIMIT 1) - 1, "
    "(SELECT max(pos) FROM event), 0)"
)
_DEAD: Final = (
    "SELECT id, work, topic, offset, attempts, reason, event_id, body FROM work_dead "
    "ORDER BY id LIMIT ?"
)


@dataclass(frozen=True, slots=True)
class Scan:
    """What lies behind a subscription's place.

    Attributes:
        after: the place.
        found: matching events: (pos, topic, offset), in order.
        through: all matching events up to here are in ``found``, or receipts.
        more: there may be events behind ``through``.
        receipts: pos of the matching receipts on the way, which are no work.
    """

    after: int
    found: tuple[tuple[int, str, int], ...]
    through: int
    more: bool
    receipts: tuple[int, ...] = ()


def scan(connection: sqlite3.Connection, name: str, limit: int) -> Scan:
    """Look for the next ``limit`` events behind a subscription's place."""
    row = work_row(connection, name)
    found: list[tuple[int, str, int]] = []
    receipts: list[int] = []
    through, seen = row.position, 0
    cursor = connection.execute(_BEHIND, (row.position, SCAN_ROWS))
    while rows := cursor.fetchmany(_FETCH_ROWS):
        for pos, topic, offset, event_id in rows:
            if matches(row.pattern, topic):
                if is_receipt(event_id):
                    receipts.append(pos)
                elif len(found) == limit:
                    return Scan(
                        row.position, tuple(found), through, more=True, receipts=tuple(receipts)
                    )
                else:
                    found.append((pos, topic, offset))
            through = pos
            seen += 1
    return Scan(
        row.position,
        tuple(found),
        through,
        more=seen == SCAN_ROWS,
        receipts=tuple(receipts),
    )


def specs(connection: sqlite3.Connection) -> list[WorkSpec]:
    """All work subscriptions of a shard."""
    rows = connection.execute("SELECT name, pattern, ordered, created_ms FROM work").fetchall()
    return [WorkSpec(name, pattern, bool(ordered), at) for name, pattern, ordered, at in rows]


def open_items(connection: sqlite3.Connection, name: str) -> list[OpenItem]:
    """What is open, in order."""
    rows = connection.execute(
        "SELECT pos, topic, offset, attempts, not_before_ms FROM work_open "
        "WHERE work_id = ? ORDER BY pos",
        (work_row(connection, name).id,),
    ).fetchall()
    return [OpenItem(*row) for row in rows]


def backlog(connection: sqlite3.Connection, name: str) -> Backlog:
    """Count what is open, and what lies behind the place as far as COUNT_ROWS events go."""
    row = work_row(connection, name)
    events, oldest = connection.execute(_OPEN_BACKLOG, (row.id,)).fetchone()
    looked_at = 0
    for topic, count, published_ms, rows in connection.execute(
        _BACKLOG, (row.position, COUNT_ROWS)
    ):
        looked_at = rows
        if count and matches(row.pattern, topic):
            events += count
            oldest = min(oldest or published_ms, published_ms)
    return Backlog(events, oldest, more=looked_at == COUNT_ROWS)


def place_before(connection: sqlite3.Connection, time_ms: int) -> int:
    """The place before the first event published at or after a time, or else the end of the log.

    One statement, so that both are of one moment.
    """
    place: int = connection.execute(_PLACE_BEFORE, (time_ms,)).fetchone()[0]
    return place


def dead(connection: sqlite3.Connection, limit: int) -> list[DeadLetter]:
    """The oldest dead events that wait to be published."""
    rows = connection.execute(_DEAD, (limit,)).fetchall()
    return [
        DeadLetter(ref, work, topic, offset, attempts, reason, event_id, event_data(body, offset))
        for ref, work, topic, offset, attempts, reason, event_id, body in rows
    ]


def replayed(connection: sqlite3.Connection, topic: str) -> set[int]:
    """Offsets of a topic's dead letters that were replayed."""
    return {
        row[0]
        for row in connection.execute("SELECT offset FROM work_replayed WHERE topic = ?", (topic,))
    }
