"""A presence room without sessions: watchers that keep the receiver's rule, time by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.presence.member import Holder, Lease, MemberKey
from hub.presence.room import PresenceRoom
from shipspeak.realtime.v1 import frame_pb2
from tests.support.manual_clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Mapping

TOPIC = "meeting/1"
ONLINE, AWAY = frame_pb2.PRESENCE_STATE_ONLINE, frame_pb2.PRESENCE_STATE_AWAY
OFFLINE = frame_pb2.PRESENCE_STATE_OFFLINE


class View:
    """A watcher that keeps the receiver's rule, and can be stalled."""

    def __init__(self, name: str) -> None:
        self.session_id = name
        self.rights_until = float("inf")
        self.control_backlog = 0
        self.stalled = False
        self.frames: list[frame_pb2.PresenceFrame] = []
        self.members: dict[tuple[str, str], tuple[int, dict[str, str]]] = {}
        self.counts = (0, 0)
        self._queued: list[bytes] = []

    def send_control(self, frame: bytes) -> None:
        """As a session does it."""
        self._queued.append(frame)
        self.control_backlog = len(self._queued)
        if not self.stalled:
            self.recover()

    def recover(self) -> None:
        """Read what is queued."""
        self.stalled = False
        for data in self._queued:
            self._take(frame_pb2.ServerFrame.FromString(data).presence)
        self._queued.clear()
        self.control_backlog = 0

    def _take(self, frame: frame_pb2.PresenceFrame) -> None:
        self.frames.append(frame)
        if frame.full:
            self.members.clear()
        for member in frame.members:
            key = (member.user, member.client_id)
            if member.state == OFFLINE:
                self.members.pop(key, None)
            else:
                self.members[key] = (member.state, dict(member.metadata))
        self.counts = (frame.sessions, frame.users)


class Bench:
    """A room on a clock that the test moves."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.room = PresenceRoom(self.clock)

    def put(
        self,
        session: str,
        user: str = "alice",
        client: str = "",
        state: frame_pb2.PresenceState.ValueType = ONLINE,
        metadata: Mapping[str, str] | None = None,
        topic: str = TOPIC,
    ) -> None:
        """Set a session's presence."""
        lease = Lease(
            Holder("i", session),
            MemberKey(user, client or session),
            state,
            tuple(sorted((metadata or {}).items())),
            int(self.clock() * 1000),
        )
        self.room.put(topic, lease)

    def run(self, seconds: float) -> None:
        """Let time pass, doing what is due when it is due."""
        end = self.clock() + seconds
        for _ in range(10_000):
            due = self.room.next_due
            if due is None or due > end:
                break
            self.clock.advance(max(0.0, due - self.clock()))
            self.room.advance()
        else:
            raise AssertionError("the room is never done")
        self.clock.advance(max(0.0, end - self.clock()))
