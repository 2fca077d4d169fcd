"""Finds the events that receipts are about, and the receipts that they have, beside the commits.

A topic's ids have no index, so that its log is walked: by a reader, which holds up nobody. The
operation that stores the receipts then looks at nothing but what has come since.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hub.engine.sqlite.database import snapshot
from hub.model.receipts import STATES, receipt_id

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from hub.engine.sqlite.topics import TopicState

_TOPIC: Final = "SELECT id, head FROM topic WHERE name = ?"
_EVENTS: Final = (
    "SELECT event_id, offset, publisher FROM event WHERE topic_id = ? AND offset > ? "
    "AND event_id IN (SELECT value FROM json_each(?)) ORDER BY offset"
)


@dataclass(frozen=True, slots=True)
class Spoken:
    """Events of one topic that a call speaks about, and their receipts.

    Attributes:
        ids: of both; what was looked for.
        through: the log was walked up to this offset.
        found: id, offset and publisher of each that is there.
    """

    ids: frozenset[str]
    through: int
    found: tuple[tuple[str, int, str], ...]


def look_for(connection: sqlite3.Connection, topic: str, event_ids: Iterable[str]) -> Spoken:
    """Walk a topic's log for events and their receipts; on a reader's connection."""
    ids = set(event_ids)
    ids |= {receipt_id(one, state) for one in event_ids for state in STATES}
    with snapshot(connection):
        row = connection.execute(_TOPIC, (topic,)).fetchone()
        if row is None:
            return Spoken(frozenset(ids), 0, ())
        topic_id, head = row
        found = _rows(connection, topic_id, 0, ids)
    return Spoken(frozenset(ids), head, found)


def by_id(
    connection: sqlite3.Connection, topic: TopicState, spoken: Spoken
) -> dict[str, list[tuple[int, str]]]:
    """What is there now: offsets and publishers by id; on the writer's connection.

    What retention or a purge has removed since the look is left out.
    """
    fresh = _rows(connection, topic.id, max(spoken.through, topic.floor), spoken.ids)
    events: dict[str, list[tuple[int, str]]] = {}
    for event_id, offset, publisher in (*spoken.found, *fresh):
        if offset > topic.floor:
            events.setdefault(event_id, []).append((offset, publisher))
    return events


def _rows(
    connection: sqlite3.Connection, topic_id: int, after: int, ids: Iterable[str]
) -> tuple[tuple[str, int, str], ...]:
    rows = connection.execute(_EVENTS, (topic_id, after, json.dumps(list(ids))))
    return tuple(rows.fetchall())
