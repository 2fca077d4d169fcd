"""A session of this instance in a work subscription that another instance leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.session.session import Session

ROOM, OVERDUE = "room", "overdue"


@dataclass(slots=True, eq=False)
class Membership:
    """What a session has asked for, to be asked again of whoever leads next.

    Attributes:
        session: of this instance.
        name, pattern, ordered: of the work subscription.
        subject: whose session it is.
        max_outstanding: events that it may hold.
        lease_seconds: how long.
    """

    session: Session
    name: str
    pattern: str
    ordered: bool
    subject: str
    max_outstanding: int
    lease_seconds: float

    @property
    def key(self) -> tuple[str, str]:
        """Session and name."""
        return self.session.session_id, self.name


class NearSide:
    """What one session is given by the leader, and what it reports.

    Args:
        session: of this instance.
        tell: takes what the leader is to be told.
    """

    def __init__(self, session: Session, tell: Callable[..., None]) -> None:
        self._session = session
        self._tell = tell
        self._received = 0
        # The session counts frames of all leaders.
        self._before = session.work.given

    def join(self, work: str) -> None:
        """It takes part, over there."""
        session = self._session
        session.live_for.add(f"work {work}")
        session.work.join(work, lambda: self.report(work), lambda local: self._late(work, local))
        self.report(work)

    def leave(self, work: str) -> None:
        """It takes part no more."""
        self._session.live_for.discard(f"work {work}")
        self._session.work.leave(work)

    def deliver(self, work: str, frame: bytes, until: float, number: int) -> None:
        """It is given a frame."""
        self._received = number
        self._session.work.send(work, frame, until)
        self.report(work)

    def report(self, work: str) -> None:
        """Tell what it has received, and how much it may be given."""
        side = self._session.work
        taken = max(0, side.taken - self._before)
        self._tell(ROOM, self._session.session_id, self._received, side.room_for(work), taken)

    def _late(self, work: str, local: int) -> None:
        self._tell(OVERDUE, self._session.session_id, work, local - self._before)
