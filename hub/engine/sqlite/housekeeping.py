"""Removes what is no longer promised, in small transactions between batches.

Trimming goes from the old end only and moves ``floor``; ``floor_id`` keeps the id of the newest
trimmed event. Receipts do not count: the promised number of events is kept whatever lies between
them. A receipt at the old end goes with its event, which stood before it; one about an event of
another topic, of which a topic holds a bounded number, goes when its age or a later event asks for
it. Topics above their count are noted as they are written; ages are found by a round over all.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from hub.engine.sqlite import dedup
from hub.engine.sqlite.database import CommitFailed, writing
from hub.engine.sqlite.policy import KeepUnknown
from hub.engine.sqlite.spoken import receipts_kept
from hub.engine.sqlite.topics import Trimmed
from hub.engine.sqlite.work_trim import bury_trimmed
from hub.model.receipts import is_receipt, is_receipt_elsewhere

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from hub.engine.sqlite.policy import RetentionPolicy
    from hub.engine.sqlite.requests import Outcome
    from hub.engine.sqlite.topics import TopicState
    from hub.engine.sqlite.writer import ShardWriter

CHUNK_ROWS: Final = 500
CHUNK_IDS: Final = 1000
# Each new id pays for a look at this many, so the memory of ids never exceeds its lifetime by more
# than a third.
IDS_PER_EVENT: Final = 4
MAX_TOPICS: Final = 64  # trimmed in one transaction
MAX_COUNTED: Final = 10_000  # topics of which it is remembered that they have not too much

_ROUND: Final = (
    "SELECT id, name, head, floor, oldest_ms FROM topic WHERE id > ? ORDER BY id LIMIT ?"
)
_OLDEST: Final = (
    "SELECT offset, event_id, published_ms FROM event WHERE topic_id = ? AND offset > ? "
    "ORDER BY offset LIMIT ?"
)


class Housekeeper:
    """Trims one shard's topics and prunes its ids, in the writer's thread."""

    def __init__(
        self, writer: ShardWriter, policy: RetentionPolicy, dedup_lifetime_ms: int
    ) -> None:
        self._writer = writer
        self._policy: RetentionPolicy = KeepUnknown(policy)
        self._lifetime_ms = dedup_lifetime_ms
        self._due: dict[str, None] = {}
        # Topics with receipts: below this head they cannot have too many events.
        self._enough_below: dict[str, int] = {}
        self._round_at = 0
        self._ids_to_look_at = 0
        self._pruned_to = dedup.START

    @property
    def busy(self) -> bool:
        """Whether ``step`` has something to do now."""
        return bool(self._due) or self._ids_to_look_at >= CHUNK_IDS

    def note(self, outcome: Outcome) -> None:
        """Take note of the topics that a batch wrote."""
        for name in outcome.topics:
            topic = self._writer.topics.cached(name)
            if topic is not None and self._above_count(topic.id, name, topic.head, topic.floor):
                self._due[name] = None
        self._ids_to_look_at += IDS_PER_EVENT * outcome.stored

    def look_round(self, now_ms: int, max_topics: int = CHUNK_ROWS) -> None:
        """Look at the next topics for events past their time, and at the ids for old ones."""
        rows = self._writer.connection.execute(_ROUND, (self._round_at, max_topics)).fetchall()
        self._round_at = rows[-1][0] if len(rows) == max_topics else 0
        for topic_id, name, head, floor, oldest_ms in rows:
            aged = 0 < oldest_ms < self._policy(name).oldest_allowed_ms(now_ms)
            if aged or self._above_count(topic_id, name, head, floor):
                self._due[name] = None
        self._ids_to_look_at += CHUNK_IDS

    def step(self, now_ms: int, max_rows: int = CHUNK_ROWS) -> list[Trimmed]:
        """Remove at most ``max_rows`` events, or, when no topic is due, ids.

        Raises: sqlite3.Error when the storage fails; then nothing was removed, unless it is
        CommitFailed.
        """
        if self._due:
            return self._trim(now_ms, max_rows)
        if self._ids_to_look_at >= CHUNK_IDS:
            self._pruned_to = dedup.prune(
                self._writer.connection, self._pruned_to, now_ms - self._lifetime_ms, CHUNK_IDS
            )
            self._ids_to_look_at -= CHUNK_IDS
        return []

    def _above_count(self, topic_id: int, name: str, head: int, floor: int) -> bool:
        retention = self._policy(name)
        if retention.surplus(head - floor) <= 0 or head < self._enough_below.get(name, 0):
            return False
        receipts = receipts_kept(self._writer.connection, topic_id)
        surplus = retention.surplus(head - floor - receipts)
        if surplus > 0:
            return True
        if len(self._enough_below) >= MAX_COUNTED:
            self._enough_below.clear()
        self._enough_below[name] = head + 1 - surplus
        return False

    def _trim(self, now_ms: int, max_rows: int) -> list[Trimmed]:
        topics = self._writer.topics
        changed: list[TopicState] = []
        done: list[str] = []
        try:
            with writing(self._writer.connection):
                for name, topic in topics.working(islice(self._due, MAX_TOPICS)).items():
                    if max_rows <= 0:
                        break
                    removed, finished = self._trim_topic(topic, now_ms, max_rows)
                    max_rows -= removed
                    if removed:
                        changed.append(topic)
                    if finished:
                        done.append(name)
                topics.write(changed)
        except CommitFailed:
            topics.forget(changed)
            raise
        topics.accept(changed)
        self._writer.sizes.refresh()
        for name in done:
            del self._due[name]
        return [Trimmed(topic.name, topic.floor, topic.oldest_ms) for topic in changed]

    def _trim_topic(self, topic: TopicState, now_ms: int, max_rows: int) -> tuple[int, bool]:
        """Remove from the old end; returns how many, and whether nothing more is due."""
        retention = self._policy(topic.name)
        allowed_ms = retention.oldest_allowed_ms(now_ms)
        surplus = retention.surplus(topic.head - topic.floor)
        if surplus > 0:
            surplus -= receipts_kept(self._writer.connection, topic.id)
        rows = self._oldest(topic, max_rows + 1)
        removed, kept = 0, None
        for kept in rows:
            offset, event_id, published_ms = kept
            # The event of a receipt that lies beside it stood before it, and has left.
            follows = is_receipt(event_id) and not is_receipt_elsewhere(event_id)
            due = surplus > 0 or published_ms < allowed_ms or follows
            if not due or removed == max_rows:
                break
            topic.floor, topic.floor_id = offset, event_id
            removed += 1
            surplus -= not is_receipt(event_id)
        else:
            due, kept = False, None
        topic.oldest_ms = 0 if kept is None else kept[2]
        if removed:
            bury_trimmed(self._writer.connection, topic.id, topic.name, topic.floor, now_ms)
            self._writer.connection.execute(
                "DELETE FROM event WHERE topic_id = ? AND offset <= ?", (topic.id, topic.floor)
            )
        return removed, not due

    def _oldest(self, topic: TopicState, limit: int) -> Sequence[tuple[int, str, int]]:
        connection: sqlite3.Connection = self._writer.connection
        return connection.execute(_OLDEST, (topic.id, topic.floor, limit)).fetchall()
