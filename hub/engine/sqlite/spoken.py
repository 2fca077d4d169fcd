"""Finds the events that receipts are about, and the receipts that they have, beside the commits.

A topic's ids have no index, so that its log is walked: by a reader, which holds up nobody. The
operation that stores the receipts then looks at nothing but what has come since.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from hub.engine.sqlite.database import snapshot
from hub.model.receipts import STATES, receipt_id

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from hub.engine.sqlite.topics import TopicState

_Row: TypeAlias = tuple[str, int, str]

_TOPIC: Final = "SELECT id, head FROM topic WHERE name = ?"
_EVENTS: Final = (
    "SELECT event_id, offset, publisher FROM event WHERE topic_id = ? AND offset > ? "
    "AND event_id IN (SELECT value FROM json_each(?)) ORDER BY offset"
)


@dataclass(frozen=True, slots=True)
class Spoken:
    """Events of one topic that a call speaks about, and their receipts.

    Attributes:
        ids: of the events.
        through: the log was walked up to this offset.
        events: id, offset and publisher of each event that is there; several may have one id.
        receipts: the same of their receipts, each with an id of its own.
    """

    ids: frozenset[str]
    through: int = 0
    events: tuple[_Row, ...] = ()
    receipts: tuple[_Row, ...] = ()


def look_for(connection: sqlite3.Connection, topic: str, event_ids: Iterable[str]) -> Spoken:
    """Walk a topic's log for events and their receipts; on a reader's connection."""
    ids = frozenset(event_ids)
    with snapshot(connection):
        row = connection.execute(_TOPIC, (topic,)).fetchone()
        if row is None:
            return Spoken(ids)
        topic_id, head = row
        events = _rows(connection, topic_id, 0, ids)
        receipts = _rows(connection, topic_id, 0, _receipts_of(events)) if events else ()
    return Spoken(ids, head, events, receipts)


def still_there(connection: sqlite3.Connection, topic: TopicState, spoken: Spoken) -> Spoken:
    """What there is now; on the writer's connection, which looks behind ``through`` only.

    What retention or a purge has removed since the look is left out.
    """
    after = max(spoken.through, topic.floor)
    fresh = _rows(connection, topic.id, after, spoken.ids)
    events = tuple(row for row in (*spoken.events, *fresh) if row[1] > topic.floor)
    said = _rows(connection, topic.id, after, _receipts_of(events)) if events else ()
    receipts = tuple(row for row in (*spoken.receipts, *said) if row[1] > topic.floor)
    return Spoken(spoken.ids, topic.head, events, receipts)


def _receipts_of(events: Iterable[_Row]) -> list[str]:
    return [receipt_id(name, offset, state) for name, offset, _ in events for state in STATES]


def _rows(
    connection: sqlite3.Connection, topic_id: int, after: int, ids: Iterable[str]
) -> tuple[_Row, ...]:
    rows = connection.execute(_EVENTS, (topic_id, after, json.dumps(list(ids))))
    return tuple(rows.fetchall())
