"""What devices of users, and publishers, said of events, and the receipts that logs have of it."""

from __future__ import annotations

from dataclasses import dataclass, field

READ, DISMISSED, WITHDRAWN = 1, 2, 3


@dataclass(slots=True)
class Said:
    """One statement about an event.

    Attributes:
        topic: of the event.
        id: of the event.
        offset: of the event.
        state: READ, DISMISSED or WITHDRAWN.
        device: who says so.
        done_at: when the hub had confirmed it; None = it has not, or has refused it.
        first: whether the hub said that this device was first; None = it tells no publisher.
    """

    topic: str
    id: str
    offset: int
    state: int
    device: str
    done_at: float | None = None
    first: bool | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt as the log has it.

    Attributes:
        topic: where it lies.
        at: its own offset.
        id: of the event that it is about.
        offset: of that event.
        state: as in Said.
        device: who said so.
    """

    topic: str
    at: int
    id: str
    offset: int
    state: int
    device: str


@dataclass(slots=True)
class Inbox:
    """All of a run.

    Attributes:
        said: in the order in which it was said.
        receipts: of the logs, read at the end.
        until_acknowledged: topics and ids of events that the first word withdraws.
    """

    said: list[Said] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    until_acknowledged: set[tuple[str, str]] = field(default_factory=set)
