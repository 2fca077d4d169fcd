"""Reads of one shard file, on a read-only connection; plain calls without threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from hub.engine.contract import LogPage, Resume, TopicHead
from hub.engine.sqlite.database import connect_reader, snapshot
from hub.engine.sqlite.identity import epoch_of, identity_of
from hub.engine.sqlite.topics import TopicState, topic_from_row
from hub.engine.sqlite.verdict import judge_cursor
from hub.model.events import StoredEvent
from hub.model.wire import event_data

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from hub.model.cursor import Cursor

_T = TypeVar("_T")

_TOPIC: Final = "SELECT name, id, epoch, head, floor, floor_id, oldest_ms FROM topic WHERE name = ?"
_AFTER: Final = (
    "SELECT offset, event_id, priority, key, published_ms, expires_ms, body FROM event "
    "WHERE topic_id = ? AND offset > ? ORDER BY offset LIMIT ?"
)
_BEFORE: Final = (
    "SELECT offset, event_id, priority, key, published_ms, expires_ms, body FROM event "
    "WHERE topic_id = ? AND offset <= ? ORDER BY offset DESC LIMIT ?"
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

    def read(self, name: str, after: int, max_events: int, max_bytes: int) -> LogPage:
        """Events with offset > ``after``, at least one when there is one."""
        with snapshot(self._connection):
            topic = self._topic(name)
            rows = self._connection.execute(
                _AFTER, (topic.id, _bindable(after), max(1, max_events))
            )
            events = list(_within(rows, max_bytes))
        # Nothing found: everything behind ``after`` is accounted for, because there is nothing.
        through = events[-1].offset if events else max(after, topic.head)
        return LogPage(after, events, through, through < topic.head, topic.public())

    def read_latest(self, name: str, before: int, max_events: int, max_bytes: int) -> LogPage:
        """The newest events with offset <= ``before`` (0 = head), in rising order.

        ``more`` = older ones are kept.
        """
        with snapshot(self._connection):
            topic = self._topic(name)
            through = min(before, topic.head) if before else topic.head
            rows = self._connection.execute(_BEFORE, (topic.id, through, max(1, max_events)))
            events = list(_within(rows, max_bytes))
        events.reverse()
        after = events[0].offset - 1 if events else through
        return LogPage(after, events, through, after > topic.floor, topic.public())

    def resume(self, name: str, cursor: Cursor) -> Resume:
        """Judge a cursor against one state of the log."""
        with snapshot(self._connection):
            topic = self._topic(name)
            row = self._connection.execute(
                _EVENT_ID, (topic.id, _bindable(cursor.offset))
            ).fetchone()
        event_id: str | None = row[0] if row else None
        if event_id is None and cursor.offset == topic.floor:
            event_id = topic.floor_id
        return judge_cursor(cursor, topic.public(), event_id)

    def query(self, call: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run reads of another room's tables on one state of the file."""
        with snapshot(self._connection):
            return call(self._connection)

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
