"""The tables of a shard file, and the check that a file is the one that is meant.

``pos`` is the order of the whole shard; ``offset`` the place in the topic's log, contiguous in this
engine. ``topic.floor_id`` is the id of the event at ``floor``, so that a cursor which stands
exactly on the newest trimmed event can still be proved. A topic gets its row with its first event,
``epoch`` as ``hub.engine.sqlite.identity`` derives it. ``dedup`` has a lifetime of its own, beyond
retention. ``scheduled`` holds drafts that are not due yet.
"""

from __future__ import annotations

import re
import sqlite3
from typing import Final

from hub.engine.sqlite.database import writing
from hub.engine.sqlite.identity import give_identity
from hub.engine.sqlite.purges import PURGE_TABLE
from hub.engine.sqlite.work_tables import WORK_TABLES
from hub.errors import Unavailable
from shipspeak.realtime.v1 import error_reason_pb2

# 1: events alone; 2: drafts for later and work subscriptions beside them; 3: which dead letters are
# on their way; 4: how far purges have reached; 5: receipts are found and counted by their ids;
# 6: so are all events.
SCHEMA_VERSION: Final = 6
# What a newer table or index stands in for.
_OUTDATED: Final = ("DROP INDEX IF EXISTS event_receipt",)

_TABLES: Final = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE topic (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        epoch INTEGER NOT NULL,
        head INTEGER NOT NULL,
        floor INTEGER NOT NULL,
        floor_id TEXT NOT NULL,
        oldest_ms INTEGER NOT NULL
    )""",
    """CREATE TABLE event (
        pos INTEGER PRIMARY KEY AUTOINCREMENT,
        topic_id INTEGER NOT NULL,
        offset INTEGER NOT NULL,
        event_id TEXT NOT NULL,
        publisher TEXT NOT NULL,
        priority INTEGER NOT NULL,
        key TEXT NOT NULL,
        published_ms INTEGER NOT NULL,
        expires_ms INTEGER NOT NULL,
        body BLOB NOT NULL
    )""",
    "CREATE UNIQUE INDEX event_offset ON event (topic_id, offset)",
    "CREATE INDEX event_by_id ON event (topic_id, event_id)",
    """CREATE TABLE dedup (
        topic_id INTEGER NOT NULL,
        publisher TEXT NOT NULL,
        event_id TEXT NOT NULL,
        offset INTEGER NOT NULL,
        stored_ms INTEGER NOT NULL,
        PRIMARY KEY (topic_id, publisher, event_id)
    ) WITHOUT ROWID""",
    PURGE_TABLE,
    *WORK_TABLES,
    """CREATE TABLE scheduled (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        topic TEXT NOT NULL,
        publisher TEXT NOT NULL,
        event_id TEXT NOT NULL,
        deliver_ms INTEGER NOT NULL,
        priority INTEGER NOT NULL,
        key TEXT NOT NULL,
        expires_ms INTEGER NOT NULL,
        body BLOB NOT NULL
    )""",
    "CREATE UNIQUE INDEX scheduled_id ON scheduled (topic, publisher, event_id)",
    "CREATE INDEX scheduled_due ON scheduled (deliver_ms, seq)",
)
_IF_MISSING: Final = re.compile(r"^(CREATE (?:UNIQUE )?(?:TABLE|INDEX)) ")


def prepare(connection: sqlite3.Connection, shard: int, shards: int, now_ms: int) -> None:
    """Make the tables in an empty file, or check that a made one belongs here and complete it.

    Raises:
        Unavailable: STORAGE_FAILED when the file is another shard's, has another number of shards,
            or was written by a newer hub.
        sqlite3.Error: it cannot be read, or is no shard file.
    """
    if is_made(connection):
        meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
        _check(meta, shard, shards)
        if meta["schema"] < SCHEMA_VERSION:
            _complete(connection)
    else:
        _make(connection, shard, shards, now_ms)
    give_identity(connection)


def is_made(connection: sqlite3.Connection) -> bool:
    """Whether the file has its tables; one that was cut to nothing has none."""
    statement = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'meta'"
    return connection.execute(statement).fetchone() is not None


def is_of_whole_store(connection: sqlite3.Connection) -> bool:
    """Whether all shards of the store were there once."""
    return connection.execute("SELECT 1 FROM meta WHERE key = 'whole'").fetchone() is not None


def note_whole_store(connection: sqlite3.Connection, now_ms: int) -> None:
    """Remember that all shards are there: from now on a missing one is a lost one."""
    connection.execute("INSERT INTO meta (key, value) VALUES ('whole', ?)", (now_ms,))


def _make(connection: sqlite3.Connection, shard: int, shards: int, now_ms: int) -> None:
    with writing(connection):
        for statement in _TABLES:
            connection.execute(statement)
        connection.executemany(
            "INSERT INTO meta (key, value) VALUES (?, ?)",
            [
                ("schema", SCHEMA_VERSION),
                ("shard", shard),
                ("shards", shards),
                ("created", now_ms),
                ("probed", now_ms),
            ],
        )


def _complete(connection: sqlite3.Connection) -> None:
    """Give a file of an older hub the tables and indexes that have come since; the tables stay."""
    with writing(connection):
        for statement in _OUTDATED:
            connection.execute(statement)
        for statement in _TABLES:
            connection.execute(_IF_MISSING.sub(r"\1 IF NOT EXISTS ", statement, count=1))
        connection.execute("UPDATE meta SET value = ? WHERE key = 'schema'", (SCHEMA_VERSION,))


def _check(meta: dict[str, int], shard: int, shards: int) -> None:
    if not meta.keys() >= {"schema", "shards", "shard"}:
        raise sqlite3.DatabaseError("it is no shard file of this hub")
    if meta["schema"] > SCHEMA_VERSION:
        raise _unusable(
            shard,
            f"its file has schema {meta['schema']}, this hub knows {SCHEMA_VERSION}; "
            "start the newer hub",
        )
    if meta["shards"] != shards:
        raise _unusable(
            shard,
            f"the store was made with {meta['shards']} shards and cannot be opened with {shards}; "
            f"start with --shards {meta['shards']}",
        )
    if meta["shard"] != shard:
        raise _unusable(shard, f"its file belongs to shard {meta['shard']}; undo the renaming")


def _unusable(shard: int, why: str) -> Unavailable:
    return Unavailable(
        error_reason_pb2.ERROR_REASON_STORAGE_FAILED, f"shard {shard}: {why}", shard=shard
    )
