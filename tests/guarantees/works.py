"""What a run knows of work subscriptions: who was handed what, and what the hub confirmed."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Handout:
    """One event in the hands of a member.

    Attributes:
        work: name of the work subscription.
        topic: of the event.
        offset: of the event.
        id: of the event.
        attempt: as the hub told it.
        member: who got it.
        at: when the member's application got it.
        confirmed_at: when the hub had confirmed the acknowledgement; None = it has not.
    """

    work: str
    topic: str
    offset: int
    id: str
    attempt: int
    member: str
    at: float
    confirmed_at: float | None = None


@dataclass(slots=True)
class Works:
    """All of a run.

    Attributes:
        handouts: in the order in which members got them.
        owed: by work subscription and topic: it began before the topic's first event, and its
            members had time for everything up to this offset.
    """

    handouts: list[Handout] = field(default_factory=list)
    owed: dict[tuple[str, str], int] = field(default_factory=dict)
