"""What a user was told once, and the reminder that waits for its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from shipspeak_demo.store.database import Database


class Told:
    """Remembers what the hub forgets after a day: ids of what must come once in a lifetime."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        """Use a database and a clock of Unix seconds."""
        self._database = database
        self._clock = clock

    def knows(self, user: str, what: str) -> bool:
        """Whether the user was told of it."""
        with self._database.reading() as sql:
            found = sql.execute("SELECT 1 FROM told WHERE user = ? AND what = ?", (user, what))
            return found.fetchone() is not None

    def note(self, user: str, what: str) -> None:
        """Write down that the user was told: after the hub has stored it."""
        with self._database.writing() as sql:
            sql.execute("INSERT OR IGNORE INTO told VALUES (?, ?, ?)", (user, what, self._clock()))

    def reminder(self, user: str) -> tuple[str, float] | None:
        """The id and the time of the reminder that waits; None = none does."""
        with self._database.reading() as sql:
            row = sql.execute(
                "SELECT event_id, due_at FROM reminders WHERE user = ? AND due_at > ?",
                (user, self._clock()),
            ).fetchone()
        return None if row is None else (row["event_id"], row["due_at"])

    def keep_reminder(self, user: str, event_id: str, due_at: float) -> None:
        """Write down the reminder that waits now, in place of an earlier one."""
        with self._database.writing() as sql:
            sql.execute(
                "INSERT OR REPLACE INTO reminders VALUES (?, ?, ?)", (user, event_id, due_at)
            )
