"""Receipts in a SQLite engine: looked up and stored by one operation per shard and call."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hub.engine.contract import AppendResult, Stored
from hub.engine.sqlite.removal import Place, Withdraw
from hub.errors import HubError, event_unknown
from hub.model.events import NORMAL, Append
from hub.model.receipts import STATES, WITHDRAWN, receipt_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.engine.sqlite.engine import SqliteEngine
    from hub.engine.sqlite.operation import Work
    from hub.model.receipts import Mark

# Topics of people are short (namespaces.INBOX): one walk serves all marks of a call.
_EVENTS: Final = (
    "SELECT event_id, offset, publisher FROM event WHERE topic_id = ? AND offset > ? "
    "ORDER BY offset"
)


@dataclass(frozen=True, slots=True)
class StoreReceipts:
    """Stores the receipts of one shard."""

    marks: Sequence[Mark]
    now_ms: int

    @property
    def topics(self) -> Sequence[str]:
        """Where the events and their receipts lie."""
        return tuple(dict.fromkeys(mark.topic for mark in self.marks))

    def run(self, work: Work) -> list[AppendResult]:
        """One result each."""
        logs = {name: _Log(work, name) for name in self.topics}
        return [self._store(work, logs[mark.topic], mark) for mark in self.marks]

    def _store(self, work: Work, log: _Log, mark: Mark) -> AppendResult:
        places = [
            Place(mark.topic, offset, mark.event_id)
            for offset, publisher in log.events.get(mark.event_id, ())
            if not mark.only_own or publisher == mark.publisher
        ]
        if not places or mark.event_id.startswith("~"):
            return event_unknown(mark.topic, mark.event_id)
        if mark.state == WITHDRAWN:
            Withdraw(places).run(work)
        for state in STATES:
            known = log.events.get(receipt_id(mark.event_id, state))
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
            log.add(receipt_id(mark.event_id, mark.state), result.offset, mark.publisher)
        return result


class _Log:
    """The ids of a topic's events, each with offset and publisher."""

    def __init__(self, work: Work, name: str) -> None:
        topic = work.topic(name)
        self.events: dict[str, list[tuple[int, str]]] = {}
        for event_id, offset, publisher in work.connection.execute(
            _EVENTS, (topic.id, topic.floor)
        ):
            self.add(event_id, offset, publisher)

    def add(self, event_id: str, offset: int, publisher: str) -> None:
        """Take note of one more event."""
        self.events.setdefault(event_id, []).append((offset, publisher))


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
        try:
            return await self._engine.operate(shard, StoreReceipts(marks, now_ms))
        except HubError as error:
            return [error] * len(marks)
