"""Hands out events of a work subscription: registers what is new, counts attempts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hub.engine.sqlite.requests import Weight
from hub.engine.sqlite.work_tables import listed, work_row
from hub.engine.work import MAX_SPAN, OpenItem, Taken
from hub.model.wire import event_data

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from hub.engine.sqlite.operation import Work
    from hub.engine.sqlite.work_scan import Scan
    from hub.engine.sqlite.work_tables import WorkRow

MAX_TAKE_BYTES: Final = 1024 * 1024

_ASKED: Final = (
    "SELECT o.pos, o.topic, o.offset, o.attempts, e.expires_ms, e.body FROM work_open AS o "
    "LEFT JOIN event AS e ON e.pos = o.pos WHERE o.work_id = ? "
    "AND o.pos IN (SELECT value FROM json_each(?)) ORDER BY o.pos"
)
_REGISTER: Final = (
    "INSERT INTO work_open (work_id, pos, number, topic, offset, attempts, not_before_ms) "
    "VALUES (?, ?, ?, ?, ?, 0, 0)"
)
_COUNT: Final = (
    "UPDATE work_open SET attempts = attempts + 1, not_before_ms = 0 WHERE work_id = ? "
    "AND pos IN (SELECT value FROM json_each(?))"
)
_FORGET: Final = (
    "DELETE FROM work_open WHERE work_id = ? AND pos IN (SELECT value FROM json_each(?))"
)
_OLDEST: Final = "SELECT min(number) FROM work_open WHERE work_id = ?"


@dataclass(frozen=True, slots=True)
class Take:
    """See ``WorkStore.take``.

    Attributes:
        name: of the work subscription.
        again: refs of open events to hand out.
        scan: what lies behind the place; None = nothing new is wanted.
        hand_out: whether new events are handed out at once.
        now_ms: events that expire before are left out.
        uncounted: refs whose attempt is counted already.
    """

    name: str
    again: Sequence[int]
    scan: Scan | None
    hand_out: bool
    now_ms: int
    uncounted: frozenset[int] = frozenset()
    topics: Sequence[str] = ()

    @property
    def weight(self) -> Weight:
        """A row for each event."""
        return Weight(1 + len(self.again) + (0 if self.scan is None else len(self.scan.found)))

    def run(self, work: Work) -> Taken:
        """As in Operation."""
        connection = work.connection
        row = work_row(connection, self.name)
        fresh, receipts, more, full = self._register(connection, row)
        asked = [*self.again, *(fresh if self.hand_out else ())]
        handed_out, expired, lost = self._hand_out(connection, row.id, asked)
        out = {item.ref for item, _ in handed_out}
        registered = [
            OpenItem(pos, topic, offset, 0)
            for pos, (topic, offset) in fresh.items()
            if pos not in out and pos not in lost
        ]
        still = out | {
            found[0]
            for found in connection.execute(
                "SELECT pos FROM work_open WHERE work_id = ? "
                "AND pos IN (SELECT value FROM json_each(?))",
                (row.id, listed(self.again)),
            )
        }
        gone = [ref for ref in self.again if ref not in still]
        return Taken(handed_out, registered, gone, expired, more, full, receipts)

    def _register(
        self, connection: sqlite3.Connection, row: WorkRow
    ) -> tuple[dict[int, tuple[str, int]], int, bool, bool]:
        """Returns what is new, how many receipts were passed over, ``more`` and ``full``."""
        scan = self.scan
        if scan is None:
            return {}, 0, False, False
        if scan.after != row.position:
            # The place was moved between the scan and now.
            return {}, 0, True, False
        oldest: int | None = connection.execute(_OLDEST, (row.id,)).fetchone()[0]
        room = MAX_SPAN - (0 if oldest is None else row.taken - oldest + 1)
        found = scan.found[: max(0, room)]
        full = len(found) < len(scan.found)
        through = scan.through
        if full:
            through = found[-1][0] if found else row.position
        connection.executemany(
            _REGISTER,
            [
                (row.id, pos, row.taken + number, topic, offset)
                for number, (pos, topic, offset) in enumerate(found, 1)
            ],
        )
        connection.execute(
            "UPDATE work SET position = ?, taken = ? WHERE id = ?",
            (through, row.taken + len(found), row.id),
        )
        fresh = {pos: (topic, offset) for pos, topic, offset in found}
        receipts = sum(pos <= through for pos in scan.receipts)
        return fresh, receipts, scan.more or full, full

    def _hand_out(
        self, connection: sqlite3.Connection, work_id: int, asked: Sequence[int]
    ) -> tuple[list[tuple[OpenItem, bytes]], int, set[int]]:
        """Returns what goes out, how many had expired, and all refs that are open no more."""
        handed_out: list[tuple[OpenItem, bytes]] = []
        lost: set[int] = set()
        expired = size = 0
        rows: Sequence[tuple[Any, ...]] = (
            connection.execute(_ASKED, (work_id, listed(asked))).fetchall() if asked else ()
        )
        for pos, topic, offset, attempts, expires_ms, body in rows:
            if not body:
                lost.add(pos)  # it was removed from the log on purpose
            elif 0 < expires_ms <= self.now_ms:
                lost.add(pos)
                expired += 1
            else:
                size += len(body)
                if handed_out and size > MAX_TAKE_BYTES:
                    break
                attempt = attempts + (pos not in self.uncounted)
                item = OpenItem(pos, topic, offset, attempt, expires_ms=expires_ms)
                handed_out.append((item, event_data(body, offset)))
        counted = [item.ref for item, _ in handed_out if item.ref not in self.uncounted]
        if counted:
            connection.execute(_COUNT, (work_id, listed(counted)))
        if lost:
            connection.execute(_FORGET, (work_id, listed(lost)))
        return handed_out, expired, lost
