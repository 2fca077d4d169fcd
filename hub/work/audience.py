"""The sessions that take part in one work subscription, and what is sent to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hub.work.frames import delivery_frames, work_closed_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hub.errors import HubError
    from hub.work.items import Handover
    from hub.work.members import Members


class WorkMember(Protocol):
    """A session, as a work subscription sees it.

    Attributes:
        session_id: names it.
        rights_until: seconds since the epoch.
        live_for: why its silence ends it.
        on_room: by work subscription: called when it may be given deliveries again.
    """

    session_id: str
    rights_until: float
    live_for: set[str]
    on_room: dict[str, Callable[[], None]]

    @property
    def delivery_room(self) -> int:
        """Bytes of deliveries that it may be given now, by all its work subscriptions."""

    @property
    def deliveries_given(self) -> int:
        """Number of the last frame with deliveries that it was given."""

    @property
    def deliveries_taken(self) -> int:
        """Number of the last frame with deliveries that its transport has taken."""

    def send_deliveries(self, work: str, frame: bytes) -> None:
        """Queue a frame with deliveries."""

    def drop_deliveries(self, work: str) -> None:
        """Forget what waits of a work subscription."""

    def send_control(self, frame: bytes) -> None:
        """Queue a control frame."""


class Audience(dict[str, WorkMember]):
    """Sessions by id.

    Args:
        work: name of the subscription.
        members: what the queue knows of them.
        wake: called when one that had no room may be given more.
    """

    def __init__(self, work: str, members: Members, wake: Callable[[], None]) -> None:
        super().__init__()
        self._work = work
        self._reason = f"work {work}"
        self._members = members
        self._wake = wake

    def join(self, session: WorkMember) -> None:
        """It takes part from now on; it must show that it lives, or what it holds waits for it."""
        self[session.session_id] = session
        session.live_for.add(self._reason)
        session.on_room[self._work] = lambda: self._has_room(session.session_id)

    def leave(self, session_id: str) -> None:
        """It takes part no more."""
        session = self.pop(session_id, None)
        if session is not None:
            session.live_for.discard(self._reason)
            session.on_room.pop(self._work, None)
            session.drop_deliveries(self._work)

    def look(self) -> None:
        """Tell the queue how much each may be given: more would only gather in the hub."""
        for session_id, session in self.items():
            member = self._members.get(session_id)
            if member is not None:
                member.room = session.delivery_room
                member.taken = session.deliveries_taken

    def deliver(
        self, session_id: str, deliveries: Sequence[Handover]
    ) -> Iterator[tuple[list[str], int]]:
        """Send events to a session; gives the ids of each frame's deliveries, and its number."""
        session = self[session_id]
        for frame, ids in delivery_frames(self._work, deliveries):
            yield ids, session.deliveries_given + 1
            session.send_deliveries(self._work, frame)

    def dismiss(self, session_id: str, error: HubError) -> None:
        """Tell a member why it takes part no more."""
        self[session_id].send_control(work_closed_frame(self._work, error=error))

    def _has_room(self, session_id: str) -> None:
        member = self._members.get(session_id)
        if member is not None and member.room <= 0:
            self._wake()
