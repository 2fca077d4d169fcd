"""Receipts in a SQLite engine: looked up and stored by one operation per shard and call."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from hub.engine.contract import AppendResult, Stored
from hub.engine.sqlite.removal import Place, Withdraw
from hub.engine.sqlite.requests import Weight
from hub.engine.sqlite.spoken import Spoken, by_id, look_for
from hub.errors import HubError, event_unknown
from hub.model.events import NORMAL, Append
from hub.model.receipts import STATES, WITHDRAWN, receipt_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hub.engine.sqlite.engine import SqliteEngine
    from hub.engine.sqlite.operation import Work
    from hub.engine.sqlite.reader import ShardReader
    from hub.model.receipts import Mark

_Log: TypeAlias = "dict[str, list[tuple[int, str]]]"


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
        """A receipt for each, and the event that it may take out."""
        return Weight(2 * len(self.marks), sum(len(mark.body) for mark in self.marks))

    def run(self, work: Work) -> list[AppendResult]:
        """One result each."""
        logs = {
            name: by_id(work.connection, work.topic(name), self.spoken[name])
            for name in self.topics
        }
        return [self._store(work, logs[mark.topic], mark) for mark in self.marks]

    def _store(self, work: Work, log: _Log, mark: Mark) -> AppendResult:
        places = [
            Place(mark.topic, offset, mark.event_id)
            for offset, publisher in log.get(mark.event_id, ())
            if not mark.only_own or publisher == mark.publisher
        ]
        if not places or mark.event_id.startswith("~"):
            return event_unknown(mark.topic, mark.event_id)
        if mark.state == WITHDRAWN:
            Withdraw(places).run(work)
        for state in STATES:
            known = log.get(receipt_id(mark.event_id, state))
            if state >= mark.state and known:
                return Stored(work.topic(mark.topic).epoch, known[0][0], duplicate=True)
        result = work.append(
            Append(
                mark.topic,
                receipt_id(mark.event_id, mark.state),
                mark.publisher,
                mark.body,
                NORMAL,
                "",
                self.now_ms,
            )
        )
        if isinstance(result, Stored):
            receipt = (result.offset, mark.publisher)
            log.setdefault(receipt_id(mark.event_id, mark.state), []).append(receipt)
        return result


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
