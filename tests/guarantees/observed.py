"""What was seen inside a hub, where a run can look: what it held, sent, and noticed.

Subscribers cannot tell these things from outside; the simulation writes them down.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """What one session cost its hub at one moment.

    Attributes:
        session: its name.
        at: seconds.
        in_flight: bytes given to the transport and not reported as handled.
        parked: bytes of frames that wait in the session itself.
        bound: bytes that both together may reach.
        stall: 0 while the client reads; else the number of its stall, counting from 1.
        window: bytes in flight from which on data stops; 0 = not recorded.
    """

    session: str
    at: float
    in_flight: int
    parked: int
    bound: int
    stall: int = 0
    window: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A topic that has something for a session; `priority` counts from 1, CRITICAL, to 4, LOW."""

    topic: str
    priority: int


@dataclass(frozen=True, slots=True)
class Turn:
    """One decision of a session: which topic goes next.

    Attributes:
        session: its name.
        waiting: all topics that could have gone, the chosen one with them.
        chosen: the topic that goes.
        window_open: whether data may be sent; in a full window only CRITICAL may pass.
        place: number of the subscription, new with each subscribe.
        after: where the frame's run begins; None = the topic had to be read from the log first.
        through: where it ends.
    """

    session: str
    waiting: tuple[Waiting, ...]
    chosen: str
    window_open: bool = True
    place: int = 0
    after: int | None = None
    through: int = 0


@dataclass(frozen=True, slots=True)
class Handed:
    """One event given to the transport.

    Attributes:
        session: whose.
        topic: of the event.
        id: of the event.
        at_ms: the hub's clock, milliseconds since the epoch.
        expires_ms: end of the event's usefulness; 0 = never.
        principal: whose session; empty = not recorded.
    """

    session: str
    topic: str
    id: str
    at_ms: int
    expires_ms: int = 0
    principal: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """One side's watch over the other, from the last that it heard to its own end.

    Attributes:
        side: "hub" or "client".
        peer: whom it watched.
        interval: of heartbeats, in seconds.
        heard_at: when it last heard of the peer.
        until: when it held the peer for dead, or when the watch ended for another reason.
        noticed: whether it held the peer for dead.
        grain: seconds between two looks; 0 = it looks in time.
    """

    side: str
    peer: str
    interval: float
    heard_at: float
    until: float
    noticed: bool
    grain: float = 0.0
