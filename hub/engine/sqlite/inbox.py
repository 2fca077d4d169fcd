"""Receipts in a SQLite engine: looked up and stored by one operation per shard and call."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from hub.engine.contract import AppendResult, Stored
from hub.engine.sqlite.removal import Place, Withdraw
from hub.engine.sqlite.requests import Weight
from hub.engine.sqlite.spoken import Spoken, look_for, still_there
from hub.errors import HubError, event_unknown
from hub.model.events import NORMAL, Append
from hub.model.receipts import STATES, WITHDRAWN, receipt_body, receipt_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hub.engine.sqlite.engine import SqliteEngine
    from hub.engine.sqlite.operation import Work
    from hub.engine.sqlite.reader import ShardReader
    from hub.model.receipts import Mark

# About what a receipt takes.
_RECEIPT_BYTES: Final = 300


@dataclass(frozen=True, slots=True)
class StoreReceipts:
    """Stores the receipts of one shard.

    Attributes:
        marks: what is said.
        spoken: what a reader has found of it, by topic.
        now_ms: milliseconds since the epoch.
    """

    marks: Sequence[Mark]
    spoken: Mapping[str, Spoken]
    now_ms: int

    @property
    def topics(self) -> Sequence[str]:
        """Where the events and their receipts lie."""
        return tuple(dict.fromkeys(mark.topic for mark in self.marks))

    @property
    def weight(self) -> Weight:
        """A receipt for each event that is meant, and the event that it may take out."""
        found = sum(len(_meant(mark, self.spoken[mark.topic])) for mark in self.marks)
        events = max(found, len(self.marks))
        return Weight(2 * events, _RECEIPT_BYTES * events)

    def run(self, work: Work) -> list[AppendResult]:
        """One result each."""
        logs = {
            name: still_there(work.connection, work.topic(name), self.spoken[name])
            for name in self.topics
        }
        said = {
            name: {event_id: offset for event_id, offset, _ in log.receipts}
            for name, log in logs.items()
        }
        return [self._store(work, logs[mark.topic], said[mark.topic], mark) for mark in self.marks]

    def _store(self, work: Work, log: Spoken, said: dict[str, int], mark: Mark) -> AppendResult:
        offsets = _meant(mark, log)
        if not offsets or mark.event_id.startswith("~"):
            return event_unknown(mark.topic, mark.event_id)
        if mark.state == WITHDRAWN:
            Withdraw([Place(mark.topic, at, mark.event_id) for at in offsets]).run(work)
        results = [self._one(work, said, mark, offset) for offset in offsets]
        # What was refused, then what is new, counts before what was said before.
        return min(results, key=lambda one: isinstance(one, Stored) + _is_duplicate(one))

    def _one(self, work: Work, said: dict[str, int], mark: Mark, offset: int) -> AppendResult:
        """Store the receipt about the event at ``offset``."""
        for state in STATES:
            known = said.get(receipt_id(mark.event_id, offset, state))
            if state >= mark.state and known is not None:
                return Stored(work.topic(mark.topic).epoch, known, duplicate=True)
        name = receipt_id(mark.event_id, offset, mark.state)
        body = receipt_body(mark, offset, self.now_ms)
        result = work.append(
            Append(mark.topic, name, mark.publisher, body, NORMAL, "", self.now_ms)
        )
        if isinstance(result, Stored):
            said[name] = result.offset
        return result


def _meant(mark: Mark, log: Spoken) -> list[int]:
    """The offsets of the events that a mark is about."""
    return [
        offset
        for event_id, offset, publisher in log.events
        if event_id == mark.event_id and mark.means(offset, publisher)
    ]


def _is_duplicate(result: AppendResult) -> bool:
    return isinstance(result, Stored) and result.duplicate


class SqliteInbox:
    """Implements Inbox.

    Args:
        engine: has the shards.
    """

    def __init__(self, engine: SqliteEngine) -> None:
        self._engine = engine

    async def mark(self, marks: Sequence[Mark], now_ms: int) -> list[AppendResult]:
        """Store receipts; each shard's in one transaction."""
        parts: dict[int, list[int]] = {}
        for index, mark in enumerate(marks):
            parts.setdefault(self._engine.shard_of(mark.topic), []).append(index)
        answers = await asyncio.gather(
            *(
                self._mark(shard, [marks[index] for index in indexes], now_ms)
                for shard, indexes in parts.items()
            )
        )
        results: dict[int, AppendResult] = {}
        for indexes, answer in zip(parts.values(), answers, strict=True):
            results.update(zip(indexes, answer, strict=True))
        return [results[index] for index in range(len(marks))]

    async def _mark(self, shard: int, marks: Sequence[Mark], now_ms: int) -> Sequence[AppendResult]:
        ids: dict[str, dict[str, None]] = {}
        for mark in marks:
            ids.setdefault(mark.topic, {})[mark.event_id] = None
        try:
            # One look each: other readers of the shard have their turns in between.
            spoken = {
                topic: await self._engine.look(shard, partial(_look, topic, tuple(of_topic)))
                for topic, of_topic in ids.items()
            }
            return await self._engine.operate(shard, StoreReceipts(marks, spoken, now_ms))
        except HubError as error:
            return [error] * len(marks)


def _look(topic: str, event_ids: Sequence[str], reader: ShardReader) -> Spoken:
    return look_for(reader.connection, topic, event_ids)
