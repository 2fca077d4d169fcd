"""What one poll is answered: frames, each of one topic, within limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hub.model.wire import delimited
from hub.session.frames import error_frame

if TYPE_CHECKING:
    from hub.errors import HubError

TopicFrame = tuple[str, bytes]
"""A topic, and a serialized ServerFrame about it alone."""


@dataclass(slots=True)
class Answer:
    """Frames gathered so far.

    Attributes:
        events_left: how many more events may go in.
        bytes_left: likewise, in bytes.
        frames: in the order in which they are to be read.
        more: the limits left something out.
    """

    events_left: int
    bytes_left: int
    frames: list[TopicFrame] = field(default_factory=list)
    more: bool = False

    @property
    def full(self) -> bool:
        """Whether nothing more goes in."""
        return self.events_left <= 0 or self.bytes_left <= 0

    def add(self, topic: str, frame: bytes) -> None:
        """Add news that the limits do not count."""
        self.frames.append((topic, frame))

    def add_events(self, topic: str, frame: bytes, events: int) -> None:
        """Add events."""
        self.frames.append((topic, frame))
        self.events_left -= events
        self.bytes_left -= len(frame)

    def refuse(self, topic: str, error: HubError) -> None:
        """Say of a topic that it is refused, and nothing else (G10)."""
        self.frames = [one for one in self.frames if one[0] != topic]
        self.add(topic, error_frame(error, topic=topic))

    def serialized(self) -> bytes:
        """The frames of a PollResponse."""
        return b"".join(delimited(0x0A, frame) for _, frame in self.frames)
