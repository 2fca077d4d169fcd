"""A member whose transport takes frames unless it is stalled."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import frame_pb2

if TYPE_CHECKING:
    from collections.abc import Callable


ROOM = 256 * 1024


class StallingSession:
    """A session, as the room sees it.

    Args:
        name: its id.
        on_handed_out: called with each delivery that is queued for it.
        on_taken: called with each that its transport has taken.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        name: str,
        on_handed_out: Callable[[frame_pb2.Delivery], None],
        on_taken: Callable[[frame_pb2.Delivery], None],
        clock: Callable[[], float],
    ) -> None:
        self.session_id = name
        self.rights_until = math.inf
        self.given = 0
        self.taken = 0
        self.live_for: set[str] = set()
        self.stalled = False
        self._on_handed_out = on_handed_out
        self._on_taken = on_taken
        self._clock = clock
        self._on_room: dict[str, Callable[[], None]] = {}
        self._on_overdue: dict[str, Callable[[int], None]] = {}
        self._waiting: list[tuple[int, str, frame_pb2.Deliveries, float]] = []

    @property
    def work(self) -> StallingSession:
        """Its work side."""
        return self

    def send_control(self, frame: bytes) -> None:
        """WorkClosed is nothing to it."""

    def join(
        self, work: str, on_room: Callable[[], None], on_overdue: Callable[[int], None]
    ) -> None:
        self._on_room[work], self._on_overdue[work] = on_room, on_overdue

    def leave(self, work: str) -> None:
        self._on_room.pop(work, None)
        self._waiting = [one for one in self._waiting if one[1] != work]
        self._tell_room()

    def room_for(self, _work: str) -> int:
        return 0 if self._waiting else ROOM

    def claim(self, work: str, size: int) -> None:
        """It has one work subscription."""

    def send(self, work: str, frame: bytes, until: float) -> None:
        deliveries = frame_pb2.ServerFrame.FromString(frame).deliveries
        for delivery in deliveries.deliveries:
            self._on_handed_out(delivery)
        self.given += 1
        self._waiting.append((self.given, work, deliveries, until))
        self.take()

    def take(self) -> None:
        """Let the transport take what it may; what is too late is dropped."""
        while self._waiting and not self.stalled:
            number, work, deliveries, until = self._waiting.pop(0)
            if until <= self._clock():
                self._on_overdue[work](number)
            else:
                self.taken = number
                for delivery in deliveries.deliveries:
                    self._on_taken(delivery)
            self._tell_room()

    def _tell_room(self) -> None:
        if not self._waiting:
            for tell in tuple(self._on_room.values()):
                tell()
