"""The file of a durable outbox: SQLite in WAL mode, fsync with each commit.

Blocking; one thread uses it. Several processes may share the file: writers take turns.
"""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import event_pb2
from shipspeak_realtime.durable.rows import NewRow, OutboxState, RefusedDraft, Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

VERSION = 1
BUSY_SECONDS = 10.0

_SCHEMA = """
CREATE TABLE draft (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    topic TEXT NOT NULL,
    body BLOB NOT NULL,
    queued_at REAL NOT NULL,
    expires_at REAL,
    first_sent_at REAL,
    refused_at REAL,
    refused TEXT
) STRICT;
CREATE INDEX draft_waiting ON draft (seq) WHERE refused_at IS NULL;
CREATE INDEX draft_refused ON draft (seq) WHERE refused_at IS NOT NULL;
CREATE TABLE total (one INTEGER PRIMARY KEY CHECK (one = 1), drafts INTEGER, bytes INTEGER) STRICT;
INSERT INTO total VALUES (1, 0, 0);
CREATE TRIGGER draft_in AFTER INSERT ON draft BEGIN
    UPDATE total SET drafts = drafts + 1, bytes = bytes + length(NEW.body);
END;
CREATE TRIGGER draft_out AFTER DELETE ON draft BEGIN
    UPDATE total SET drafts = drafts - 1, bytes = bytes - length(OLD.body);
END;
"""


class OutboxFile:
    """The open file.

    Args:
        path: of the file; made where it is missing, in a folder that exists.
        max_drafts: bound of the number of drafts in it.
        max_bytes: bound of the sum of their serialized sizes.

    Raises:
        sqlite3.Error: it cannot be opened, or is no outbox.
    """

    def __init__(self, path: Path, max_drafts: int, max_bytes: int) -> None:
        self._max_drafts, self._max_bytes = max_drafts, max_bytes
        # One thread at a time uses it, not always the same.
        self._db = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            with self._transaction():
                self._make()
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def add(self, rows: Sequence[NewRow]) -> list[bool]:
        """Keep drafts, in one commit; tells for each whether there was room."""
        with self._transaction():
            drafts, size = self._db.execute("SELECT drafts, bytes FROM total").fetchone()
            taken = []
            for row in rows:
                if self._waits(row.id):
                    taken.append(True)
                    continue
                # One that was refused is published anew.
                dropped = self._drop_refused(row.id)
                drafts, size = drafts - (dropped > 0), size - dropped
                fits = drafts < self._max_drafts and size + len(row.body) <= self._max_bytes
                if fits:
                    self._db.execute(
                        "INSERT INTO draft (id, topic, body, queued_at, expires_at)"
                        " VALUES (?, ?, ?, ?, ?)",
                        (row.id, row.topic, row.body, row.queued_at, row.expires_at),
                    )
                    drafts += 1
                    size += len(row.body)
                taken.append(fits)
            return taken

    def take(self, after: int, limit: int, now: float) -> list[Row]:
        """The next drafts that wait, each marked as one that may have been sent from now on.

        The rows tell what stood before: a draft that is tried for the first time has no time.
        """
        query = (
            "SELECT seq, id, topic, body, expires_at, first_sent_at FROM draft"
            " WHERE refused_at IS NULL AND seq > ? ORDER BY seq LIMIT ?"
        )
        rows = [Row(*columns) for columns in self._db.execute(query, (after, limit))]
        fresh = [(now, row.seq) for row in rows if row.first_sent_at is None]
        if fresh:
            with self._transaction():
                self._db.executemany("UPDATE draft SET first_sent_at = ? WHERE seq = ?", fresh)
        return rows

    def remove(self, seqs: Sequence[int]) -> None:
        """Drop drafts: they are stored at the hub, or nobody wants them any more."""
        with self._transaction():
            self._db.executemany("DELETE FROM draft WHERE seq = ?", [(seq,) for seq in seqs])

    def refuse(self, refused: Sequence[tuple[int, str]], now: float) -> None:
        """Put drafts aside that the hub refused: their places, and its words."""
        query = "UPDATE draft SET refused_at = ?, refused = ? WHERE seq = ?"
        with self._transaction():
            self._db.executemany(query, [(now, why, seq) for seq, why in refused])

    def refused(self, limit: int) -> list[RefusedDraft]:
        """Drafts that were put aside, oldest first."""
        query = "SELECT body, refused, refused_at FROM draft WHERE refused_at IS NOT NULL"
        found = self._db.execute(query + " ORDER BY seq LIMIT ?", (limit,))
        return [RefusedDraft(event_pb2.Draft.FromString(b), w, at) for b, w, at in found]

    def retry(self, ids: Sequence[str]) -> int:
        """Let refused drafts wait again, behind all that waits now; gives how many there were.

        As ones that were never sent, or a hub that has forgotten their ids would refuse them again.
        """
        columns = "id, topic, body, queued_at, expires_at"
        count = 0
        with self._transaction():
            for draft_id in ids:
                found = self._db.execute(
                    f"DELETE FROM draft WHERE id = ? AND refused_at IS NOT NULL RETURNING {columns}",  # noqa: S608, E501 - the names are ours
                    (draft_id,),
                ).fetchone()
                if found is not None:
                    insert = f"INSERT INTO draft ({columns}) VALUES (?, ?, ?, ?, ?)"  # noqa: S608
                    self._db.execute(insert, found)
                    count += 1
        return count

    def discard(self, ids: Sequence[str]) -> int:
        """Drop refused drafts; gives how many there were."""
        query = "DELETE FROM draft WHERE id = ? AND refused_at IS NOT NULL"
        with self._transaction():
            return sum(self._db.execute(query, (draft_id,)).rowcount for draft_id in ids)

    def state(self) -> OutboxState:
        """How full it is."""
        drafts, size = self._db.execute("SELECT drafts, bytes FROM total").fetchone()
        count = "SELECT count(*) FROM draft WHERE refused_at IS NOT NULL"
        (refused,) = self._db.execute(count).fetchone()
        oldest = "SELECT queued_at FROM draft WHERE refused_at IS NULL ORDER BY seq LIMIT 1"
        first = self._db.execute(oldest).fetchone()
        return OutboxState(drafts - refused, size, refused, None if first is None else first[0])

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _waits(self, draft_id: str) -> bool:
        query = "SELECT 1 FROM draft WHERE id = ? AND refused_at IS NULL"
        return self._db.execute(query, (draft_id,)).fetchone() is not None

    def _drop_refused(self, draft_id: str) -> int:
        query = "DELETE FROM draft WHERE id = ? RETURNING length(body)"
        row = self._db.execute(query, (draft_id,)).fetchone()
        return 0 if row is None else int(row[0])

    def _make(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version == VERSION:
            return
        if version or self._db.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone():
            msg = f"this file is no outbox of version {VERSION}; give the outbox a file of its own"
            raise sqlite3.DatabaseError(msg)
        for statement in _statements(_SCHEMA):
            self._db.execute(statement)
        self._db.execute(f"PRAGMA user_version = {VERSION}")


def _statements(script: str) -> Iterator[str]:
    """The statements one by one: `executescript` would commit the transaction around them."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
