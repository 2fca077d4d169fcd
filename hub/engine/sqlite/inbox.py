"""Receipts in a SQLite engine: looked up and stored by one operation per shard and call."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from hub.engine.contract import Stored
from hub.engine.inbox import MarkResult, Noted
from hub.engine.sqlite.failures import too_many_receipts
from hub.engine.sqlite.removal import Place, Withdraw
from hub.engine.sqlite.requests import Weight
from hub.engine.sqlite.spoken import (
    Found,
    Spoken,
    look_elsewhere,
    look_for,
    receipts_elsewhere,
    still_there,
)
from hub.errors import HubError, event_unknown
from hub.model.events import NORMAL, Append
from hub.model.receipts import STATES, WITHDRAWN, receipt_body, receipt_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hub.engine.sqlite.engine import SqliteEngine
    from hub.engine.sqlite.operation import Work
    from hub.engine.sqlite.reader import ShardReader
    from hub.model.receipts import Mark

# About what a receipt takes.
_RECEIPT_BYTES: Final = 300
# Receipts about events of other topics that one topic may hold. Those about its own are bounded by
# its events.
MAX_ELSEWHERE: Final = 4_000

Subject: TypeAlias = tuple[str, str]
"""Topic of the events, and topic of what is said of them."""


@dataclass(frozen=True, slots=True)
class StoreReceipts:
    """Stores the receipts of one shard.

    Attributes:
        marks: what is said; the receipts' topics are of this shard.
        spoken: what readers have found of it.
        clock: milliseconds since the epoch; read when this runs, so that no receipt is older than
            the batch that it is in: what was complete before stays so (G11).
        max_elsewhere: receipts about events of other topics that a topic may hold.
    """

    marks: Sequence[Mark]
    spoken: Mapping[Subject, Spoken]
    clock: Callable[[], int]
    max_elsewhere: int = MAX_ELSEWHERE

    @property
    def topics(self) -> Sequence[str]:
        """Where the receipts, and the events beside them, lie."""
        return tuple(dict.fromkeys(mark.home for mark in self.marks))

    @property
    def weight(self) -> Weight:
        """A receipt for each event that is meant, and the event that it may take out."""
        found = sum(len(_meant(mark, self.spoken[_subject(mark)])) for mark in self.marks)
        events = max(found, len(self.marks))
        return Weight(2 * events, _RECEIPT_BYTES * events)

    def run(self, work: Work) -> list[MarkResult]:
        """One result each."""
        elsewhere: dict[str, int] = {}
        logs = {
            subject: _Log(work, subject[1], spoken, self, elsewhere)
            for subject, spoken in self.spoken.items()
        }
        return [logs[_subject(mark)].store(mark) for mark in self.marks]


class _Log:
    """What is in a log of what a call speaks about, while its receipts are stored.

    ``elsewhere``: how many receipts about events of other topics each topic holds; counted once.
    """

    def __init__(
        self,
        work: Work,
        home: str,
        spoken: Spoken,
        call: StoreReceipts,
        elsewhere: dict[str, int],
    ) -> None:
        self._work = work
        self._home = home
        self._spoken = still_there(work.connection, work.topic(home), spoken)
        self._said = {one.event_id: one for one in self._spoken.receipts}
        self._now_ms, self._max = call.clock(), call.max_elsewhere
        self._elsewhere = elsewhere

    def store(self, mark: Mark) -> MarkResult:
        """Store what one mark says of the events that it means."""
        meant = _meant(mark, self._spoken)
        if not meant:
            return event_unknown(mark.topic, mark.event_id)
        if mark.state == WITHDRAWN:
            self._withdraw(meant)
        results = [self._one(mark, event) for event in meant]
        # What was refused, then what is new, counts before what was said before.
        return min(results, key=lambda one: isinstance(one, Stored) + _is_duplicate(one))

    def _one(self, mark: Mark, event: Found) -> MarkResult:
        """Store the receipt about one event."""
        offset, topic = event.offset, mark.topic if mark.elsewhere else ""
        for state in STATES:
            known = self._said.get(receipt_id(mark.event_id, offset, state, topic))
            if state >= mark.state and known is not None:
                own = (known.publisher, known.device) == (mark.publisher, mark.device)
                first = own and mark.device != ""
                return Noted(self._epoch, known.offset, duplicate=True, first=first)
        if mark.elsewhere:
            if self._kept_elsewhere() >= self._max:
                return too_many_receipts(self._home, self._max)
            self._elsewhere[self._home] += 1
        elif event.until_acknowledged:
            self._withdraw([event])
            mark = replace(mark, state=WITHDRAWN)
        name = receipt_id(mark.event_id, offset, mark.state, topic)
        body = receipt_body(mark, offset, self._now_ms)
        append = Append(self._home, name, mark.publisher, body, NORMAL, "", self._now_ms)
        # It is not in the log: where its id is known, a purge or retention has taken it, and those
        # who come later must still be told.
        self._work.forget(append)
        result = self._work.append(append)
        if not isinstance(result, Stored):
            return result
        self._said[name] = Found(name, result.offset, mark.publisher, mark.device)
        return Noted(result.epoch, result.offset, first=True)

    def _kept_elsewhere(self) -> int:
        kept = self._elsewhere.get(self._home)
        if kept is None:
            topic_id = self._work.topic(self._home).id
            kept = receipts_elsewhere(self._work.connection, topic_id)
            self._elsewhere[self._home] = kept
        return kept

    @property
    def _epoch(self) -> int:
        return self._work.topic(self._home).epoch

    def _withdraw(self, events: Sequence[Found]) -> None:
        places = [Place(self._home, event.offset, event.event_id) for event in events]
        Withdraw(places).run(self._work)


def _subject(mark: Mark) -> Subject:
    return mark.topic, mark.home


def _meant(mark: Mark, log: Spoken) -> list[Found]:
    """The events that a mark is about."""
    return [
        event
        for event in log.events
        if event.event_id == mark.event_id and mark.means(event.offset, event.publisher)
    ]


def _is_duplicate(result: MarkResult) -> bool:
    return isinstance(result, Stored) and result.duplicate


class SqliteInbox:
    """Implements Inbox.

    Args:
        engine: has the shards.
        max_elsewhere: receipts about events of other topics that a topic may hold.
    """

    def __init__(self, engine: SqliteEngine, max_elsewhere: int = MAX_ELSEWHERE) -> None:
        self._engine = engine
        self._max_elsewhere = max_elsewhere

    async def mark(self, marks: Sequence[Mark]) -> list[MarkResult]:
        """Store receipts; each shard's in one transaction."""
        parts: dict[int, list[int]] = {}
        for index, mark in enumerate(marks):
            parts.setdefault(self._engine.shard_of(mark.home), []).append(index)
        answers = await asyncio.gather(
            *(
                self._mark(shard, [marks[index] for index in indexes])
                for shard, indexes in parts.items()
            )
        )
        results: dict[int, MarkResult] = {}
        for indexes, answer in zip(parts.values(), answers, strict=True):
            results.update(zip(indexes, answer, strict=True))
        return [results[index] for index in range(len(marks))]

    async def _mark(self, shard: int, marks: Sequence[Mark]) -> Sequence[MarkResult]:
        ids: dict[Subject, dict[str, None]] = {}
        for mark in marks:
            ids.setdefault(_subject(mark), {})[mark.event_id] = None
        try:
            # One look each: other readers of the shard have their turns in between.
            spoken = {
                subject: await self._look(subject, tuple(of_subject))
                for subject, of_subject in ids.items()
            }
            operation = StoreReceipts(marks, spoken, self._engine.clock, self._max_elsewhere)
            return await self._engine.operate(shard, operation)
        except HubError as error:
            return [error] * len(marks)

    async def _look(self, subject: Subject, event_ids: Sequence[str]) -> Spoken:
        topic, home = subject
        find = partial(_find, topic, event_ids)
        found = await self._engine.look(self._engine.shard_of(topic), find)
        if topic == home:
            return found
        complete = partial(_complete, home, topic, found)
        return await self._engine.look(self._engine.shard_of(home), complete)


def _find(topic: str, event_ids: Sequence[str], reader: ShardReader) -> Spoken:
    return look_for(reader.connection, topic, event_ids)


def _complete(home: str, topic: str, found: Spoken, reader: ShardReader) -> Spoken:
    return look_elsewhere(reader.connection, home, topic, found)
