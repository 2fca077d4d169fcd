"""The sessions of other instances that take part in what this one leads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import structlog

from hub.errors import HubError
from hub.work.far import FarMember
from hub.work.near import OVERDUE, ROOM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.work.coordinator import WorkCoordinator
    from hub.work.peers import Peers

log: Final = structlog.get_logger(__name__)

LEAVE, RELEASE = "leave", "release"


class FarMembers:
    """By session.

    Args:
        peers: the other instances.
    """

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._members: dict[str, FarMember] = {}

    def clear(self) -> None:
        """This instance leads no more."""
        self._members.clear()

    async def join(self, coordinator: WorkCoordinator, asked: Sequence[Any]) -> int:
        """Let a session take part; how many members there are.

        Raises:
            HubError: as WorkCoordinator.ensure.
        """
        instance, session_id, name, pattern, ordered, subject, outstanding, lease = asked
        await coordinator.ensure(name, pattern, ordered=ordered)
        member = self._members.get(session_id)
        if member is None:
            member = self._members[session_id] = FarMember(
                session_id, instance, lambda *words: self._peers.tell(instance, *words)
            )
        return coordinator.join(
            name, member, subject, max_outstanding=outstanding, lease_seconds=lease
        )

    def told(
        self, coordinator: WorkCoordinator, kind: str, session_id: str, rest: Sequence[Any]
    ) -> None:
        """Take what a session's instance tells."""
        member = self._members.get(session_id)
        if member is None:
            return
        if kind == ROOM:
            member.work.reported(*rest)
        elif kind == OVERDUE:
            member.work.overdue(*rest)
        elif kind == LEAVE:
            try:
                coordinator.leave(rest[0], session_id)
            except HubError:
                # It has left already.
                log.debug("work_left_twice", work=rest[0])
        elif kind == RELEASE:
            del self._members[session_id]
            coordinator.release(session_id, lost=rest[0])

    def gone(self, coordinator: WorkCoordinator, instance: str) -> None:
        """An instance has ended, and its sessions with it."""
        for member in tuple(self._members.values()):
            if member.instance == instance:
                del self._members[member.session_id]
                coordinator.release(member.session_id, lost=True)
