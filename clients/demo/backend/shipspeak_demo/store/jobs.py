"""Jobs and their leases.

A worker that holds a lease must renew it; one that dies lets it run out, and another worker takes
the job up at its checkpoint. A worker that lost its lease cannot write any more: every write
names the lease's owner, and owners are never used twice.

A job's outcome is written before it is published and the job is closed after that, so a crash
in between publishes the outcome again (the same event id) and never loses it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from shipspeak_demo.store.database import Database

LEASE_S = 5.0
"""Seconds a lease lasts after it was taken or renewed."""


class LeaseLost(Exception):
    """Another worker has the job; this one must stop working on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A job in hand.

    Attributes:
        owner: who holds it; new for every lease.
        stalls: leases that ran out in a row without a checkpoint.
        checkpoint: the place reached, as text; None at the start.
        outcome: what was written by ``settle``, as text; None before.
    """

    meeting_id: str
    attempt: int
    upload_id: str
    filename: str
    size: int
    owner: str
    stalls: int
    checkpoint: str | None
    outcome: str | None


class JobQueue:
    """Hands out jobs, one lease each, the longest waiting first."""

    def __init__(
        self, database: Database, clock: Callable[[], float], lease_s: float = LEASE_S
    ) -> None:
        """Use a database, a clock of Unix seconds and the length of a lease."""
        self._database = database
        self._clock = clock
        self.lease_s = lease_s

    def claim(self, worker: str) -> Lease | None:
        """Take the longest waiting job that nobody holds; None where there is none."""
        owner = f"{worker}/{secrets.token_hex(4)}"
        now = self._clock()
        with self._database.writing() as sql:
            row = sql.execute(
                "SELECT j.*, u.size, m.filename FROM jobs AS j"
                " JOIN uploads AS u ON u.id = j.upload_id JOIN meetings AS m ON m.id = j.meeting_id"
                " WHERE j.done = 0 AND (j.lease_owner IS NULL OR j.lease_until <= ?)"
                " ORDER BY j.queued_at, j.meeting_id LIMIT 1",
                (now,),
            ).fetchone()
            if row is None:
                return None
            # A lease that was given back is no stall; one that ran out is.
            stalls = row["stalls"] + (row["lease_owner"] is not None)
            sql.execute(
                "UPDATE jobs SET lease_owner = ?, lease_until = ?, stalls = ?"
                " WHERE meeting_id = ? AND attempt = ?",
                (owner, now + self.lease_s, stalls, row["meeting_id"], row["attempt"]),
            )
            if row["outcome"] is None:
                sql.execute(
                    "UPDATE meetings SET status = 'processing', updated_at = ?"
                    " WHERE id = ? AND attempt = ?",
                    (now, row["meeting_id"], row["attempt"]),
                )
        names = ("meeting_id", "attempt", "upload_id", "filename", "size", "checkpoint", "outcome")
        return Lease(owner=owner, stalls=stalls, **{name: row[name] for name in names})

    def renew(self, lease: Lease) -> None:
        """Make the lease last another ``lease_s`` from now; raises LeaseLost."""
        self._write(lease, "lease_until = ?", self._clock() + self.lease_s)

    def release(self, lease: Lease) -> None:
        """Give the job back at once, to be taken up at its checkpoint; raises LeaseLost."""
        self._write(lease, "lease_owner = NULL, lease_until = ?", 0.0)

    def checkpoint(self, lease: Lease, place: str) -> None:
        """Write down the place reached; raises LeaseLost."""
        self._write(lease, "stalls = 0, checkpoint = ?", place)

    def settle(
        self, lease: Lease, outcome: str, *, result: str | None = None, failure: str | None = None
    ) -> None:
        """Write down how the job ended, for the meeting too; raises LeaseLost."""
        status = "failed" if result is None else "completed"
        with self._database.writing() as sql:
            changed = sql.execute(
                "UPDATE jobs SET outcome = ?"
                " WHERE meeting_id = ? AND attempt = ? AND lease_owner = ? AND done = 0",
                (outcome, lease.meeting_id, lease.attempt, lease.owner),
            )
            if not changed.rowcount:
                raise LeaseLost
            sql.execute(
                "UPDATE meetings SET status = ?, result = ?, failure = ?, updated_at = ?"
                " WHERE id = ? AND attempt = ?",
                (status, result, failure, self._clock(), lease.meeting_id, lease.attempt),
            )

    def close(self, lease: Lease) -> None:
        """Take the job off the queue, its outcome being published; raises LeaseLost."""
        self._write(lease, "done = ?", 1)

    def _write(self, lease: Lease, change: str, value: str | float) -> None:
        with self._database.writing() as sql:
            changed = sql.execute(
                f"UPDATE jobs SET {change}"  # noqa: S608 - the callers above are all there are
                " WHERE meeting_id = ? AND attempt = ? AND lease_owner = ? AND done = 0",
                (value, lease.meeting_id, lease.attempt, lease.owner),
            )
            if not changed.rowcount:
                raise LeaseLost
