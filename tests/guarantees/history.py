"""The recorded history of a run: what was published, what the log holds, what each subscriber saw.

A run writes it down without judging; the validators judge it afterwards without having been there.
Times are seconds of the recorder's monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from tests.guarantees.inbox import Inbox
from tests.guarantees.presence import Presence
from tests.guarantees.works import Works

if TYPE_CHECKING:
    from tests.guarantees.observed import Handed, Sample, Turn, Watch
    from tests.guarantees.removals import Purge, Removal
    from tests.guarantees.rights import Right


class Outcome(Enum):
    """How a publish ended for its caller."""

    PENDING = "pending"  # the call has not come back
    STORED = "stored"
    REFUSED = "refused"  # a typed refusal: the event must not be in the log
    SCHEDULED = "scheduled"  # the hub keeps it until it is due
    UNKNOWN = "unknown"  # the deadline passed: it may or may not be in the log


@dataclass(slots=True)
class Publish:
    """One call of publish.

    Attributes:
        client: name of the SDK client.
        topic: where to.
        id: idempotency key; a deliberate repeat has the id of the first.
        sequence: rises with each call of this client on this topic.
        called_at: when it was called.
        outcome: of the call.
        offset: of the receipt; 0 = none.
        epoch: of the receipt; 0 = none.
        duplicate: the hub said that the id had been stored before.
        reason: of the refusal; empty = none.
        ended_at: when the call came back; None = it has not.
        deliver_ms: when it is due, by the hub's clock, milliseconds since the epoch; 0 = at once.
        taken_back: whether the hub said that it took it back before it was due; None = its
            publisher has not asked, or got no answer.
        asked_back: its publisher has asked for that.
    """

    client: str
    topic: str
    id: str
    sequence: int
    called_at: float = 0.0
    outcome: Outcome = Outcome.PENDING
    offset: int = 0
    epoch: int = 0
    duplicate: bool = False
    reason: str = ""
    ended_at: float | None = None
    deliver_ms: int = 0
    taken_back: bool | None = None
    asked_back: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """One event as the log has it.

    Attributes:
        published_ms: by the hub's clock, milliseconds since the epoch; 0 = not recorded.
        expires_ms: end of its usefulness, by the same clock; 0 = never.
        key: later events of the same key supersede it; empty = none does.
        withdrawn: its content was taken out, and its end and its key with it.
    """

    offset: int
    id: str
    published_ms: int = 0
    expires_ms: int = 0
    key: str = ""
    withdrawn: bool = False


@dataclass(slots=True)
class Log:
    """A topic's log, read to its end after the run.

    Attributes:
        topic: its name.
        epoch: its identity.
        floor: everything up to here was trimmed; 0 = nothing.
        head: the offset given last.
        events: in the order in which the hub gave them.
        lost: epochs of logs whose file was taken away from the hub, as a disk that dies would.
    """

    topic: str
    epoch: int
    floor: int = 0
    head: int = 0
    events: list[Stored] = field(default_factory=list)
    lost: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event handed to the application.

    Attributes:
        transport: how it came: "connect", "listen", "poll".
        as_of_ms: the hub's clock when it made the frame; 0 = not known.
        expires_ms: end of its usefulness, by the same clock; 0 = never.
    """

    topic: str
    epoch: int
    offset: int
    id: str
    transport: str
    at: float = 0.0
    as_of_ms: int = 0
    expires_ms: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """A verdict of the hub: "ok", "gap", "reset" or "live".

    Attributes:
        epoch: of the log that it speaks of; 0 = a volatile topic.
        position: the subscriber stands here after it.
        lost: events lost at most, of a gap; None = not said.
    """

    topic: str
    kind: str
    epoch: int
    position: int
    transport: str
    lost: int | None = None
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Omitted:
    """A run that left events out and said so: `count` of those in (after, through].

    Attributes:
        count: None = the run began before the reader's place, so its count says nothing of the
            part that was new.
        expired: how many of them were past their time.
        as_of_ms: the hub's clock when it made the frame; 0 = not known.
        conflated: how many of them were superseded.
    """

    topic: str
    epoch: int
    after: int
    through: int
    count: int | None
    at: float = 0.0
    expired: int = 0
    as_of_ms: int = 0
    conflated: int = 0


@dataclass(frozen=True, slots=True)
class Reconnect:
    """A connection that was lost, and when the next one was in use."""

    lost_at: float
    back_at: float


@dataclass(frozen=True, slots=True)
class Claim:
    """A heartbeat that said `complete_as_of`.

    Attributes:
        as_of_ms: the claim, milliseconds since the epoch by the hub's clock.
        reached: for each topic of the session, by name: epoch and offset where the reader stood.
    """

    as_of_ms: int
    reached: dict[str, tuple[int, int]]


Word = Delivery | Told | Omitted


@dataclass(slots=True)
class Subscriber:
    """One reader, over all its connections.

    Attributes:
        name: of the reader.
        words: all that it was given, in the order in which it came.
        started: for each topic the offset after which it asked to begin; None = from the first
            verdict's position on (LATEST).
        owed: for each topic the offset up to which it had time to read.
        reconnects: of its connections.
        claims: what the hub said to be complete.
        conflates: topics in which it asked for the latest of each key only, while it lags.
        snapshots: topics that it began with a snapshot, and the head where that ended; None = it
            was not told yet.
    """

    name: str
    words: list[Word] = field(default_factory=list)
    started: dict[str, int | None] = field(default_factory=dict)
    owed: dict[str, int] = field(default_factory=dict)
    reconnects: list[Reconnect] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    conflates: set[str] = field(default_factory=set)
    snapshots: dict[str, int | None] = field(default_factory=dict)

    @property
    def deliveries(self) -> list[Delivery]:
        """The events, in the order in which they came."""
        return [word for word in self.words if isinstance(word, Delivery)]

    def of(self, topic: str) -> list[Word]:
        """The words about one topic."""
        return [word for word in self.words if word.topic == topic]


@dataclass(slots=True)
class History:
    """All that was recorded of a run.

    Attributes:
        publishes: all calls, in the order in which they were made.
        logs: by topic.
        subscribers: all readers.
        samples: what sessions cost; from inside the hub, as all that follows.
        turns: which topic went next, session by session, in order.
        handed: what was given to transports.
        watches: who noticed whose silence.
        presence: who was where, and what watchers were shown; from outside.
        works: what members of work subscriptions were handed, and what the hub confirmed to them.
        inbox: what devices and publishers said of events, and the receipts of that.
        removed: what operators, publishers and users had the hub take out.
        purges: of whole topics.
        rights: who might read and publish what, and when; empty = it was not written down.
        hub_clock: seconds to add to the recorder's clock for the hub's; None = not known.
    """

    publishes: list[Publish] = field(default_factory=list)
    logs: dict[str, Log] = field(default_factory=dict)
    subscribers: list[Subscriber] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    handed: list[Handed] = field(default_factory=list)
    watches: list[Watch] = field(default_factory=list)
    presence: Presence = field(default_factory=Presence)
    works: Works = field(default_factory=Works)
    inbox: Inbox = field(default_factory=Inbox)
    removed: list[Removal] = field(default_factory=list)
    purges: list[Purge] = field(default_factory=list)
    rights: list[Right] = field(default_factory=list)
    hub_clock: float | None = None

    @property
    def acknowledged(self) -> list[Publish]:
        """Publishes that the hub said it stored."""
        return [publish for publish in self.publishes if publish.outcome is Outcome.STORED]
