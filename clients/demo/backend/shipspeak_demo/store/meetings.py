"""Meetings and their ways out of a failure."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from shipspeak_demo.store.database import Database

_SELECT = """
SELECT m.*, u.size, u.received FROM meetings AS m JOIN uploads AS u ON u.id = m.upload_id
"""


class NotFailed(Exception):
    """The meeting is not in a state from which this recovery starts; ``status`` tells which."""

    def __init__(self, status: str) -> None:
        """Keep the status."""
        super().__init__(f"the meeting is {status}")
        self.status = status


class NotOffered(Exception):
    """The failure offers other ways out; ``options`` are they."""

    def __init__(self, options: tuple[str, ...]) -> None:
        """Keep the options."""
        super().__init__(f"the failure offers {', '.join(options) or 'no way out'}")
        self.options = options


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """A meeting as stored; ``size`` and ``received`` are those of its newest upload.

    ``owner`` is the user who is told of its end; empty = nobody.
    """

    id: str
    title: str
    filename: str
    status: str
    attempt: int
    upload_id: str
    size: int
    received: int
    failure: dict[str, Any] | None
    result: dict[str, Any] | None
    created_at: float
    updated_at: float
    owner: str


class Meetings:
    """Makes, finds and retries meetings."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        """Use a database and a clock of Unix seconds."""
        self._database = database
        self._clock = clock

    def create(self, title: str, filename: str, size: int, owner: str = "") -> Meeting:
        """Make a meeting that waits for its first upload of ``size`` bytes."""
        meeting_id, now = secrets.token_hex(6), self._clock()
        with self._database.writing() as sql:
            sql.execute(
                "INSERT INTO meetings (id, title, filename, status, attempt, upload_id, created_at,"
                " updated_at, owner) VALUES (?, ?, ?, 'uploading', 1, ?, ?, ?, ?)",
                (meeting_id, title, filename, f"{meeting_id}-1", now, now, owner),
            )
            _insert_upload(sql, meeting_id, 1, size)
            return _load(sql, meeting_id)

    def get(self, meeting_id: str) -> Meeting:
        """Find a meeting; raises KeyError where there is none."""
        with self._database.reading() as sql:
            return _load(sql, meeting_id)

    def newest(self, limit: int) -> list[Meeting]:
        """List meetings, the newest first."""
        with self._database.reading() as sql:
            rows = sql.execute(f"{_SELECT} ORDER BY m.created_at DESC, m.id LIMIT ?", (limit,))
            return [_meeting(row) for row in rows]

    def completed_of(self, owner: str) -> int:
        """Count the completed meetings of a user."""
        with self._database.reading() as sql:
            row = sql.execute(
                "SELECT count(*) AS n FROM meetings WHERE owner = ? AND status = 'completed'",
                (owner,),
            ).fetchone()
        return int(row["n"])

    def retry_stage(self, meeting_id: str) -> Meeting:
        """Queue a failed meeting again on the same upload, from the stage that failed.

        Raises:
            KeyError: no such meeting.
            NotFailed: it has not failed.
            NotOffered: the same upload would fail in the same way.
        """
        with self._database.writing() as sql:
            before = _load(sql, meeting_id)
            if before.status != "failed":
                raise NotFailed(before.status)
            _check_offered(before, "retry_stage")
            attempt, now = before.attempt + 1, self._clock()
            sql.execute(
                "INSERT INTO jobs (meeting_id, attempt, upload_id, checkpoint, queued_at)"
                " SELECT meeting_id, ?, upload_id, checkpoint, ? FROM jobs"
                " WHERE meeting_id = ? AND attempt = ?",
                (attempt, now, meeting_id, before.attempt),
            )
            sql.execute(
                "UPDATE meetings SET status = 'queued', attempt = ?, failure = NULL,"
                " updated_at = ? WHERE id = ?",
                (attempt, now, meeting_id),
            )
            return _load(sql, meeting_id)

    def upload_again(self, meeting_id: str, filename: str, size: int) -> Meeting:
        """Let a failed (or still uploading) meeting wait for another file.

        Raises:
            KeyError: no such meeting.
            NotFailed: it is queued, being processed or completed.
            NotOffered: the failure has another way out.
        """
        with self._database.writing() as sql:
            before = _load(sql, meeting_id)
            if before.status not in {"failed", "uploading"}:
                raise NotFailed(before.status)
            _check_offered(before, "upload_again")
            attempt = before.attempt + 1
            # A title that was the old file's name is the new file's; a person's own title stays.
            title = filename if before.title == before.filename else before.title
            upload_id = _insert_upload(sql, meeting_id, attempt, size)
            sql.execute(
                "UPDATE meetings SET status = 'uploading', attempt = ?, upload_id = ?,"
                " title = ?, filename = ?, failure = NULL, updated_at = ? WHERE id = ?",
                (attempt, upload_id, title, filename, self._clock(), meeting_id),
            )
            return _load(sql, meeting_id)


def _check_offered(meeting: Meeting, option: str) -> None:
    if meeting.failure is None or "options" not in meeting.failure:
        return
    offered = tuple(one["option"] for one in meeting.failure["options"])
    if option not in offered:
        raise NotOffered(offered)


def _insert_upload(sql: sqlite3.Connection, meeting_id: str, attempt: int, size: int) -> str:
    upload_id = f"{meeting_id}-{attempt}"
    row = (upload_id, meeting_id, attempt, size)
    sql.execute("INSERT INTO uploads VALUES (?, ?, ?, ?, 0)", row)
    return upload_id


def _load(sql: sqlite3.Connection, meeting_id: str) -> Meeting:
    row = sql.execute(f"{_SELECT} WHERE m.id = ?", (meeting_id,)).fetchone()
    if row is None:
        raise KeyError(meeting_id)
    return _meeting(row)


def _meeting(row: sqlite3.Row) -> Meeting:
    fields = dict(row)
    for name in ("failure", "result"):
        fields[name] = json.loads(fields[name]) if fields[name] else None
    return Meeting(**fields)
