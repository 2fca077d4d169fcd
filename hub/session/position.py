"""Positions, not queues: what a session holds per subscribed topic."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from hub.errors import HubError

# A receiver that could take nothing for this long lags; a flush that finds the last frame still on
# its way is no lag yet.
LAG_SECONDS = 0.25
# A horizon that no offset reaches.
EVERYTHING = 1 << 62


class Receiver(Protocol):
    """A session, as a topic of the fan-out sees it."""

    @property
    def session_id(self) -> str:
        """Its name, for logs."""

    def offer(self, subscription: Subscription, now: float | None = None) -> None:
        """Send what a topic has, now or when sink and window allow."""

    def hasten(self, subscription: Subscription) -> None:
        """Something urgent has come into its topic, whose flush may be a moment away."""

    def send_control(self, frame: bytes) -> None:
        """Queue a control frame and send what may be sent."""

    def queue_control(self, frame: bytes) -> None:
        """Queue a control frame from inside ``next_frame``; it goes out before the next run."""

    def page_read(self, subscription: Subscription) -> None:
        """The read of the log that ``next_frame`` began is over, with a page or without."""

    def add_subscription(self, subscription: Subscription) -> None:
        """Start sending a topic."""

    def remove_subscription(self, topic: str) -> Subscription | None:
        """Stop sending a topic."""

    def join_in_flight(self, frames_in_flight: FramesInFlight) -> bool:
        """Have a flush told when the frame in flight is taken; False when there is none."""

    def abort(self, error: HubError | None) -> None:
        """End the session at once: it has failed."""


class FramesInFlight(Protocol):
    """The frames of a flush; told when a session's transport has taken one."""

    def taken(self) -> None:
        """One frame was taken by a transport."""


class PageOfLog(Protocol):
    """A page of the log that was read for a reader behind the ring; readers may share it.

    Attributes:
        begin: the page's runs begin behind this offset; above the reader's place where history was
            trimmed under it.
        through: the page accounts for everything up to here.
        oldest_ms: when the oldest kept event was published, as the page was read; 0 = none is kept.
    """

    begin: int
    through: int
    oldest_ms: int

    def frame(self, now_ms: int) -> bytes | None:
        """The page as a frame without what has expired by now; None when it moves nothing."""

    def withdraw(self, offsets: Container[int]) -> None:
        """Forget the content of events that were withdrawn after the page was read."""

    def begin_cursor(self, now_ms: int) -> bytes:
        """Resume token of ``begin``."""


class RunSource(Protocol):
    """One topic of the fan-out, as a session sees it."""

    @property
    def name(self) -> str:
        """The topic."""

    def next_frame(self, subscription: Subscription, now_ms: int) -> bytes | None:
        """The next serialized ServerFrame for a subscription, moving its position.

        None when nothing is waiting; or when a control frame was queued that goes first; or when
        a page of the log must be read first (``subscription.reading``): then the source calls the
        session's ``page_read``.
        """

    def needs_log(self, subscription: Subscription) -> bool:
        """Whether the next frame must be read from the log before it can be made."""

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
        snapshot_to: up to this offset only the latest event of each key is sent; 0 = no snapshot.
        page: a page read from the log that waits for its turn; one per session at most.
        reading: a read of the log is under way.
        purges: how many purges of the topic it has been told of.
        ended: nothing of it may be sent any more.
        on_failed: called when its topic has ended it, since the log could not be read.
    """

    __slots__ = (
        "behind_since",
        "conflate",
        "ended",
        "epoch",
        "offset",
        "on_failed",
        "page",
        "purges",
        "reading",
        "rights_until",
        "session",
        "slot",
        "snapshot_to",
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
        self.page: PageOfLog | None = None
        self.reading = False
        self.purges = 0
        self.snapshot_to = 0
        self.ended = False
        self.on_failed: Callable[[], None] | None = None

    def horizon(self, now_ms: int) -> int:
        """Up to which offset a later event of its key may stand for an earlier one; 0 = none may.

        A snapshot ends at the head that its reader was told: what comes after that is left out only
        while the reader lags, and has asked for it.
        """
        if self.conflate and now_ms / 1000 - self.behind_since > LAG_SECONDS:
            return EVERYTHING
        return self.snapshot_to if self.offset < self.snapshot_to else 0
