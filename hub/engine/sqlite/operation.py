"""Operations: work on a shard's tables in line with its commits, inside their transaction.

What is more than an append (a purge, a lease, the release of a scheduled draft) is an operation: it
waits in the writer's queue like a publish, so it has its place in the order of commits, and what it
answers is durable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from hub.engine.contract import Stored
from hub.engine.sqlite.dedup import forget, recall
from hub.engine.sqlite.topics import Trimmed, Withdrawn

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from hub.engine.contract import AppendResult
    from hub.engine.sqlite.judge import Judge
    from hub.engine.sqlite.requests import NewEvent, Weight
    from hub.engine.sqlite.topics import TopicState
    from hub.model.events import Append

ResultT_co = TypeVar("ResultT_co", covariant=True)


class Operation(Protocol[ResultT_co]):
    """What an operation does.

    Attributes:
        topics: all topics of this shard whose log it reads or changes.
        weight: how much of a batch it is; LIGHT for a few rows. Many rows are done in parts.
    """

    @property
    def topics(self) -> Sequence[str]:
        """Names of the topics that it works on."""

    @property
    def weight(self) -> Weight:
        """Counted against the bounds of a batch and of what may wait."""

    def run(self, work: Work) -> ResultT_co:
        """Do it, in the writer's thread; what it returns is handed to the caller after the commit.

        It may run more than once: when another request of its batch fails, each is tried alone.

        Raises:
            HubError: refused; nothing of what it did is kept, the rest of the batch is.
        """


class Work:
    """What an operation works with.

    Attributes:
        connection: inside a transaction; reads see what the batch has stored before.
        events: what ``append`` put into logs.
        trimmed: floors moved by ``move_floor``.
        withdrawn: what ``withdraw`` was told.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        topics: dict[str, TopicState],
        judge: Judge,
        write: Callable[[Sequence[NewEvent]], None],
    ) -> None:
        self.connection = connection
        self.events: list[NewEvent] = []
        self.trimmed: list[Trimmed] = []
        self.withdrawn: list[Withdrawn] = []
        self.touched: dict[str, None] = {}
        self._topics = topics
        self._judge = judge
        self._write = write

    def topic(self, name: str) -> TopicState:
        """The state of one of the operation's topics; to be changed by ``move_floor`` only."""
        return self._topics[name]

    def append(self, append: Append) -> AppendResult:
        """Store a draft as a publish would, with all its checks; its topic is one of ``topics``."""
        self._recall([append])
        published = self._judge.publish([append])
        self._write(published.events)
        self.events += published.events
        (result,) = published.results
        if isinstance(result, Stored) and published.events:
            self.touched[append.topic] = None
        return result

    def forget(self, append: Append) -> None:
        """Forget the id of a draft, so that ``append`` stores it even if it was stored before."""
        key = (self._topics[append.topic].id, append.publisher, append.event_id)
        forget(self.connection, key)
        self._judge.forget(key)

    def stored_before(self, appends: Sequence[Append]) -> list[AppendResult | None]:
        """What publishes of repeats would be answered; None = the draft's id is new.

        All in one call, since each may walk the logs of its topics.
        """
        self._recall(appends)
        return [self._judge.before(append) for append in appends]

    def _recall(self, appends: Sequence[Append]) -> None:
        judge = self._judge
        judge.learn(*recall(self.connection, self._topics, appends, judge.lifetime_ms))

    def withdraw(self, name: str, offsets: Sequence[int]) -> None:
        """Take note that these events were withdrawn; their rows were emptied by the operation."""
        self.withdrawn.append(Withdrawn(name, offsets))

    def move_floor(
        self, name: str, floor: int, floor_id: str, oldest_ms: int, *, more: bool = False
    ) -> None:
        """Take note that events up to ``floor`` are gone; their rows were deleted by the operation.

        Args:
            name: the topic.
            floor: offset of the newest event that is gone.
            floor_id: its id.
            oldest_ms: when the oldest kept event was published; 0 = none is kept.
            more: further parts follow; readers are told with the last (``on_trimmed``).
        """
        topic = self._topics[name]
        topic.floor, topic.floor_id, topic.oldest_ms = floor, floor_id, oldest_ms
        self.touched[name] = None
        self.trimmed.append(Trimmed(name, floor, oldest_ms, purged=True, more=more))
