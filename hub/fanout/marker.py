"""Who is told that a topic has something new."""

from __future__ import annotations

from typing import Protocol, TypeVar

TopicT_contra = TypeVar("TopicT_contra", contravariant=True)


class Marker(Protocol[TopicT_contra]):
    """Schedules a flush."""

    def mark(self, topic: TopicT_contra) -> None:
        """The topic has something new."""
