"""How much of a topic's log is kept.

Topics get it by a callable, so the engine knows no classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

_logger: Final = structlog.get_logger(__name__)

MAX_TOLD: Final = 1000


@dataclass(frozen=True, slots=True)
class Retention:
    """Bounds of one topic's log; whichever is reached first trims from the old end.

    Attributes:
        max_events: how many events are promised, not counting receipts; None = no bound. One more
            is kept, so that a cursor that many events back still stands on a stored event.
        max_age_s: how long an event is promised, in seconds; None = no bound.
    """

    max_events: int | None = None
    max_age_s: float | None = None

    def surplus(self, events: int) -> int:
        """By how many a log with so many events, receipts not counted, has too many; 0 or less."""
        return 0 if self.max_events is None else events - self.max_events - 1

    def oldest_allowed_ms(self, now_ms: int) -> int:
        """Events published before this time may go; 0 = none."""
        return 0 if self.max_age_s is None else max(0, now_ms - int(self.max_age_s * 1000))


RetentionPolicy = Callable[[str], Retention]


def keep_everything(_topic: str) -> Retention:
    """The policy without bounds."""
    return Retention()


class KeepUnknown:
    """A policy that keeps everything of a topic for which another one fails.

    A log may hold topics of a namespace that the configuration knows no more. Nothing of theirs is
    removed, and their trouble is not the storage's. Each is logged once, the first MAX_TOLD of
    them.
    """

    def __init__(self, policy: RetentionPolicy) -> None:
        self._policy = policy
        self._told: set[str] = set()

    def __call__(self, topic: str) -> Retention:
        """The topic's retention."""
        try:
            return self._policy(topic)
        except Exception as error:  # noqa: BLE001 - whatever it is, the events are kept
            if topic not in self._told and len(self._told) < MAX_TOLD:
                self._told.add(topic)
                _logger.warning("retention_unknown", topic=topic, kept="all", error=repr(error))
            return Retention()
