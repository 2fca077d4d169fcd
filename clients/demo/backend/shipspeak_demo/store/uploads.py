"""Uploads: how many bytes are safely on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from shipspeak_demo.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An upload of ``size`` bytes, of which ``received`` are kept."""

    id: str
    meeting_id: str
    attempt: int
    filename: str
    size: int
    received: int


class Uploads:
    """Finds uploads and moves them on."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        """Use a database and a clock of Unix seconds."""
        self._database = database
        self._clock = clock

    def get(self, upload_id: str) -> Upload:
        """Find an upload; raises KeyError where there is none, or a newer one replaced it."""
        with self._database.reading() as sql:
            row = sql.execute(
                "SELECT u.*, m.filename FROM uploads AS u"
                " JOIN meetings AS m ON m.upload_id = u.id WHERE u.id = ?",
                (upload_id,),
            ).fetchone()
        if row is None:
            raise KeyError(upload_id)
        return Upload(**dict(row))

    def advance(self, upload: Upload, received: int) -> None:
        """Write down that ``received`` bytes are on disk; a whole upload queues its meeting.

        Raises:
            KeyError: a newer upload has replaced this one meanwhile.
        """
        now = self._clock()
        with self._database.writing() as sql:
            current = sql.execute(
                "UPDATE meetings SET updated_at = ? WHERE id = ? AND upload_id = ?",
                (now, upload.meeting_id, upload.id),
            )
            if not current.rowcount:
                raise KeyError(upload.id)
            sql.execute("UPDATE uploads SET received = ? WHERE id = ?", (received, upload.id))
            if received < upload.size:
                return
            queued = sql.execute(
                "INSERT OR IGNORE INTO jobs (meeting_id, attempt, upload_id, queued_at)"
                " VALUES (?, ?, ?, ?)",
                (upload.meeting_id, upload.attempt, upload.id, now),
            )
            if queued.rowcount:
                sql.execute(
                    "UPDATE meetings SET status = 'queued' WHERE id = ?", (upload.meeting_id,)
                )
