"""Who is told that a topic has something new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hub.fanout.topic import LiveTopic


class Marker(Protocol):
    """Schedules a flush."""

    def mark(self, topic: LiveTopic) -> None:
        """The topic has something new."""
