"""How strained this instance is, from readings of its loop and its memory: no I/O, no own clock.

A reading that is high once says nothing: a process that was stopped and goes on has one. So a
level begins after readings have stayed high for a time, and ends after they have stayed well below
for a longer one; between the two it stays as it is, and a hub at the edge does not flap.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

# A limit must be exceeded for so long, in seconds, and what is below it must stay so for so long.
HOLD_SECONDS: Final = 2.0
REST_SECONDS: Final = 5.0
# Share of a limit that counts as well below it.
CALM: Final = 0.7
CALM_MEMORY: Final = 0.95
# Where almost everything is refused, as a multiple of the limits.
_SEVERE_LATE: Final = 2.0
_SEVERE_MEMORY: Final = 1.1


class Level(IntEnum):
    """How much is refused; each refuses what the one before does.

    EASY nothing; STRAINED what is new: sessions, subscriptions, looks into logs, and drafts that
    can best be done without; OVERLOADED nearly all that is not a session's own going on.
    """

    EASY = 0
    STRAINED = 1
    OVERLOADED = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the process.

    Attributes:
        late: seconds by which the event loop came later than it was asked to.
        memory: resident bytes; 0 = not known.
    """

    late: float
    memory: int


class Trigger:
    """Goes on and off with a delay and a distance between the two.

    Args:
        limit: from here on a value is high.
        calm: below this it is low; at most the limit.
    """

    def __init__(self, limit: float, calm: float) -> None:
        self.on = False
        self._limit = limit
        self._calm = calm
        self._since: float | None = None

    def observe(self, value: float, now: float) -> bool:
        """Take a value at a time that only rises, in seconds; whether it is on from now on."""
        contrary = value < self._calm if self.on else value >= self._limit
        if not contrary:
            self._since = None
        elif self._since is None:
            self._since = now
        elif now - self._since >= (REST_SECONDS if self.on else HOLD_SECONDS):
            self.on = not self.on
            self._since = None
        return self.on


class Overload:
    """The level of one instance.

    Args:
        late: seconds that the loop may be late; 0 = it is not watched.
        memory: resident bytes that the process may have; 0 = it is not watched.

    Attributes:
        level: now.
        reading: the last one.
    """

    def __init__(self, late: float, memory: int) -> None:
        self.level = Level.EASY
        self.reading = Reading(0.0, 0)
        self._late_limit, self._memory_limit = late, memory
        self._late = _triggers(late, _SEVERE_LATE, CALM)
        self._memory = _triggers(memory, _SEVERE_MEMORY, CALM_MEMORY)

    def observe(self, reading: Reading, now: float) -> Level:
        """Take a reading; the level from now on.

        Args:
            reading: of now.
            now: seconds that only rise.
        """
        self.reading = reading
        self.level = max(
            _level(self._late, reading.late, now), _level(self._memory, reading.memory, now)
        )
        return self.level

    @property
    def cause(self) -> str:
        """What is too high, for people; empty while nothing is."""
        causes = []
        if any(trigger.on for trigger in self._late.values()):
            causes.append(
                f"the event loop is {self.reading.late:.2f} s late (limit {self._late_limit:g} s)"
            )
        if any(trigger.on for trigger in self._memory.values()):
            used, limit = self.reading.memory >> 20, self._memory_limit >> 20
            causes.append(f"the process holds {used} MiB (limit {limit} MiB)")
        return " and ".join(causes)


def _triggers(limit: float, severe: float, calm: float) -> dict[Level, Trigger]:
    if not limit:
        return {}
    # Each level is left by a distance of its own, so that they are left one after the other.
    return {
        Level.STRAINED: Trigger(limit, limit * calm),
        Level.OVERLOADED: Trigger(limit * severe, limit * severe * calm),
    }


def _level(triggers: dict[Level, Trigger], value: float, now: float) -> Level:
    # Every trigger sees every value.
    on = [level for level, trigger in triggers.items() if trigger.observe(value, now)]
    return max(on, default=Level.EASY)
