"""Looks into a shard that no data path needs: which topics there are, and whose events.

Plain calls on a reader's connection, each bounded in the rows that it looks at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hub.engine.sqlite.removal import Place
from hub.engine.sqlite.topics import topic_from_row
from hub.topics.patterns import literal_prefix, matches
from shipspeak.realtime.v1 import event_pb2

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from hub.engine.contract import TopicHead

# Topics that one call looks at to find those of a pattern.
MAX_LOOKED_AT: Final = 5_000
# Events that one call looks at to find those of a publisher.
WALK_ROWS: Final = 20_000

_BEHIND_EVERY_NAME: Final = "\U0010ffff"
_TOPICS: Final = (
    "SELECT name, id, epoch, head, floor, floor_id, oldest_ms FROM topic "
    "WHERE name > ? AND name >= ? AND name < ? ORDER BY name LIMIT ?"
)
_BY_ID: Final = (
    "SELECT e.offset FROM event AS e JOIN topic AS t ON t.id = e.topic_id "
    "WHERE t.name = ?1 AND e.event_id = ?2 AND e.offset > t.floor "
    "AND ?3 IN (0, e.offset) AND ?4 IN ('', e.publisher) ORDER BY e.offset"
)
_WALK: Final = (
    "SELECT e.pos, t.name, e.offset, e.event_id FROM event AS e JOIN topic AS t "
    "ON t.id = e.topic_id WHERE e.pos > ? AND e.pos <= ? AND e.publisher = ? "
    "ORDER BY e.pos LIMIT ?"
)
_WAITING_DEAD: Final = "SELECT id, topic, body FROM work_dead WHERE id > ? ORDER BY id LIMIT ?"
_LAST_POS: Final = "SELECT coalesce(max(pos), 0) FROM event"


@dataclass(frozen=True, slots=True)
class Found:
    """Topics of one shard in the order of their names.

    Attributes:
        topics: name and state.
        looked_to: all names up to here were looked at; empty = all there are.
    """

    topics: Sequence[tuple[str, TopicHead]]
    looked_to: str


def topics_like(connection: sqlite3.Connection, pattern: str, after: str, limit: int) -> Found:
    """The next topics behind the name ``after`` that fall under ``pattern`` (empty = all)."""
    prefix = literal_prefix(pattern) if pattern else ""
    found: list[tuple[str, TopicHead]] = []
    looked_at, name = 0, after
    rows = connection.execute(_TOPICS, (after, prefix, prefix + _BEHIND_EVERY_NAME, MAX_LOOKED_AT))
    for row in rows:
        looked_at, name = looked_at + 1, row[0]
        if not pattern or matches(pattern, name):
            found.append((name, topic_from_row(row).public()))
            if len(found) == limit:
                return Found(found, name)
    return Found(found, name if looked_at == MAX_LOOKED_AT else "")


def places_of_id(
    connection: sqlite3.Connection, topic: str, event_id: str, offset: int, publisher: str
) -> list[Place]:
    """Where events with this id stand: at that offset (0 = any), by that publisher (empty = any).

    Walks the topic's log.
    """
    rows = connection.execute(_BY_ID, (topic, event_id, offset, publisher)).fetchall()
    return [Place(topic, offset, event_id) for (offset,) in rows]


def places_of_publisher(
    connection: sqlite3.Connection, publisher: str, after: int, limit: int
) -> tuple[list[Place], int]:
    """Events of a publisher, withdrawn ones too, from the next rows of the whole shard.

    Returns:
        The places, and where to go on; 0 = the end of the shard was reached.
    """
    (last,) = connection.execute(_LAST_POS).fetchone()
    end = after + WALK_ROWS
    rows = connection.execute(_WALK, (after, end, publisher, limit)).fetchall()
    places = [Place(name, offset, event_id) for _, name, offset, event_id in rows]
    if len(rows) == limit:
        return places, rows[-1][0]
    return places, end if end < last else 0


def waiting_letters(
    connection: sqlite3.Connection, user: str, own: str, after: int, limit: int
) -> tuple[list[int], int]:
    """Events that wait to be dead letters and concern a user: by them, or for their own topics.

    Args:
        connection: of a reader.
        user: the publisher.
        own: the topic above all that are the user's; empty = none can be.
        after: look behind this one.
        limit: at how many to look.

    Returns:
        Their refs, and where to go on; 0 = these were the last.
    """
    found: list[int] = []
    looked_at, ref = 0, after
    for ref, topic, body in connection.execute(_WAITING_DEAD, (after, limit)):
        looked_at += 1
        of_own = own and f"{topic}/".startswith(f"{own}/")
        if of_own or event_pb2.Event.FromString(body).publisher == user:
            found.append(ref)
    return found, ref if looked_at == limit else 0
