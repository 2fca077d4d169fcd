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
        at: when the member's application got it; in a simulation, when the hub let it go.
        confirmed_at: when the hub had confirmed the acknowledgement; None = it has not.
        taken: the member's application got it.
        said: what the member said of it last: "ack", "nack" or "reject"; empty = nothing, or it
            was not recorded.
        said_at: when it began to say so.
        delay: seconds after which it was to come again, of a "nack".
        returned_at: when the hub had confirmed a "nack"; None = it has not.
        rejected_at: when it had confirmed a "reject"; None = it has not.
    """

    work: str
    topic: str
    offset: int
    id: str
    attempt: int
    member: str
    at: float
    confirmed_at: float | None = None
    taken: bool = True
    said: str = ""
    said_at: float = 0.0
    delay: float = 0.0
    returned_at: float | None = None
    rejected_at: float | None = None

    @property
    def is_over(self) -> bool:
        """The event need not come again: its end was said, whether that was confirmed or not."""
        return self.said in ("ack", "reject")


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: the event that it is about, and why it is dead.

    Attributes:
        work: name of the work subscription.
        topic: of the event.
        offset: of the event.
        id: of the event.
        attempts: how often it was handed out.
        reason: without its prefix.
    """

    work: str
    topic: str
    offset: int
    id: str
    attempts: int
    reason: str


@dataclass(slots=True)
class Works:
    """All of a run.

    Attributes:
        handouts: in the order in which members got them.
        owed: by work subscription and topic: it began before the topic's first event, and its
            members had time for everything up to this offset.
        letters: all dead letters, read at the end; None = they were not read, nor was written down
            what members said but acknowledgements.
    """

    handouts: list[Handout] = field(default_factory=list)
    owed: dict[tuple[str, str], int] = field(default_factory=dict)
    letters: list[Letter] | None = None
