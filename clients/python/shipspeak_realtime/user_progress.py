"""How far one user has come: level, points, streak and goals, as one state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from shipspeak.realtime.v1 import metrics_pb2

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shipspeak_realtime.client import RealtimeClient
    from shipspeak_realtime.events import Event
    from shipspeak_realtime.receipts import Receipt

_GOAL: Final = "goal:"


@dataclass(frozen=True, slots=True)
class UserProgress:
    """The whole state: each event has all of it, so that the newest one is enough.

    Attributes:
        level: from 1.
        points: towards the next level and beyond.
        streak_days: days in a row.
        goals: 0 to 1 by the goal's name, at most 60 of at most 59 characters; 1 = reached.
    """

    level: int = 1
    points: float = 0.0
    streak_days: int = 0
    goals: Mapping[str, float] = field(default_factory=dict)

    def message(self) -> metrics_pb2.MetricsUpdate:
        """As the contract has it: named figures."""
        figures = [
            metrics_pb2.Metric(name="level", value=self.level),
            metrics_pb2.Metric(name="points", value=self.points),
            metrics_pb2.Metric(name="streak", value=self.streak_days, unit="days"),
        ]
        figures += [
            metrics_pb2.Metric(name=f"{_GOAL}{name}", value=fraction)
            for name, fraction in self.goals.items()
        ]
        return metrics_pb2.MetricsUpdate(metrics=figures)

    @classmethod
    def of(cls, event: Event) -> UserProgress:
        """From an event of the user's progress topic; figures of a later version are left out.

        Raises:
            TypeError: it is an event of another kind.
        """
        if not isinstance(event.payload, metrics_pb2.MetricsUpdate):
            message = f"{event.topic}#{event.offset} tells no progress"
            raise TypeError(message)
        figures = {metric.name: metric.value for metric in event.payload.metrics}
        return cls(
            int(figures.get("level", 1)),
            figures.get("points", 0.0),
            int(figures.get("streak", 0)),
            {
                name.removeprefix(_GOAL): value
                for name, value in figures.items()
                if name.startswith(_GOAL)
            },
        )


def progress_topic(user: str) -> str:
    """Where a user's progress is told: below the inbox, so that it is the user's own."""
    return f"user/{user}/progress"


async def publish_progress(client: RealtimeClient, user: str, progress: UserProgress) -> Receipt:
    """Publish the whole state."""
    return await client.publish(progress_topic(user), progress.message(), key="progress")
