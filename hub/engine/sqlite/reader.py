"""Reads of one shard file, on a read-only connection; plain calls without threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from hub.engine.contract import LogPage, LogPlace, Resume, TopicHead
from hub.engine.sqlite.database import connect_reader, snapshot
from hub.engine.sqlite.identity import epoch_of, identity_of
from hub.engine.sqlite.purges import purged_ms
from hub.engine.sqlite.topics import TopicState, topic_from_row
from hub.engine.sqlite.verdict import judge_cursor
from hub.model.events import StoredEvent
from hub.model.wire import event_data

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from hub.model.cursor import Cursor

_T = TypeVar("_T")

_TOPIC: Final = "SELECT name, id, epoch, head, floor, floor_id, oldest_ms FROM topic WHERE name = ?"
_SELECT: Final = (
    "SELECT offset, event_id, priority, key, published_ms, expires_ms, body FROM event "
)
_AFTER: Final = f"{_SELECT}WHERE topic_id = :topic AND offset > :place ORDER BY offset LIMIT :limit"
_BEFORE: Final = (
    f"{_SELECT}WHERE topic_id = :topic AND offset <= :place ORDER BY offset DESC LIMIT :limit"
)
# Of the conflated forms: the newest event of each key up to the horizon, and the newest that has
# not expired, since what has expired supersedes nothing; made once per statement.
_NOT_SUPERSEDED: Final = (
    "AND (key = '' OR offset > :horizon OR offset IN (SELECT max(offset) FROM event "
    "WHERE topic_id = :topic AND offset <= :horizon AND key <> '' GROUP BY key) "
    "OR offset IN (SELECT max(offset) FROM event WHERE topic_id = :topic AND offset <= :horizon "
    "AND key <> '' AND (expires_ms = 0 OR expires_ms > :now) GROUP BY key)) "
)
_AFTER_CONFLATED: Final = (
    f"{_SELECT}WHERE topic_id = :topic AND offset > :place {_NOT_SUPERSEDED}"
    "ORDER BY offset LIMIT :limit"
)
_BEFORE_CONFLATED: Final = (
    f"{_SELECT}WHERE topic_id = :topic AND offset <= :place {_NOT_SUPERSEDED}"
    "ORDER BY offset DESC LIMIT :limit"
)
_COUNT: Final = "SELECT count(*) FROM event WHERE topic_id = ? AND offset > ? AND offset <= ?"
# The earliest end of the events that supersede one in a stretch: of each key that is the newest up
# to the horizon that has not expired, and what it supersedes there lies before it.
_HOLDS_UNTIL: Final = (
    "SELECT min(state.expires_ms) FROM (SELECT key, max(offset) AS offset, expires_ms FROM event "
    "WHERE topic_id = :topic AND offset > :after AND offset <= :horizon AND key <> '' "
    "AND (expires_ms = 0 OR expires_ms > :now) GROUP BY key) AS state "
    "JOIN (SELECT key, min(offset) AS offset FROM event WHERE topic_id = :topic "
    "AND offset > :after AND offset <= :through AND key <> '' GROUP BY key) AS first "
    "ON first.key = state.key AND first.offset < state.offset WHERE state.expires_ms > 0"
)
_NTH_LATEST: Final = (
    "SELECT offset, event_id FROM event WHERE topic_id = ? ORDER BY offset DESC LIMIT 1 OFFSET ?"
)
_NO_ROW: Final = 0  # no topic has this id
_EVENT_ID: Final = "SELECT event_id FROM event WHERE topic_id = ? AND offset = ?"


class ShardReader:
    """Reads one shard file. Used by one thread at a time.

    A topic without a row is an empty log. Every method raises sqlite3.Error when the storage fails.
    """

    def __init__(self, path: Path) -> None:
        self._connection = connect_reader(path)
        try:
            self._identity = identity_of(self._connection)
        except BaseException:
            self._connection.close()
            raise

    @property
    def connection(self) -> sqlite3.Connection:
        """For reads that are not of one log; only in a call that the pool runs."""
        return self._connection

    def close(self) -> None:
        """Close the connection; any thread may do it when no call is running."""
        self._connection.close()

    def head(self, name: str) -> TopicHead:
        """The committed state of a topic."""
        return self._topic(name).public()

    def read(
        self,
        name: str,
        after: int,
        max_events: int,
        max_bytes: int,
        horizon: int = 0,
        now_ms: int = 0,
    ) -> LogPage:
        """Events with offset > ``after``, at least one when there is one."""
        with snapshot(self._connection):
            topic = self._topic(name)
            statement = _AFTER_CONFLATED if horizon else _AFTER
            events = self._events(statement, topic, after, max_events, max_bytes, horizon, now_ms)
            # Nothing found: everything behind ``after`` is accounted for, because there is nothing.
            through = events[-1].offset if events else max(after, topic.head)
            conflated = self._left_out(topic, after, through, events) if horizon else 0
            holds = 0
            if conflated and after <= topic.floor:
                holds = self._holds_until(topic, after, through, horizon, now_ms)
        more = through < topic.head
        return LogPage(after, events, through, more, topic.public(), conflated, holds)

    def read_latest(
        self,
        name: str,
        before: int,
        max_events: int,
        max_bytes: int,
        horizon: int = 0,
        now_ms: int = 0,
    ) -> LogPage:
        """The newest events with offset <= ``before`` (0 = head), in rising order.

        ``more`` = older ones are kept.
        """
        with snapshot(self._connection):
            topic = self._topic(name)
            through = min(before, topic.head) if before else topic.head
            statement = _BEFORE_CONFLATED if horizon else _BEFORE
            events = self._events(statement, topic, through, max_events, max_bytes, horizon, now_ms)
            events.reverse()
            after = events[0].offset - 1 if events else through
            if horizon and not events:
                # What is kept there was superseded, all of it.
                after = min(topic.floor, through)
            conflated = self._left_out(topic, after, through, events) if horizon else 0
        return LogPage(after, events, through, after > topic.floor, topic.public(), conflated)

    def before_latest(self, name: str, count: int) -> LogPlace:
        """The place behind which the newest ``count`` events are; the floor when fewer are kept."""
        with snapshot(self._connection):
            topic = self._topic(name)
            row = self._connection.execute(_NTH_LATEST, (topic.id, count)).fetchone()
        offset, event_id = row or (topic.floor, topic.floor_id)
        return LogPlace(offset, event_id, topic.public())

    def resume(self, name: str, cursor: Cursor) -> Resume:
        """Judge a cursor against one state of the log."""
        with snapshot(self._connection):
            topic = self._topic(name)
            row = self._connection.execute(
                _EVENT_ID, (topic.id, _bindable(cursor.offset))
            ).fetchone()
            purged = purged_ms(self._connection, topic.id, _bindable(cursor.offset))
        event_id: str | None = row[0] if row else None
        if event_id is None and cursor.offset == topic.floor:
            event_id = topic.floor_id
        return judge_cursor(cursor, topic.public(), event_id, purged)

    def query(self, call: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run reads of another room's tables on one state of the file."""
        with snapshot(self._connection):
            return call(self._connection)

    def _events(
        self,
        statement: str,
        topic: TopicState,
        place: int,
        max_events: int,
        max_bytes: int,
        horizon: int,
        now_ms: int,
    ) -> list[StoredEvent]:
        bound = {
            "topic": topic.id,
            "place": _bindable(place),
            "limit": max(1, max_events),
            "horizon": horizon,
            "now": now_ms,
        }
        return list(_within(self._connection.execute(statement, bound), max_bytes))

    def _left_out(
        self, topic: TopicState, after: int, through: int, events: Sequence[StoredEvent]
    ) -> int:
        span = (topic.id, _bindable(after), _bindable(through))
        (kept,) = self._connection.execute(_COUNT, span).fetchone()
        return int(kept) - len(events)

    def _holds_until(
        self, topic: TopicState, after: int, through: int, horizon: int, now_ms: int
    ) -> int:
        bound = {
            "topic": topic.id,
            "after": _bindable(after),
            "through": _bindable(through),
            "horizon": horizon,
            "now": now_ms,
        }
        (ends_ms,) = self._connection.execute(_HOLDS_UNTIL, bound).fetchone()
        return int(ends_ms or 0)

    def _topic(self, name: str) -> TopicState:
        row = self._connection.execute(_TOPIC, (name,)).fetchone()
        if row is None:
            return TopicState(_NO_ROW, name, epoch_of(self._identity, name), stored=False)
        return topic_from_row(row)


def _within(rows: Iterable[tuple[Any, ...]], max_bytes: int) -> Iterator[StoredEvent]:
    """Make events until the bytes are used up; the first one always fits."""
    used = 0
    for offset, event_id, priority, key, published_ms, expires_ms, body in rows:
        data = event_data(body, offset) if body else b""
        used += len(data)
        if used > max_bytes and used > len(data):
            return
        yield StoredEvent(offset, -1, event_id, data, priority, key, published_ms, expires_ms)


def _bindable(offset: int) -> int:
    """A cursor may claim any 64-bit offset; SQLite takes signed ones, and no log gets that far."""
    return min(offset, (1 << 63) - 1)
