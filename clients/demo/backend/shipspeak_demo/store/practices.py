"""Practice sessions: what was said, how it ended, and whether everybody was told."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

    from shipspeak_demo.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """A practice session as stored.

    Attributes:
        ended_at: Unix seconds; None = it goes on.
        text: the latest revision.
        elapsed_s: seconds of speaking.
        untimed_s: how long the pasted part took, as told by the speaker.
        overall, dimensions: the last scores; None and empty = too little was said.
        figures: value and unit by name.
    """

    id: str
    user: str
    started_at: float
    ended_at: float | None
    text: str
    elapsed_s: float
    untimed_s: float
    overall: float | None = None
    dimensions: Mapping[str, float] = field(default_factory=dict)
    figures: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    told: bool = False

    @property
    def topic(self) -> str:
        """Where its feedback is published: below its user's own name."""
        return f"practice/{self.user}/{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a session ended; fields as in `Practice`."""

    elapsed_s: float
    overall: float | None
    dimensions: Mapping[str, float]
    figures: Mapping[str, tuple[float, str]]


class Practices:
    """Makes, keeps and finds practice sessions."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        """Use a database and a clock of Unix seconds."""
        self._database = database
        self._clock = clock

    def create(self, user: str) -> Practice:
        """Begin a session."""
        practice_id, now = secrets.token_hex(6), self._clock()
        with self._database.writing() as sql:
            sql.execute(
                "INSERT INTO practices (id, user, started_at) VALUES (?, ?, ?)",
                (practice_id, user, now),
            )
            return _load(sql, practice_id, user)

    def get(self, practice_id: str, user: str) -> Practice:
        """Find a session of a user; raises KeyError where there is none."""
        with self._database.reading() as sql:
            return _load(sql, practice_id, user)

    def newest(self, user: str, limit: int) -> list[Practice]:
        """List a user's sessions in which something was said, the newest first."""
        return self._select(
            "WHERE user = ? AND (ended_at IS NULL OR text != '') ORDER BY started_at DESC LIMIT ?",
            (user, limit),
        )

    def ended_of(self, user: str) -> list[Practice]:
        """List a user's ended sessions, the oldest first."""
        return self._select("WHERE user = ? AND ended_at IS NOT NULL ORDER BY ended_at", (user,))

    def untold(self) -> list[Practice]:
        """List ended sessions whose end was not published yet."""
        return self._select("WHERE ended_at IS NOT NULL AND told = 0 ORDER BY ended_at", ())

    def keep(self, practice_id: str, text: str, untimed_s: float) -> None:
        """Write down the latest revision."""
        with self._database.writing() as sql:
            sql.execute(
                "UPDATE practices SET text = ?, untimed_s = ? WHERE id = ? AND ended_at IS NULL",
                (text, untimed_s, practice_id),
            )

    def end(self, practice_id: str, user: str, ending: Ending) -> tuple[Practice, bool]:
        """Write down how a session ended; the first ending stands.

        Returns:
            The session, and whether this ending is the one that stands.

        Raises:
            KeyError: this user has no such session.
        """
        with self._database.writing() as sql:
            written = sql.execute(
                "UPDATE practices SET ended_at = ?, elapsed_s = ?, overall = ?, dimensions = ?,"
                " figures = ? WHERE id = ? AND user = ? AND ended_at IS NULL",
                (
                    *(self._clock(), ending.elapsed_s, ending.overall),
                    *(json.dumps(dict(ending.dimensions)), json.dumps(dict(ending.figures))),
                    *(practice_id, user),
                ),
            ).rowcount
            return _load(sql, practice_id, user), written > 0

    def mark_told(self, practice_id: str) -> None:
        """Write down that everybody knows of the end."""
        with self._database.writing() as sql:
            sql.execute("UPDATE practices SET told = 1 WHERE id = ?", (practice_id,))

    def _select(self, rest: str, values: tuple[Any, ...]) -> list[Practice]:
        with self._database.reading() as sql:
            rows = sql.execute(f"SELECT * FROM practices {rest}", values)  # noqa: S608 - see above
            return [_practice(row) for row in rows]


def _load(sql: sqlite3.Connection, practice_id: str, user: str) -> Practice:
    row = sql.execute(
        "SELECT * FROM practices WHERE id = ? AND user = ?", (practice_id, user)
    ).fetchone()
    if row is None:
        raise KeyError(practice_id)
    return _practice(row)


def _practice(row: sqlite3.Row) -> Practice:
    fields = dict(row)
    fields["dimensions"] = json.loads(fields["dimensions"])
    figures = json.loads(fields["figures"])
    fields["figures"] = {name: (value, unit) for name, (value, unit) in figures.items()}
    fields["told"] = bool(fields["told"])
    return Practice(**fields)
