"""What a work queue holds, and what it asks its shell to do."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hub.engine.work import Ruling

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hub.engine.work import Settlement

# Bytes that may be open at one member, unless it holds nothing: it must keep them all.
MAX_MEMBER_BYTES = 4 * 1024 * 1024


class Phase(enum.Enum):
    """Where an open event is."""

    WAITING = "waiting for its time and for a member"
    TAKING = "its next attempt is being written down"
    READY = "its attempt is written down, no member has it yet"
    LEASED = "a member has it"
    SETTLING = "a ruling on it is being written down"


@dataclass(slots=True, eq=False)
class Item:
    """An open event; times in seconds since the epoch.

    Attributes:
        shard, ref: name it in the register.
        topic, offset: its place in its log.
        attempts: how often it was handed out, this time included.
        not_before: while WAITING: not to be handed out before.
        phase: where it is.
        data: the serialized event, while READY.
        expires_ms: while READY: not to be handed out at or after this time; 0 = never.
        uncounted: its last attempt does not count, since it reached no member or was given back:
            the next one is the same.
        lease: who has it, while LEASED; while SETTLING, who will have it again if that fails.
    """

    shard: int
    ref: int
    topic: str
    offset: int
    attempts: int = 0
    not_before: float = 0.0
    phase: Phase = Phase.WAITING
    data: bytes = b""
    expires_ms: int = 0
    uncounted: bool = False
    lease: Lease | None = None

    @property
    def counted(self) -> int:
        """Attempts that count."""
        return self.attempts - self.uncounted

    @property
    def given_to_nobody(self) -> bool:
        """Whether no member has been given its last attempt up to now."""
        if self.lease is not None:
            return not self.lease.seen
        return self.uncounted or self.phase is Phase.READY


@dataclass(slots=True, eq=False)
class Lease:
    """A member's hold on an event.

    Attributes:
        delivery_id: names it in acknowledgements.
        item: the event.
        member: who has it.
        deadline: when it ends, seconds since the epoch.
        size: bytes of the event.
        frame: number of the member's frame that carries it; infinite = it is not sent yet.
    """

    delivery_id: str
    item: Item
    member: Member
    deadline: float
    size: int
    frame: float = math.inf

    @property
    def seen(self) -> bool:
        """Whether the member's transport has taken it."""
        return self.frame <= self.member.taken


@dataclass(slots=True, eq=False)
class Member:
    """One session in the queue.

    Attributes:
        name: of the session.
        subject: whose acknowledgements count.
        max_outstanding: events that it may hold.
        lease_seconds: how long it may hold one without a word.
        leases: what it holds, by delivery id.
        size: bytes of what it holds.
        typical: bytes of an event that it is given, on average of late; 0 = it has had none.
        room: bytes that its session may be given now, the last event beyond it (G7, G8).
        taken: number of the last frame that its transport has taken.
    """

    name: str
    subject: str
    max_outstanding: int
    lease_seconds: float
    leases: dict[str, Lease] = field(default_factory=dict)
    size: int = 0
    typical: float = 0.0
    room: float = math.inf
    taken: int = 0

    @property
    def free(self) -> int:
        """How many more events it may be given."""
        if self.room <= 0:
            return 0
        if self.leases and self.size >= MAX_MEMBER_BYTES:
            return 0
        free = max(0, self.max_outstanding - len(self.leases))
        if self.typical and math.isfinite(self.room):
            # What does not fit would be read in vain.
            free = min(free, math.ceil(self.room / self.typical))
        return free

    @property
    def expected(self) -> int:
        """Bytes of the events that it may be given, at most its room."""
        free = self.free
        if not free or not math.isfinite(self.room):
            return 0
        return math.ceil(min(self.room, free * self.typical if self.typical else self.room))


@dataclass(frozen=True, slots=True)
class Handover:
    """One event on its way to a member.

    Attributes:
        delivery_id, deadline: of the lease.
        topic, attempt, expires_ms: of the event.
        data: the serialized event.
    """

    delivery_id: str
    topic: str
    attempt: int
    deadline: float
    expires_ms: int
    data: bytes

    @property
    def until(self) -> float:
        """Not to be sent at or after this time, seconds since the epoch."""
        return min(self.deadline, self.expires_ms / 1000) if self.expires_ms else self.deadline


@dataclass(frozen=True, slots=True)
class Deliver:
    """Effect: give events to a member."""

    member: str
    deliveries: Sequence[Handover]


@dataclass(frozen=True, slots=True)
class Take:
    """Effect: ask the register for events, and tell the answer to ``taken``.

    Attributes:
        shard, again, fresh, hand_out, uncounted: as in ``WorkStore.take``.
    """

    shard: int
    again: tuple[int, ...]
    fresh: int
    hand_out: bool
    uncounted: tuple[int, ...] = ()

    @property
    def reserved(self) -> int:
        """Events that it may bring for members."""
        return len(self.again) + (self.fresh if self.hand_out else 0)


@dataclass(frozen=True, slots=True)
class Settle:
    """Effect: have rulings written down, and tell the answer to ``settled``."""

    shard: int
    settlements: tuple[Settlement, ...]


# Of one Settle; the shard copies their bodies in one transaction, and each has up to 256 KiB.
MAX_DEAD = 16


def settles(shard: int, settlements: Sequence[Settlement]) -> Iterator[Settle]:
    """Rulings in parts that a shard can write down without holding others up for long."""
    begin = dead = 0
    for index, one in enumerate(settlements):
        dead += one.ruling is Ruling.DEAD
        if dead > MAX_DEAD:
            yield Settle(shard, tuple(settlements[begin:index]))
            begin, dead = index, 1
    if settlements:
        yield Settle(shard, tuple(settlements[begin:]))


Effect = Deliver | Take | Settle
