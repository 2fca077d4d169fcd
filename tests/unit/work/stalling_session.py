"""A member whose transport takes frames unless it is stalled."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import frame_pb2

if TYPE_CHECKING:
    from collections.abc import Callable


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
        self.controls_taken = 0
        self.live_for: set[str] = set()
        self.on_drained: dict[str, Callable[[], None]] = {}
        self.stalled = False
        self._on_handed_out = on_handed_out
        self._on_taken = on_taken
        self._waiting: list[frame_pb2.ServerFrame] = []

    @property
    def control_backlog(self) -> int:
        return len(self._waiting)

    def send_control(self, frame: bytes) -> None:
        message = frame_pb2.ServerFrame.FromString(frame)
        for delivery in message.deliveries.deliveries:
            self._on_handed_out(delivery)
        self._waiting.append(message)
        self.take()

    def take(self) -> None:
        """Let the transport take what it may."""
        while self._waiting and not self.stalled:
            for delivery in self._waiting.pop(0).deliveries.deliveries:
                self._on_taken(delivery)
            self.controls_taken += 1
            if not self._waiting:
                for drained in tuple(self.on_drained.values()):
                    drained()
