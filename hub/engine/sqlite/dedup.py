"""The memory of ids: the offset of each (topic, publisher, event id), for its own lifetime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hub.engine.sqlite.bulk import look_up, write_rows
from hub.engine.sqlite.database import writing

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from hub.engine.sqlite.topics import TopicState
    from hub.model.events import Append

Key = tuple[int, str, str]  # topic id, publisher, event id

_LOOK_UP: Final = (
    "SELECT d.topic_id, d.publisher, d.event_id, d.offset FROM (VALUES {rows}) AS v "
    "CROSS JOIN dedup AS d "
    "ON d.topic_id = v.column1 AND d.publisher = v.column2 AND d.event_id = v.column3"
)
_REMEMBER: Final = (
    "INSERT INTO dedup (topic_id, publisher, event_id, offset, stored_ms) VALUES {rows}"
)
_FORGET: Final = "DELETE FROM dedup WHERE topic_id = ? AND publisher = ? AND event_id = ?"
_CHUNK_END: Final = (
    "SELECT topic_id, publisher, event_id FROM dedup "
    "WHERE (topic_id, publisher, event_id) > (?, ?, ?) "
    "ORDER BY topic_id, publisher, event_id LIMIT 1 OFFSET ?"
)
_CHUNK: Final = (
    "FROM dedup WHERE (topic_id, publisher, event_id) > (?, ?, ?) "
    "AND (topic_id, publisher, event_id) <= (?, ?, ?) AND stored_ms < ?"
)
_ANY_OLD: Final = f"SELECT 1 {_CHUNK} LIMIT 1"
_DELETE_OLD: Final = f"DELETE {_CHUNK}"

_IN_LOG: Final = (
    "SELECT publisher, event_id, offset FROM event "
    "WHERE topic_id = ? AND (publisher, event_id) IN (VALUES {rows}) ORDER BY offset"
)
MAX_IN_LOG: Final = 1024  # in one walk; a batch has hardly more drafts
# Logs walked for one batch. A walk over 10,000 events takes about 25 ms, and all that time no
# other publisher of the shard is answered.
MAX_WALKS: Final = 16

START: Final[Key] = (0, "", "")  # before all keys: topic ids begin at 1
_END: Final[Key] = ((1 << 63) - 1, "", "")


def recall(
    connection: sqlite3.Connection,
    topics: Mapping[str, TopicState],
    drafts: Iterable[Append],
    lifetime_ms: int,
) -> tuple[dict[Key, int], set[Key]]:
    """The offsets of those drafts that were stored before: remembered, or, if old, in the log.

    Args:
        connection: of the writer.
        topics: states of the drafts' topics.
        drafts: what is about to be judged.
        lifetime_ms: how long ids are remembered.

    Returns:
        The offsets, and the keys of drafts that were not looked for, since MAX_WALKS logs were
        walked already: whether they were stored is not known.
    """
    asked: dict[Key, bool] = {}
    for draft in drafts:
        topic = topics[draft.topic]
        if topic.stored:
            key = (topic.id, draft.publisher, draft.event_id)
            asked[key] = asked.get(key, False) or _is_old(draft, lifetime_ms)
    known = known_offsets(connection, list(asked))
    walks: dict[int, list[tuple[str, str]]] = {}
    for key, old in asked.items():
        if old and key not in known:
            walks.setdefault(key[0], []).append(key[1:])
    unasked: set[Key] = set()
    for walked, (topic_id, ids) in enumerate(walks.items()):
        if walked < MAX_WALKS:
            known.update(find_in_log(connection, topic_id, ids))
        else:
            unasked.update((topic_id, *one) for one in ids)
    return known, unasked


def _is_old(draft: Append, lifetime_ms: int) -> bool:
    """Whether the memory may have forgotten the draft's id, so that the log must be asked.

    Half the lifetime, so that clocks that disagree by hours still find what has just been
    forgotten.
    """
    return draft.first_sent_ms != 0 and draft.published_ms - draft.first_sent_ms > lifetime_ms // 2


def known_offsets(connection: sqlite3.Connection, keys: Sequence[Key]) -> dict[Key, int]:
    """The offsets of those keys that are remembered."""
    return {(row[0], row[1], row[2]): row[3] for row in look_up(connection, _LOOK_UP, keys)}


def remember(
    connection: sqlite3.Connection, rows: Sequence[tuple[int, str, str, int, int]]
) -> None:
    """Put (topic id, publisher, event id, offset, stored_ms) into the open transaction."""
    write_rows(connection, _REMEMBER, rows)


def forget(connection: sqlite3.Connection, key: Key) -> None:
    """Remember an id no more; part of the open transaction."""
    connection.execute(_FORGET, key)


def find_in_log(
    connection: sqlite3.Connection, topic_id: int, ids: Sequence[tuple[str, str]]
) -> dict[Key, int]:
    """The offsets of kept events of a topic with these (publisher, event id).

    Walks the topic's log once, however many are asked for; only for ids older than the memory. Of
    two events with one id the newer is found, as it is the one that the memory held last.
    """
    found = look_up(connection, _IN_LOG, ids, before=(topic_id,), max_rows=MAX_IN_LOG)
    return {(topic_id, row[0], row[1]): row[2] for row in found}


def prune(connection: sqlite3.Connection, after: Key, stored_before_ms: int, rows: int) -> Key:
    """Look at the next ``rows`` ids behind ``after`` and forget those stored before that time.

    Ids are looked at in the order of their keys: an index by age would cost every commit more than
    a walk over all of them costs now and then. Returns where to go on, START after the last one.
    """
    found = connection.execute(_CHUNK_END, (*after, rows - 1)).fetchone()
    end: Key = _END if found is None else tuple(found)
    bounds = (*after, *end, stored_before_ms)
    if connection.execute(_ANY_OLD, bounds).fetchone() is not None:
        with writing(connection):
            connection.execute(_DELETE_OLD, bounds)
    return START if found is None else end
