"""A session's part in work subscriptions: what it may be given, and what waits for its turn.

The room of a session (its window, and one event beyond) is shared by all its work subscriptions.
One that reads events for it claims room first, since what does not fit then was read in vain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from hub.session.deliveries import UNWINDOWED_BYTES, DeliveryQueue

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.session.window import ByteWindow


class Host(Protocol):
    """The session, as its work side sees it.

    Attributes:
        window: what may be in flight.
    """

    window: ByteWindow

    @property
    def control_backlog(self) -> int:
        """Control frames that the transport has not taken yet."""

    @property
    def closed(self) -> bool:
        """Whether nothing more is sent."""

    def pump(self) -> None:
        """Send what may be sent."""


@dataclass(slots=True)
class Membership:
    """One work subscription of a session.

    Attributes:
        on_room: called when it may be given more.
        on_overdue: called with the number of a frame that was dropped, since it was too late.
        claim: bytes of room that it is reading events for.
    """

    on_room: Callable[[], None]
    on_overdue: Callable[[int], None]
    claim: int = 0


class WorkSide:
    """All memberships of one session.

    Args:
        session: whose they are.
    """

    __slots__ = ("_claimed", "_memberships", "_queue", "_session")

    def __init__(self, session: Host) -> None:
        self._session = session
        self._queue = DeliveryQueue()
        self._claimed = 0
        # The one that was given something last is told last.
        self._memberships: dict[str, Membership] = {}

    @property
    def waiting(self) -> bool:
        """Whether deliveries wait for their turn."""
        return bool(self._queue)

    @property
    def given(self) -> int:
        """Number of the last frame that it was given."""
        return self._queue.given

    @property
    def taken(self) -> int:
        """Number of the last frame that went to the transport."""
        return self._queue.taken

    def __len__(self) -> int:
        return len(self._memberships)

    def join(
        self, work: str, on_room: Callable[[], None], on_overdue: Callable[[int], None]
    ) -> None:
        """It takes part in a work subscription, or does so already; see ``Membership``."""
        if work in self._memberships:
            return
        self._memberships[work] = Membership(on_room, on_overdue)

    def leave(self, work: str) -> None:
        """It takes part no more: what waits of it is not sent."""
        membership = self._memberships.pop(work, None)
        if membership is not None:
            self._claimed -= membership.claim
            self._queue.drop(work)
            self.tell_room()

    def room_for(self, work: str) -> int:
        """Bytes that one work subscription may give it now, beside what others claim (G7)."""
        session = self._session
        if session.control_backlog or self._queue:
            return 0
        room = session.window.room if session.window.size else UNWINDOWED_BYTES
        membership = self._memberships.get(work)
        others = self._claimed - (membership.claim if membership is not None else 0)
        return max(0, room - others)

    def claim(self, work: str, size: int) -> None:
        """Events of so many bytes are being read for it; 0 = none are, others may have the room."""
        membership = self._memberships.get(work)
        if membership is None or membership.claim == size:
            return
        less = size < membership.claim
        self._claimed += size - membership.claim
        membership.claim = size
        if less:
            self.tell_room()

    def send(self, work: str, frame: bytes, until: float) -> None:
        """Queue a frame with deliveries, for when the window is open.

        Args:
            work: whose they are.
            frame: a serialized ServerFrame.
            until: not to be sent at or after this time, seconds since the epoch.
        """
        if self._session.closed:
            return
        if work in self._memberships:
            self._memberships[work] = self._memberships.pop(work)
        self._queue.put(work, frame, until)
        self._session.pump()

    def ready(self, now: float) -> bool:
        """Whether a frame may go now; those that are too late are dropped, and their works told."""
        if not self._queue or not self._session.window.open:
            return False
        overdue = self._queue.drop_overdue(now)
        for number, work in overdue:
            membership = self._memberships.get(work)
            if membership is not None:
                membership.on_overdue(number)
        if overdue and not self._queue:
            self.tell_room()
        return bool(self._queue)

    def has_turn(self, *, runs: bool, critical: bool) -> bool:
        """As in ``DeliveryQueue``."""
        return self._queue.has_turn(runs=runs, critical=critical)

    def take(self) -> bytes:
        """The next frame goes to the transport; call ``tell_room`` when it has."""
        frame = self._queue.take()
        self._session.window.on_sent(len(frame))
        return frame

    def passed(self) -> None:
        """Runs went instead."""
        self._queue.passed()

    def clear(self) -> None:
        """Nothing more is sent."""
        self._queue.clear()

    def tell_room(self) -> None:
        """Tell those that may be given more, one after the other: the first that reads claims."""
        for work, membership in tuple(self._memberships.items()):
            if self.room_for(work):
                membership.on_room()
