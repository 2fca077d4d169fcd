"""The event loop's side of one shard: fills the writer's queue, takes outcomes over."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import structlog

from hub.engine.contract import AppendResult, TopicFeed, TopicHead
from hub.engine.sqlite.failures import outcome_unknown, overloaded, shard_unavailable
from hub.engine.sqlite.feeds import Feeds
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
from hub.engine.sqlite.thread import Waiting, WriterThread
from hub.errors import HubError

if TYPE_CHECKING:
    from hub.engine.sqlite.files import ShardFiles, ShardLock
    from hub.engine.sqlite.operation import Operation
    from hub.engine.sqlite.topics import Trimmed, Withdrawn
    from hub.engine.sqlite.watchers import Watchers
    from hub.model.events import Append

_logger: Final = structlog.get_logger(__name__)

MAX_WAITING_BYTES: Final = 64 * 1024 * 1024

_ResultT = TypeVar("_ResultT")
CommitObserver = Callable[[int, int, float], None]


class _Opening(asyncio.Future[Answer]):
    """The answer to an Open, with the feed to attach when it comes."""

    feed: TopicFeed | None = None


class Shard:
    """One shard owned by this process.

    Attributes:
        serving: whether the storage took the last write.
        on_commit: called with (shard, stored events, seconds) after each commit, for metrics.
        watchers: told of what was stored and trimmed, by pattern.
    """

    def __init__(self, index: int, files: ShardFiles, lock: ShardLock) -> None:
        self.index = index
        self.files = files
        self.serving = False
        self.on_commit: CommitObserver | None = None
        self.watchers: Watchers | None = None
        self._lock = lock
        self._feeds = Feeds()
        self._thread: WriterThread | None = None
        self._accepting = False
        self._waiting_bytes = 0
        self._accepted_ms: deque[int] = deque()

    def run(self, thread: WriterThread) -> None:
        """Start the writer's thread and serve."""
        self._thread = thread
        thread.start()
        self.serving = self._accepting = True

    def refuse(self) -> None:
        """Accept nothing new."""
        self._accepting = self.serving = False

    def close(self) -> None:
        """Finish what was accepted, empty the log into the file, free the lock.

        Blocks; not on the loop.
        """
        if self._thread is not None:
            self._thread.stop()
            connection = self._thread.writer.connection
            try:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.Error:
                # Nothing is lost: the next start reads the log.
                _logger.exception("checkpoint_failed", shard=self.index)
            connection.close()
        self._lock.release()

    def publish(self, appends: Sequence[Append]) -> Coroutine[Any, Any, list[AppendResult]]:
        """Put drafts in the queue, now; what is returned waits for their commit."""
        size = sum(len(append.body) for append in appends)
        waiting = self._waiting_bytes
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if self._is_too_much(size):
            future.set_result(
                Published(
                    refuse_all(appends, lambda topic: overloaded(self.index, waiting, topic=topic))
                )
            )
        else:
            self._ask(Publish(appends, size), future)
        return self._results(appends, future)

    async def _results(
        self, appends: Sequence[Append], future: asyncio.Future[Answer]
    ) -> list[AppendResult]:
        answer = await future
        if isinstance(answer, Published):
            return answer.results
        return refuse_all(appends, self.unavailable)

    async def operate(self, operation: Operation[_ResultT]) -> _ResultT:
        """Run an operation in line with the commits; what it answers is durable.

        When the caller is cancelled it may be carried out all the same.

        Raises:
            HubError: refused by the operation, or the shard is not here or its storage failed.
            ResourceExhausted: OVERLOADED: it has bodies, and too many wait already.
        """
        if self._is_too_much(operation.weight.size):
            raise overloaded(self.index, self._waiting_bytes, topic="")
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._ask(Operate(operation), future)
        answer = await future
        if isinstance(answer, Operated):
            value: _ResultT = answer.value
            return value
        raise answer if isinstance(answer, HubError) else self.unavailable("")

    async def open(self, topic: str, feed: TopicFeed) -> TopicHead:
        """Get the topic's head in line with the commits, and attach the feed at that very place.

        Raises: HubError when the shard is not here or its storage failed.
        """
        opening = _Opening(loop=asyncio.get_running_loop())
        opening.feed = feed
        try:
            self._ask(Open(topic), opening)
            answer = await opening
        except asyncio.CancelledError:
            # The answer may have come in the same turn of the loop; a feed that nobody closes must
            # not stay.
            self._feeds.detach(topic, feed)
            raise
        if isinstance(answer, TopicHead):
            return answer
        raise answer if isinstance(answer, HubError) else self.unavailable(topic)

    def stored_bytes(self, namespace: str) -> int:
        """Bytes of events that a namespace keeps here."""
        return self.sizes.get(namespace, 0)

    @property
    def sizes(self) -> Mapping[str, int]:
        """Bytes of events by namespace; empty where none counts."""
        return self._thread.writer.sizes.bytes if self._thread else {}

    def detach(self, topic: str, feed: TopicFeed) -> None:
        """Call the feed no more."""
        self._feeds.detach(topic, feed)

    def oldest_outstanding_ms(self) -> int | None:
        """Since when something is accepted or begun and not handed over; None = nothing is.

        A draft counts from its acceptance, which stands in its event, and not from its commit.
        """
        begun = self._thread.outstanding_ms if self._thread is not None else ()
        oldest = [waiting[0] for waiting in (begun, self._accepted_ms) if waiting]
        return min(oldest, default=None)

    def handed_over(self, batch: Sequence[Waiting], outcome: Outcome, seconds: float) -> None:
        """Answer the requests of a batch and feed its events, in the batch's order."""
        fresh: dict[str, list[NewEvent]] = {}
        trimmed: list[Trimmed] = []
        withdrawn: list[Withdrawn] = []
        for waiting, answer in zip(batch, outcome.answers, strict=True):
            if isinstance(answer, Published | Operated):
                for event in answer.events:
                    if self._feeds.wants(event.append.topic):
                        fresh.setdefault(event.append.topic, []).append(event)
            if isinstance(answer, Operated):
                trimmed += answer.trimmed
                withdrawn += answer.withdrawn
            elif isinstance(waiting.request, Open) and isinstance(answer, TopicHead):
                self._attach(waiting, waiting.request.topic, fresh)
            self._answer(waiting, answer)
        for topic, events in fresh.items():
            self._feeds.deliver(topic, events)
        self.trimmed(trimmed)
        for one in withdrawn:
            self._feeds.withdrawn(one.topic, one.offsets)
        self._taken_over(outcome, seconds)

    def _taken_over(self, outcome: Outcome, seconds: float) -> None:
        # Only now is everything of the batch handed over (complete_as_of).
        if self._thread is not None:
            self._thread.outstanding_ms.popleft()
        if self._accepting and (outcome.wrote or outcome.failure is not None):
            self.serving = outcome.failure is None
        if self.watchers is not None and outcome.topics:
            self.watchers.stored(self.index, outcome.topics, outcome.stored)
        if self.on_commit is not None and outcome.wrote:
            self.on_commit(self.index, outcome.stored, seconds)

    def trimmed(self, trimmed: Sequence[Trimmed]) -> None:
        """Tell the feeds of trimmed topics."""
        for one in trimmed:
            self._feeds.trimmed(one)
        if self.watchers is not None and trimmed:
            self.watchers.trimmed(self.index, [one.topic for one in trimmed])

    def serving_changed(self, *, serving: bool) -> None:
        """Take note of the storage's state."""
        self.serving = serving and self._accepting

    def ended(self, in_hand: Sequence[Waiting]) -> None:
        """Answer what the thread left behind; nothing, unless it died.

        What it had in hand it may have committed; the rest it has not seen.
        """
        self.refuse()
        for taken in in_hand:
            self._answer(taken, self._in_doubt(taken.request))
        left: list[Waiting] = []
        while self._thread is not None and not self._thread.waiting.empty():
            waiting = self._thread.waiting.get_nowait()
            if waiting is not None:
                left.append(waiting)
        for waiting in left:
            self._answer(waiting, self.unavailable(""))

    def _in_doubt(self, request: Request) -> Answer:
        if isinstance(request, Open):
            return self.unavailable(request.topic)
        unknown = partial(outcome_unknown, self.index, "its writer ended in the middle")
        if isinstance(request, Operate):
            return unknown("")
        return Published(doubt_all(request.appends, unknown))

    def _is_too_much(self, size: int) -> bool:
        """Whether bodies of so many bytes may not wait, too; what has none may always."""
        waiting = self._waiting_bytes
        return size > 0 and waiting > 0 and waiting + size > MAX_WAITING_BYTES

    def _ask(self, request: Request, future: asyncio.Future[Answer]) -> None:
        """Put a request in the queue; ``future`` gets its answer."""
        if not self._accepting or self._thread is None:
            topic = request.topic if isinstance(request, Open) else ""
            future.set_result(self.unavailable(topic))
            return
        self._waiting_bytes += request.weight.size
        if isinstance(request, Publish):
            # Answered in the order of the queue, so that the oldest is always the first.
            self._accepted_ms.append(min(append.published_ms for append in request.appends))
        self._thread.waiting.put(Waiting(request, future))

    def _attach(self, waiting: Waiting, topic: str, fresh: dict[str, list[NewEvent]]) -> None:
        """Attach the feed behind the events that came before it in the same batch."""
        future = waiting.answer
        if isinstance(future, _Opening) and future.feed is not None and not future.done():
            if events := fresh.pop(topic, ()):
                self._feeds.deliver(topic, events)
            self._feeds.attach(topic, future.feed)

    def _answer(self, waiting: Waiting, answer: Answer) -> None:
        self._waiting_bytes -= waiting.request.weight.size
        if isinstance(waiting.request, Publish):
            self._accepted_ms.popleft()
        if not waiting.answer.done():  # done: its caller was cancelled
            waiting.answer.set_result(answer)

    def unavailable(self, topic: str) -> HubError:
        """The error of everything that is asked while the shard is not open here."""
        return shard_unavailable(self.index, "it is not open here; try again", topic=topic)
