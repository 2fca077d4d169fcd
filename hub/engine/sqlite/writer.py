"""The writer of one shard file: ``commit`` takes a batch and says what became of it.

It knows no thread and no loop. Heads are worked on as copies and taken over after the commit, so a
failed transaction leaves nothing to restore.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from hub.engine.sqlite.database import CommitFailed, writing
from hub.engine.sqlite.dedup import recall
from hub.engine.sqlite.failures import faulty, is_storage_failure, outcome_unknown, storage_failed
from hub.engine.sqlite.judge import Judge
from hub.engine.sqlite.operation import Work
from hub.engine.sqlite.requests import (
    Answer,
    NewEvent,
    Open,
    Operate,
    Operated,
    Outcome,
    Publish,
    Published,
    Request,
    doubt_all,
    refuse_all,
)
from hub.engine.sqlite.scheduled import AddScheduled
from hub.engine.sqlite.sizes import Sizes
from hub.engine.sqlite.storing import drafts_wait, store, take_back_stored
from hub.engine.sqlite.topics import TopicState, TopicTable
from hub.errors import HubError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from hub.engine.sqlite.requests import Operable

_logger: Final = structlog.get_logger(__name__)

PAGE_BYTES: Final = 4096


class ShardWriter:
    """Stores drafts in one shard file.

    Args:
        connection: from ``connect_writer``, with the schema prepared; nobody else uses it.
        shard: number of the shard, for errors and logs.
        dedup_lifetime_ms: how long ids are remembered.
    """

    def __init__(self, connection: sqlite3.Connection, shard: int, dedup_lifetime_ms: int) -> None:
        self.connection = connection
        self.topics = TopicTable(connection)
        self.sizes = Sizes()
        self.written_pages = 0  # about, since the start, rather too many; for the checkpointer
        self._pages = 0  # those of a transaction under way included
        self._shard = shard
        self._lifetime_ms = dedup_lifetime_ms
        # Whether drafts for later may wait; hubs without any need not look with each commit.
        self._drafts_wait: bool | None = None

    def commit(self, batch: Sequence[Request]) -> Outcome:
        """Judge and store a batch in one transaction; what is answered Stored is durable.

        Never raises for a draft's or the disk's sake. When the storage fails before the commit,
        nothing of the batch is stored; when the commit itself fails, that cannot be told
        (OUTCOME_UNKNOWN). When something unforeseen fails, each request is tried alone, so that it
        harms only its own.
        """
        try:
            return self._commit(batch)
        except CommitFailed as error:
            _logger.exception("commit_in_doubt", shard=self._shard, requests=len(batch))
            return self._doubt(batch, error)
        except Exception as error:
            if is_storage_failure(error):
                _logger.exception("storage_failed", shard=self._shard, requests=len(batch))
                return self._refuse(batch, partial(storage_failed, self._shard, error), error)
            _logger.exception("commit_failed", shard=self._shard, requests=len(batch))
            if len(batch) == 1:
                return self._refuse(batch, partial(faulty, self._shard))
        return _joined([self.commit([request]) for request in batch])

    def probe(self, now_ms: int) -> None:
        """Write and sync something small. Raises: sqlite3.Error when the storage still fails."""
        with writing(self.connection):
            self.connection.execute("UPDATE meta SET value = ? WHERE key = 'probed'", (now_ms,))

    def _commit(self, batch: Sequence[Request]) -> Outcome:
        if self._drafts_wait is None:
            # Not later: a transaction that fails would bring back what it had released.
            self._drafts_wait = drafts_wait(self.connection)
        topics = self.topics.working(_names(batch))
        drafts = [
            append
            for request in batch
            if isinstance(request, Publish)
            for append in request.appends
        ]
        known, unasked = recall(self.connection, topics, drafts, self._lifetime_ms)
        judge = Judge(topics, known, unasked, self._lifetime_ms)
        if any(isinstance(request, Operate) for request in batch):
            commit = self._commit_operations
        else:
            commit = self._commit_publishes
        try:
            outcome = commit(batch, topics, judge)
        except CommitFailed:
            self.topics.forget(topics.values())
            raise
        self.topics.accept(topic for topic in topics.values() if topic.stored)
        # Not before: a checkpoint beside a slow commit would take its pages for moved.
        self.written_pages = self._pages
        self.sizes.refresh()
        return outcome

    def _commit_publishes(
        self, batch: Sequence[Request], topics: dict[str, TopicState], judge: Judge
    ) -> Outcome:
        """The common case: judge everything in memory, then write what was accepted."""
        answers: list[Answer] = []
        events: list[NewEvent] = []
        for request in batch:
            if isinstance(request, Publish):
                published = judge.publish(request.appends)
                answers.append(published)
                events += published.events
            elif isinstance(request, Open):
                answers.append(topics[request.topic].public())
        if events:
            with writing(self.connection):
                self._write(events, topics)
        return Outcome(
            answers,
            wrote=bool(events),
            stored=len(events),
            topics=list(dict.fromkeys(event.append.topic for event in events)),
        )

    def _commit_operations(
        self, batch: Sequence[Request], topics: dict[str, TopicState], judge: Judge
    ) -> Outcome:
        """One request after the other in one transaction, so that operations see what came before.

        What an operation appends gets its offset at its place in the batch.
        """
        answers: list[Answer] = []
        events: list[NewEvent] = []
        touched: dict[str, None] = {}
        with writing(self.connection):
            for request in batch:
                if isinstance(request, Open):
                    answers.append(topics[request.topic].public())
                    continue
                answer = (
                    judge.publish(request.appends)
                    if isinstance(request, Publish)
                    else self._operate(request.operation, topics, judge)
                )
                if isinstance(answer, Published):
                    self._write(answer.events, topics)
                if isinstance(answer, Published | Operated):
                    events += answer.events
                    touched.update((event.append.topic, None) for event in answer.events)
                answers.append(answer)
        operated = [answer for answer in answers if isinstance(answer, Operated)]
        return Outcome(
            answers,
            wrote=True,
            stored=len(events),
            topics=list(touched),
            removed=any(answer.withdrawn or answer.trimmed for answer in operated),
        )

    def _operate(
        self, operation: Operable, topics: dict[str, TopicState], judge: Judge
    ) -> Operated | HubError:
        before = {name: topics[name].copy() for name in operation.topics}
        work = Work(self.connection, topics, judge, lambda events: self._write(events, topics))
        if isinstance(operation, AddScheduled):
            self._drafts_wait = True
        rows = self.connection.total_changes
        self.connection.execute("SAVEPOINT operation")
        try:
            value = operation.run(work)
        except HubError as refusal:
            self.connection.execute("ROLLBACK TO operation")
            self.connection.execute("RELEASE operation")
            judge.undo(work.events)
            topics.update(before)
            return refusal
        # Not after other failures: SQLite may have undone the transaction, savepoint and all.
        self.connection.execute("RELEASE operation")
        self.topics.write(topics[name] for name in work.touched)
        # As for events, and its own bodies. What it copies from row to row is not known here; the
        # checkpointer sees the log grow.
        rows = self.connection.total_changes - rows
        self._pages += 1 + 3 * rows + operation.weight.size // PAGE_BYTES
        return Operated(value, work.events, work.trimmed, work.withdrawn)

    def _write(self, events: Sequence[NewEvent], topics: dict[str, TopicState]) -> None:
        """Put new events, their ids and their topics into the open transaction.

        Drafts for later that have these ids are published with this, and wait no longer.
        """
        if not events:
            return
        changed = dict.fromkeys(event.append.topic for event in events)
        self.topics.write(topics[name] for name in changed)
        store(self.connection, topics, events)
        if self._drafts_wait:
            self._pages += 3 * take_back_stored(self.connection, events)
        # Per event a leaf of the offsets, one of the ids, its share of the table; per topic a row.
        body_bytes = sum(len(e.append.body) for e in events)
        self._pages += 3 * len(events) + body_bytes // PAGE_BYTES + len(changed)

    def _refuse(
        self,
        batch: Sequence[Request],
        why: Callable[[str], HubError],
        failure: Exception | None = None,
    ) -> Outcome:
        """Answer without writing. A topic whose head is in memory can still be opened."""
        answers: list[Answer] = []
        for request in batch:
            if isinstance(request, Publish):
                answers.append(Published(refuse_all(request.appends, why)))
            elif isinstance(request, Operate):
                answers.append(why(""))
            else:
                topic = self.topics.cached(request.topic)
                answers.append(why(request.topic) if topic is None else topic.public())
        return Outcome(answers, failure=failure)

    def _doubt(self, batch: Sequence[Request], failure: CommitFailed) -> Outcome:
        """Answer that the batch may be stored or not."""
        unknown = partial(outcome_unknown, self._shard, f"the commit failed ({failure})")
        answers: list[Answer] = []
        for request in batch:
            if isinstance(request, Publish):
                answers.append(Published(doubt_all(request.appends, unknown)))
            elif isinstance(request, Operate):
                answers.append(unknown(""))
            else:
                answers.append(storage_failed(self._shard, failure, request.topic))
        return Outcome(answers, failure=failure)


def _names(batch: Sequence[Request]) -> list[str]:
    names: list[str] = []
    for request in batch:
        if isinstance(request, Open):
            names.append(request.topic)
        elif isinstance(request, Operate):
            names.extend(request.operation.topics)
        else:
            names.extend(append.topic for append in request.appends)
    return names


def _joined(outcomes: Sequence[Outcome]) -> Outcome:
    return Outcome(
        [answer for outcome in outcomes for answer in outcome.answers],
        wrote=any(outcome.wrote for outcome in outcomes),
        stored=sum(outcome.stored for outcome in outcomes),
        topics=[topic for outcome in outcomes for topic in outcome.topics],
        removed=any(outcome.removed for outcome in outcomes),
        failure=next((one.failure for one in reversed(outcomes) if one.failure is not None), None),
    )
