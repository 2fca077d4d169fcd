"""Finds the events that receipts are about, and the receipts that they have, beside the commits.

They are looked up by their ids, by a reader, which holds up nobody. The operation that stores the
receipts then looks at nothing but what has come since.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from hub.engine.sqlite.database import snapshot
from hub.model.receipts import STATES, is_receipt, receipt_id
from shipspeak.realtime.v1 import event_pb2

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from hub.engine.sqlite.topics import TopicState

_TOPIC: Final = "SELECT id, head FROM topic WHERE name = ?"
# By the index event_by_id, whatever the planner thinks of the other one.
BY_ID: Final = (
    "SELECT e.event_id, e.offset, e.publisher, e.body FROM json_each(?3) AS v "
    "CROSS JOIN event AS e INDEXED BY event_by_id ON e.topic_id = ?1 AND e.event_id = v.value "
    "WHERE e.offset > ?2 ORDER BY e.offset"
)
COUNT: Final = "SELECT count(*) FROM event WHERE topic_id = ? AND event_id >= '~'"
_COUNT_ELSEWHERE: Final = "SELECT count(*) FROM event WHERE topic_id = ? AND event_id >= '~~'"


class Found(NamedTuple):
    """An event, or a receipt, in a log.

    Attributes:
        event_id: its id.
        offset: its place.
        publisher: whose it is; of a receipt, who says so.
        device: of the publisher.
        until_acknowledged: the first acknowledgement withdraws it.
    """

    event_id: str
    offset: int
    publisher: str
    device: str = ""
    until_acknowledged: bool = False


@dataclass(frozen=True, slots=True)
class Spoken:
    """Events of one topic that a call speaks about, and their receipts.

    Attributes:
        ids: of the events.
        through: in the receipts' log what lies behind this offset has not been looked at.
        events: those that are there; several may have one id.
        receipts: theirs, each with an id of its own.
        topic: of the events, where they lie elsewhere than their receipts; empty = beside them.
    """

    ids: frozenset[str]
    through: int = 0
    events: tuple[Found, ...] = ()
    receipts: tuple[Found, ...] = ()
    topic: str = ""


def look_for(connection: sqlite3.Connection, topic: str, event_ids: Iterable[str]) -> Spoken:
    """Find events of a topic and their receipts; on a reader's connection."""
    ids = frozenset(event_ids)
    with snapshot(connection):
        row = connection.execute(_TOPIC, (topic,)).fetchone()
        if row is None:
            return Spoken(ids)
        topic_id, head = row
        events = _events(connection, topic_id, 0, ids)
        return _with_receipts(connection, topic_id, 0, Spoken(ids, head, events))


def look_elsewhere(connection: sqlite3.Connection, home: str, topic: str, found: Spoken) -> Spoken:
    """The receipts in ``home`` about events that were found in another topic's log."""
    spoken = replace(found, through=0, receipts=(), topic=topic)
    with snapshot(connection):
        row = connection.execute(_TOPIC, (home,)).fetchone()
        if row is None:
            return spoken
        return _with_receipts(connection, row[0], 0, replace(spoken, through=row[1]))


def still_there(connection: sqlite3.Connection, home: TopicState, spoken: Spoken) -> Spoken:
    """What there is now; on the writer's connection, which looks behind ``through`` only.

    What retention or a purge has removed from the receipts' topic since the look is left out.
    """
    after = max(spoken.through, home.floor)
    events = spoken.events
    if not spoken.topic:
        fresh = _events(connection, home.id, after, spoken.ids)
        events = tuple(one for one in (*events, *fresh) if one.offset > home.floor)
    receipts = tuple(one for one in spoken.receipts if one.offset > home.floor)
    now = replace(spoken, through=home.head, events=events, receipts=receipts)
    return _with_receipts(connection, home.id, after, now)


def receipts_kept(connection: sqlite3.Connection, topic_id: int) -> int:
    """How many receipts a topic's log holds."""
    return int(connection.execute(COUNT, (topic_id,)).fetchone()[0])


def receipts_elsewhere(connection: sqlite3.Connection, topic_id: int) -> int:
    """How many of them are about events of other topics."""
    return int(connection.execute(_COUNT_ELSEWHERE, (topic_id,)).fetchone()[0])


def _with_receipts(
    connection: sqlite3.Connection, topic_id: int, after: int, spoken: Spoken
) -> Spoken:
    """Add the receipts behind ``after``."""
    if not spoken.events:
        return spoken
    ids = [
        receipt_id(event.event_id, event.offset, state, spoken.topic)
        for event in spoken.events
        for state in STATES
    ]
    rows = connection.execute(BY_ID, (topic_id, after, json.dumps(ids)))
    return replace(spoken, receipts=(*spoken.receipts, *map(_found, rows)))


def _events(
    connection: sqlite3.Connection, topic_id: int, after: int, ids: Iterable[str]
) -> tuple[Found, ...]:
    named = [one for one in ids if not is_receipt(one)]
    rows = connection.execute(BY_ID, (topic_id, after, json.dumps(named)))
    return tuple(map(_found, rows))


def _found(row: tuple[str, int, str, bytes]) -> Found:
    event_id, offset, publisher, body = row
    event = event_pb2.Event.FromString(body)
    return Found(
        event_id, offset, publisher, event.publisher_device, event.content.until_acknowledged
    )
