"""One SQLite file shared by the back end and any number of workers.

WAL lets readers go on beside the writer; synchronous=FULL syncs every commit, so what a
transaction has answered for survives a power cut.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meetings (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    filename TEXT NOT NULL,
    status TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    upload_id TEXT NOT NULL,
    failure TEXT,
    result TEXT,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY,
    meeting_id TEXT NOT NULL REFERENCES meetings (id),
    attempt INTEGER NOT NULL,
    size INTEGER NOT NULL,
    received INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS jobs (
    meeting_id TEXT NOT NULL REFERENCES meetings (id),
    attempt INTEGER NOT NULL,
    upload_id TEXT NOT NULL REFERENCES uploads (id),
    done INTEGER NOT NULL DEFAULT 0,
    lease_owner TEXT,
    lease_until REAL NOT NULL DEFAULT 0,
    stalls INTEGER NOT NULL DEFAULT 0,
    checkpoint TEXT,
    outcome TEXT,
    queued_at REAL NOT NULL,
    PRIMARY KEY (meeting_id, attempt)
) STRICT;
CREATE TABLE IF NOT EXISTS practices (
    id TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    started_at REAL NOT NULL,
    ended_at REAL,
    text TEXT NOT NULL DEFAULT '',
    elapsed_s REAL NOT NULL DEFAULT 0,
    untimed_s REAL NOT NULL DEFAULT 0,
    overall REAL,
    dimensions TEXT NOT NULL DEFAULT '{}',
    figures TEXT NOT NULL DEFAULT '{}',
    told INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS practices_of ON practices (user, started_at);
CREATE TABLE IF NOT EXISTS told (
    user TEXT NOT NULL,
    what TEXT NOT NULL,
    told_at REAL NOT NULL,
    PRIMARY KEY (user, what)
) STRICT;
CREATE TABLE IF NOT EXISTS reminders (
    user TEXT PRIMARY KEY,
    event_id TEXT NOT NULL,
    due_at REAL NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS open_jobs ON jobs (queued_at) WHERE done = 0;
"""


class Database:
    """A connection that threads share one at a time.

    Methods of the store block for a disk sync; call them off the event loop.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, and make it and its tables where they are not there."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA busy_timeout = 10000")
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.executescript(_SCHEMA)
        self._complete()

    def _complete(self) -> None:
        """Give a file of an earlier version the columns that it lacks."""
        with self.writing() as sql:
            columns = {row["name"] for row in sql.execute("PRAGMA table_info(meetings)")}
            if "owner" not in columns:
                sql.execute("ALTER TABLE meetings ADD COLUMN owner TEXT NOT NULL DEFAULT ''")

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for one read."""
        with self._lock:
            yield self._connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection inside a transaction that holds the file's write lock.

        BEGIN IMMEDIATE: two workers that look for a job at once look one after the other.
        """
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()
