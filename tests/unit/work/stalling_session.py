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
    """

    def __init__(
        self,
        name: str,
        on_handed_out: Callable[[frame_pb2.Delivery], None],
        on_taken: Callable[[frame_pb2.Delivery], None],
    ) -> None:
        self.session_id = name
        self.rights_until = math.inf
        self.deliveries_given = 0
        self.deliveries_taken = 0
        self.live_for: set[str] = set()
        self.on_room: dict[str, Callable[[], None]] = {}
        self.stalled = False
        self._on_handed_out = on_handed_out
        self._on_taken = on_taken
        self._waiting: list[tuple[int, str, frame_pb2.Deliveries]] = []

    @property
    def delivery_room(self) -> int:
        return 0 if self._waiting else ROOM

    def send_control(self, frame: bytes) -> None:
        """WorkClosed is nothing to it."""

    def send_deliveries(self, work: str, frame: bytes) -> None:
        deliveries = frame_pb2.ServerFrame.FromString(frame).deliveries
        for delivery in deliveries.deliveries:
            self._on_handed_out(delivery)
        self.deliveries_given += 1
        self._waiting.append((self.deliveries_given, work, deliveries))
        self.take()

    def drop_deliveries(self, work: str) -> None:
        self._waiting = [one for one in self._waiting if one[1] != work]
        self._tell_room()

    def take(self) -> None:
        """Let the transport take what it may."""
        while self._waiting and not self.stalled:
            self.deliveries_taken, _, deliveries = self._waiting.pop(0)
            for delivery in deliveries.deliveries:
                self._on_taken(delivery)
            self._tell_room()

    def _tell_room(self) -> None:
        if not self._waiting:
            for tell in tuple(self.on_room.values()):
                tell()
