"""The table of scheduled drafts: what goes in, what is taken back, what is due.

A draft is released in one transaction: it leaves the table and enters its topic's log, so it is
never in both nor in none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final

from hub.engine.schedule import Scheduled
from hub.engine.sqlite.failures import too_many_scheduled
from hub.engine.sqlite.requests import LIGHT, Weight
from hub.model.events import Append
from hub.model.wire import published_at

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from hub.engine.contract import AppendResult
    from hub.engine.schedule import ScheduledDraft
    from hub.engine.sqlite.operation import Work

# Of one shard, so that a faulty publisher cannot fill the disk with drafts for next year.
MAX_SCHEDULED: Final = 100_000
# Released in one transaction.
MAX_RELEASED: Final = 200

_WAITS: Final = "SELECT 1 FROM scheduled WHERE topic = ? AND publisher = ? AND event_id = ?"
_COUNT: Final = "SELECT count(*) FROM scheduled"
_ADD: Final = (
    "INSERT INTO scheduled (topic, publisher, event_id, deliver_ms, priority, key, expires_ms, "
    "body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_CANCEL: Final = "DELETE FROM scheduled WHERE topic = ? AND publisher = ? AND event_id = ?"
_DUE: Final = (
    "SELECT seq, topic FROM scheduled WHERE deliver_ms <= ? ORDER BY deliver_ms, seq LIMIT ?"
)
_NEXT: Final = "SELECT min(deliver_ms) FROM scheduled"
_TAKE: Final = (
    "DELETE FROM scheduled WHERE seq = ? "
    "RETURNING topic, publisher, event_id, priority, key, expires_ms, body"
)
_ERASE_PUBLISHED: Final = (
    "DELETE FROM scheduled WHERE seq IN (SELECT seq FROM scheduled WHERE publisher = ? LIMIT ?)"
)
_ERASE: Final = (
    "DELETE FROM scheduled WHERE seq IN (SELECT seq FROM scheduled WHERE publisher = ? "
    "OR topic = ? OR (topic > ? AND topic < ?) LIMIT ?)"
)


@dataclass(frozen=True, slots=True)
class AddScheduled:
    """Keeps drafts of one shard."""

    drafts: Sequence[ScheduledDraft]

    @property
    def topics(self) -> Sequence[str]:
        """Their topics: what was released already is found by their ids."""
        return tuple(dict.fromkeys(draft.append.topic for draft in self.drafts))

    @property
    def weight(self) -> Weight:
        """As a publish of them."""
        return Weight(len(self.drafts), sum(len(draft.append.body) for draft in self.drafts))

    def run(self, work: Work) -> list[AppendResult | Scheduled]:
        """One result each."""
        (waiting,) = work.connection.execute(_COUNT).fetchone()
        results: list[AppendResult | Scheduled] = []
        stored = work.stored_before([draft.append for draft in self.drafts])
        for draft, before in zip(self.drafts, stored, strict=True):
            append = draft.append
            key = (append.topic, append.publisher, append.event_id)
            if work.connection.execute(_WAITS, key).fetchone() is not None:
                results.append(Scheduled(duplicate=True))
            elif before is not None:
                results.append(before)
            elif waiting >= MAX_SCHEDULED:
                results.append(too_many_scheduled(append.topic, MAX_SCHEDULED))
            else:
                waiting += 1
                rest = (append.priority, append.key, append.expires_ms, append.body)
                work.connection.execute(_ADD, (*key, draft.deliver_ms, *rest))
                results.append(Scheduled())
        return results


@dataclass(frozen=True, slots=True)
class CancelScheduled:
    """Takes one draft back; answers whether it was there."""

    topic: str
    publisher: str
    event_id: str
    weight: ClassVar = LIGHT

    @property
    def topics(self) -> Sequence[str]:
        """No log is touched."""
        return ()

    def run(self, work: Work) -> bool:
        """Delete the row."""
        key = (self.topic, self.publisher, self.event_id)
        return work.connection.execute(_CANCEL, key).rowcount > 0


@dataclass(frozen=True, slots=True)
class Release:
    """Moves due drafts into their topics' logs; answers how many were still there.

    Attributes:
        due: as ``due_drafts`` found them; one that was cancelled meanwhile is left out.
        clock: milliseconds since the epoch; what it says when this runs becomes their time of
            publishing. Retention counts from there, and none is older than the batch that it is in:
            what was complete before stays so (G11).
    """

    due: Sequence[tuple[int, str]]
    clock: Callable[[], int]

    @property
    def topics(self) -> Sequence[str]:
        """Their topics."""
        return tuple(dict.fromkeys(topic for _, topic in self.due))

    @property
    def weight(self) -> Weight:
        """A row that goes and one that comes for each."""
        return Weight(2 * len(self.due))

    def run(self, work: Work) -> int:
        """Delete and append, one after the other."""
        released, now_ms = 0, self.clock()
        for seq, _ in self.due:
            row = work.connection.execute(_TAKE, (seq,)).fetchone()
            if row is not None:
                topic, publisher, event_id, priority, key, expires_ms, body = row
                append = Append(topic, event_id, publisher, body, priority, key, now_ms)
                work.append(
                    replace(append, body=body + published_at(now_ms), expires_ms=expires_ms)
                )
                released += 1
        return released


@dataclass(frozen=True, slots=True)
class EraseScheduled:
    """Removes waiting drafts of a user, and those for the user's own topics; answers how many.

    Attributes:
        user: whose.
        own: the user's own topic, ``user/<id>``; empty = there is none. A name with a slash has
            none: what would be its topic is another user's.
        max_rows: of this part.
    """

    user: str
    own: str
    max_rows: int

    @property
    def topics(self) -> Sequence[str]:
        """No log is touched."""
        return ()

    @property
    def weight(self) -> Weight:
        """The rows of a part."""
        return Weight(self.max_rows)

    def run(self, work: Work) -> int:
        """Delete a part."""
        own = self.own
        if own.count("/") != 1:
            one = (self.user, self.max_rows)
            return work.connection.execute(_ERASE_PUBLISHED, one).rowcount
        # "0" is the character behind "/": what lies between begins with "user/<id>/".
        bounds = (self.user, own, f"{own}/", f"{own}0", self.max_rows)
        return work.connection.execute(_ERASE, bounds).rowcount


def due_drafts(connection: sqlite3.Connection, now_ms: int) -> list[tuple[int, str]]:
    """Number and topic of drafts that are due, the longest due first; at most MAX_RELEASED."""
    return connection.execute(_DUE, (now_ms, MAX_RELEASED)).fetchall()


def next_due_ms(connection: sqlite3.Connection) -> int | None:
    """When the next waiting draft is due; None = none waits."""
    found: int | None = connection.execute(_NEXT).fetchone()[0]
    return found
