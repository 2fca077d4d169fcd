"""The tables of work subscriptions, which every shard file has, and their rows.

``work.position`` is a place in ``event.pos``: matching events up to it are open (``work_open``) or
settled. ``work.taken`` numbers the events that were registered, so that the span of open ones is a
subtraction. ``work_dead`` is an outbox: the dead letter topic may live in another shard.
``work_publishing`` names those of it whose letter may be out: from then on no ack is in time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hub.errors import NotFound
from shipspeak.realtime.v1 import error_reason_pb2

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

WORK_TABLES: Final = (
    """CREATE TABLE work (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        pattern TEXT NOT NULL,
        ordered INTEGER NOT NULL,
        created_ms INTEGER NOT NULL,
        position INTEGER NOT NULL,
        taken INTEGER NOT NULL
    )""",
    """CREATE TABLE work_open (
        work_id INTEGER NOT NULL,
        pos INTEGER NOT NULL,
        number INTEGER NOT NULL,
        topic TEXT NOT NULL,
        offset INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        not_before_ms INTEGER NOT NULL,
        PRIMARY KEY (work_id, pos)
    ) WITHOUT ROWID""",
    """CREATE TABLE work_dead (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        work TEXT NOT NULL,
        pos INTEGER NOT NULL,
        topic TEXT NOT NULL,
        offset INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        reason INTEGER NOT NULL,
        event_id TEXT NOT NULL,
        body BLOB NOT NULL
    )""",
    "CREATE TABLE work_publishing (dead_id INTEGER PRIMARY KEY)",
    """CREATE TABLE work_replayed (
        topic TEXT NOT NULL,
        offset INTEGER NOT NULL,
        PRIMARY KEY (topic, offset)
    ) WITHOUT ROWID""",
)


@dataclass(frozen=True, slots=True)
class WorkRow:
    """One row of ``work``."""

    id: int
    name: str
    pattern: str
    position: int
    taken: int


def work_row(connection: sqlite3.Connection, name: str) -> WorkRow:
    """The row of a work subscription. Raises: NotFound: WORK_UNKNOWN."""
    row = connection.execute(
        "SELECT id, name, pattern, position, taken FROM work WHERE name = ?", (name,)
    ).fetchone()
    if row is None:
        raise NotFound(
            error_reason_pb2.ERROR_REASON_WORK_UNKNOWN,
            f"there is no work subscription {name!r} here; open it first",
        )
    return WorkRow(*row)


def end_of_log(connection: sqlite3.Connection) -> int:
    """The newest place in the shard's order; 0 = nothing is kept."""
    place: int = connection.execute("SELECT coalesce(max(pos), 0) FROM event").fetchone()[0]
    return place


def listed(numbers: Iterable[int]) -> str:
    """Numbers as one parameter, for ``IN (SELECT value FROM json_each(?))``."""
    return json.dumps(list(numbers))
