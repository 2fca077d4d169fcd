"""Positions, not queues: what a session holds per subscribed topic."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hub.errors import HubError


class Receiver(Protocol):
    """A session, as a topic of the fan-out sees it."""

    @property
    def session_id(self) -> str:
        """Its name, for logs."""

    def offer(self, subscription: Subscription, now: float | None = None) -> None:
        """Send what a topic has, now or when sink and window allow."""

    def send_control(self, frame: bytes) -> None:
        """Queue a control frame."""

    def add_subscription(self, subscription: Subscription) -> None:
        """Start sending a topic."""

    def remove_subscription(self, topic: str) -> Subscription | None:
        """Stop sending a topic."""

    def take_off(self, flight: Flight) -> bool:
        """Join a flush with the frame in flight; False when there is none, or it has joined one."""

    def abort(self, error: HubError | None) -> None:
        """End the session at once: it has failed."""


class Flight(Protocol):
    """A flush; it is told when a session's transport has taken the frame."""

    def landed(self) -> None:
        """One frame was given to the transport."""


class RunSource(Protocol):
    """One topic of the fan-out, as a session sees it."""

    @property
    def name(self) -> str:
        """The topic."""

    def next_frame(self, subscription: Subscription, now_ms: int) -> bytes | None:
        """The next serialized ServerFrame for a subscription, moving its position.

        None when nothing is waiting, or when it must be read from the log first; then the source
        offers the subscription to its session again once the page is there.
        """

    def waiting_priority(self, subscription: Subscription) -> int:
        """The highest priority (1 = CRITICAL) that waits for a subscription; 0 = caught up."""


class Subscription:
    """A session's place in one topic.

    Attributes:
        session: whose it is.
        source: the topic.
        slot: next slot of the topic's ring to send; None while the position lies before the ring.
        offset: everything up to here was sent, or counted.
        epoch: identity of the log.
        rights_until: seconds since the epoch after which nothing more may be sent.
        conflate: the client asked for only the latest event of each key while it lags.
        behind_since: when it first had to wait for its turn; infinity = never since it was last
            caught up.
        page: a frame read from the log, and the offset that it reaches.
        reading: a read of the log is under way.
        ended: nothing of it may be sent any more.
    """

    __slots__ = (
        "behind_since",
        "conflate",
        "ended",
        "epoch",
        "offset",
        "page",
        "reading",
        "rights_until",
        "session",
        "slot",
        "source",
    )

    def __init__(
        self,
        session: Receiver,
        source: RunSource,
        *,
        epoch: int,
        offset: int,
        slot: int | None,
        rights_until: float,
        conflate: bool = False,
    ) -> None:
        self.session = session
        self.source = source
        self.epoch = epoch
        self.offset = offset
        self.slot = slot
        self.rights_until = rights_until
        self.conflate = conflate
        self.behind_since = math.inf
        self.page: tuple[bytes, int] | None = None
        self.reading = False
        self.ended = False
