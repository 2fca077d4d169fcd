"""The sessions that take part in one work subscription, and what is sent to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hub.work.frames import delivery_frames, work_closed_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hub.errors import HubError
    from hub.work.items import Handover
    from hub.work.members import Members


class WorkSide(Protocol):
    """A session's part in all its work subscriptions (``hub.session.work_side``)."""

    @property
    def given(self) -> int:
        """Number of the last frame with deliveries that it was given."""

    @property
    def taken(self) -> int:
        """Number of the last frame with deliveries that its transport has taken."""

    def join(
        self, work: str, on_room: Callable[[], None], on_overdue: Callable[[int], None]
    ) -> None:
        """It takes part; called when it may be given more, and when a frame came too late."""

    def leave(self, work: str) -> None:
        """It takes part no more: what waits of it is not sent."""

    def room_for(self, work: str) -> int:
        """Bytes of deliveries that it may be given now."""

    def claim(self, work: str, size: int) -> None:
        """Events of so many bytes are being read for it; 0 = none."""

    def send(self, work: str, frame: bytes, until: float) -> None:
        """Queue a frame with deliveries, to be sent before ``until``."""


class WorkMember(Protocol):
    """A session, as a work subscription sees it.

    Attributes:
        session_id: names it.
        rights_until: seconds since the epoch.
        live_for: why its silence ends it.
    """

    session_id: str
    rights_until: float
    live_for: set[str]

    @property
    def work(self) -> WorkSide:
        """What it is given."""

    def send_control(self, frame: bytes) -> None:
        """Queue a control frame."""


class Audience(dict[str, WorkMember]):
    """Sessions by id.

    Args:
        work: name of the subscription.
        members: what the queue knows of them.
        wake: called when one that had no room may be given more.
        not_sent: called with a session and the number of a frame that came too late for it.
    """

    def __init__(
        self,
        work: str,
        members: Members,
        wake: Callable[[], None],
        not_sent: Callable[[str, int], None],
    ) -> None:
        super().__init__()
        self._work = work
        self._reason = f"work {work}"
        self._members = members
        self._wake = wake
        self._not_sent = not_sent

    def join(self, session: WorkMember) -> None:
        """It takes part from now on; it must show that it lives, or what it holds waits for it."""
        session_id = session.session_id
        self[session_id] = session
        session.live_for.add(self._reason)
        session.work.join(
            self._work,
            lambda: self._has_room(session_id),
            lambda frame: self._not_sent(session_id, frame),
        )

    def leave(self, session_id: str) -> None:
        """It takes part no more."""
        session = self.pop(session_id, None)
        if session is not None:
            session.live_for.discard(self._reason)
            session.work.leave(self._work)

    def look(self) -> None:
        """Tell the queue how much each may be given: more would only gather in the hub."""
        for session_id, session in self.items():
            member = self._members.get(session_id)
            if member is not None:
                member.room = session.work.room_for(self._work)
                member.taken = session.work.taken

    def claim(self, *, reading: bool) -> None:
        """Keep the room that is being read for from the session's other work subscriptions."""
        for session_id, session in tuple(self.items()):
            member = self._members.get(session_id)
            claimed = 0 if member is None or not reading else member.expected
            session.work.claim(self._work, claimed)

    def deliver(
        self, session_id: str, deliveries: Sequence[Handover]
    ) -> Iterator[tuple[list[str], int]]:
        """Send events to a session; gives the ids of each frame's deliveries, and its number."""
        session = self[session_id]
        for frame, inside in delivery_frames(self._work, deliveries):
            yield [one.delivery_id for one in inside], session.work.given + 1
            session.work.send(self._work, frame, min(one.until for one in inside))

    def dismiss(self, session_id: str, error: HubError) -> None:
        """Tell a member why it takes part no more."""
        self[session_id].send_control(work_closed_frame(self._work, error=error))

    def _has_room(self, session_id: str) -> None:
        member = self._members.get(session_id)
        if member is not None and member.room <= 0:
            self._wake()
