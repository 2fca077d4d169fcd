"""The sessions that take part in one work subscription, and what is sent to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hub.work.frames import delivery_frames, work_closed_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.errors import HubError
    from hub.work.items import Handover


class WorkMember(Protocol):
    """A session, as a work subscription sees it."""

    session_id: str
    rights_until: float

    def send_control(self, frame: bytes) -> None:
        """Queue a frame."""


class Audience(dict[str, WorkMember]):
    """Members by id of the session.

    Args:
        work: name of the subscription.
    """

    def __init__(self, work: str) -> None:
        super().__init__()
        self._work = work

    def join(self, member: WorkMember) -> None:
        """It takes part from now on."""
        self[member.session_id] = member

    def leave(self, session_id: str) -> None:
        """It takes part no more."""
        self.pop(session_id, None)

    def deliver(self, session_id: str, deliveries: Sequence[Handover]) -> None:
        """Send events to a member."""
        member = self[session_id]
        for frame in delivery_frames(self._work, deliveries):
            member.send_control(frame)

    def dismiss(self, session_id: str, error: HubError) -> None:
        """Tell a member why it takes part no more."""
        self[session_id].send_control(work_closed_frame(self._work, error=error))
