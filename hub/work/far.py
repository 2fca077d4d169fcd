"""A member whose session another instance has: what it is given goes there, its room comes back.

It is given one frame, or the frames of one turn, and nothing more until it has told that they were
received and how much room there is then: what is under way is never counted as room (G7).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

DELIVER, CONTROL, LEFT = "deliver", "control", "left"


@dataclass(slots=True)
class _Part:
    on_room: Callable[[], None]
    on_overdue: Callable[[int], None]
    claim: int = 0


class FarMember:
    """Implements WorkMember.

    Args:
        session_id: of the session.
        instance: that has it.
        tell: takes what the instance is to be told.

    Attributes:
        work: what it is given; see ``FarSide``.
        rights_until: its own instance ends what it has no right to.
    """

    def __init__(self, session_id: str, instance: str, tell: Callable[..., None]) -> None:
        self.session_id = session_id
        self.instance = instance
        self.rights_until = math.inf
        self.live_for: set[str] = set()
        self.work = FarSide(session_id, tell)
        self._tell = tell

    def send_control(self, frame: bytes) -> None:
        """Queue a control frame, over there."""
        self._tell(CONTROL, self.session_id, frame)


class FarSide:
    """Implements WorkSide.

    Args:
        session_id: of the session.
        tell: takes what its instance is to be told.

    Attributes:
        given: number of the last frame that it was given.
        taken: number of the last frame that its transport has taken.
    """

    def __init__(self, session_id: str, tell: Callable[..., None]) -> None:
        self.given = 0
        self.taken = 0
        self._session_id = session_id
        self._tell = tell
        self._room = 0
        self._parts: dict[str, _Part] = {}

    def join(
        self, work: str, on_room: Callable[[], None], on_overdue: Callable[[int], None]
    ) -> None:
        """It takes part."""
        self._parts.setdefault(work, _Part(on_room, on_overdue))

    def leave(self, work: str) -> None:
        """It takes part no more."""
        if self._parts.pop(work, None) is not None:
            self._tell(LEFT, self._session_id, work)

    def room_for(self, work: str) -> int:
        """Bytes that it may be given now, beside what others claim."""
        others = sum(part.claim for name, part in self._parts.items() if name != work)
        return max(0, self._room - others)

    def claim(self, work: str, size: int) -> None:
        """Events of so many bytes are being read for it."""
        part = self._parts.get(work)
        if part is None or part.claim == size:
            return
        less = size < part.claim
        part.claim = size
        if less:
            self._tell_room()

    def send(self, work: str, frame: bytes, until: float) -> None:
        """Give it a frame."""
        self.given += 1
        self._room = 0
        self._tell(DELIVER, self._session_id, work, frame, until, self.given)

    def reported(self, received: int, room: int, taken: int) -> None:
        """Its instance has received so many frames, and has that much room behind them."""
        self.taken = max(self.taken, taken)
        if received >= self.given:
            self._room = room
            self._tell_room()

    def overdue(self, work: str, number: int) -> None:
        """A frame came too late for its transport."""
        part = self._parts.get(work)
        if part is not None:
            part.on_overdue(number)

    def _tell_room(self) -> None:
        for work, part in tuple(self._parts.items()):
            if self.room_for(work):
                part.on_room()
