"""What waits in a writer's queue, and what the writer answers. No threads and no loop in here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, Protocol

from hub.engine.contract import AppendResult, NotAttempted, TopicHead
from hub.errors import HubError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hub.engine.sqlite.topics import Trimmed, Withdrawn
    from hub.model.events import Append


class Weight(NamedTuple):
    """What a request costs the transaction that carries it out, at most, about.

    Attributes:
        rows: that it looks at or changes, one by one.
        size: bytes of bodies that wait with it in memory.
    """

    rows: int = 1
    size: int = 0


LIGHT: Final = Weight()


@dataclass(frozen=True, slots=True)
class Publish:
    """The drafts of one publish call that belong to one shard.

    ``size`` is the sum of their bodies, in bytes.
    """

    appends: Sequence[Append]
    size: int

    @property
    def weight(self) -> Weight:
        """A row for each draft."""
        return Weight(len(self.appends), self.size)


@dataclass(frozen=True, slots=True)
class Open:
    """Ask for a topic's head, in line with the commits."""

    topic: str
    weight: ClassVar = LIGHT


class Operable(Protocol):
    """What the queue knows of an operation; the rest is in ``hub.engine.sqlite.operation``."""

    @property
    def topics(self) -> Sequence[str]:
        """Names of the topics that it works on."""

    @property
    def weight(self) -> Weight:
        """Always the same."""

    def run(self, work: Any) -> Any:
        """Do it, in the writer's thread."""


@dataclass(frozen=True, slots=True)
class Operate:
    """Run an operation in line with the commits, inside their transaction."""

    operation: Operable

    @property
    def weight(self) -> Weight:
        """The operation's."""
        return self.operation.weight


Request = Publish | Open | Operate


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A draft that got its place; ``prev`` is the offset before it, 0 = it is the first."""

    append: Append
    offset: int
    prev: int


@dataclass(frozen=True, slots=True)
class Published:
    """The answer to Publish: a result per draft, and the events that are new in the log."""

    results: list[AppendResult]
    events: list[NewEvent] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Operated:
    """The answer to Operate.

    Attributes:
        value: what the operation returned.
        events: what it put into logs.
        trimmed: topics whose floor it moved.
        withdrawn: events that it withdrew.
    """

    value: Any
    events: Sequence[NewEvent] = ()
    trimmed: Sequence[Trimmed] = ()
    withdrawn: Sequence[Withdrawn] = ()


Answer = Published | Operated | TopicHead | HubError


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch: one answer per request, in order.

    Attributes:
        answers: Published for a Publish; TopicHead for an Open and Operated for an Operate, or
            HubError for either.
        wrote: a transaction was committed.
        stored: number of events that are new.
        topics: names of the topics that got events.
        removed: content was taken out on purpose, so it must not linger in the write-ahead log.
        failure: why the storage refused, None when it did not.
    """

    answers: list[Answer]
    wrote: bool = False
    stored: int = 0
    topics: Sequence[str] = ()
    removed: bool = False
    failure: Exception | None = None


def doubt_all(appends: Sequence[Append], error_of: Callable[[str], HubError]) -> list[AppendResult]:
    """Results of a call whose commit may have happened: an error for each draft.

    None of them is NotAttempted, since each may be in the log.
    """
    return [error_of(append.topic) for append in appends]


def refuse_all(
    appends: Sequence[Append], error_of: Callable[[str], HubError]
) -> list[AppendResult]:
    """Results of a call of which nothing is stored: per topic one error, then NotAttempted."""
    failed: set[str] = set()
    results: list[AppendResult] = []
    for append in appends:
        results.append(NotAttempted() if append.topic in failed else error_of(append.topic))
        failed.add(append.topic)
    return results
