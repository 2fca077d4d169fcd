"""Takes the readings by which load is judged: how late the loop is, how much memory is held."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from hub.limits.overload import Level, Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.limits.overload import Overload
    from hub.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)

INTERVAL_SECONDS: Final = 0.25
# Of what machine or container have, where no limit is set.
MEMORY_SHARE: Final = 0.85
_STATM: Final = Path("/proc/self/statm")
_CONTAINER: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
_EFFECTS: Final = {
    Level.STRAINED: "new sessions and subscriptions are refused, with a time to come back",
    Level.OVERLOADED: "nearly everything is refused, with a time to come back; sessions go on",
}


class Pulse:
    """Looks four times a second, and tells of every change of the level.

    Args:
        overload: judges the readings.
        metrics: gets them.
        clock: seconds that only rise.
    """

    def __init__(
        self, overload: Overload, metrics: Metrics, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._overload = overload
        self._metrics = metrics
        self._clock = clock
        self._late: float | None = None
        self._memory: int | None = None
        self._task: asyncio.Task[None] | None = None

    def pretend(self, late: float | None, memory: int | None) -> None:
        """Put values in place of readings, in development; None = read them again."""
        self._late, self._memory = late, memory

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="pulse")

    async def stop(self) -> None:
        """End. Idempotent."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            before = self._clock()
            await asyncio.sleep(INTERVAL_SECONDS)
            try:
                self.take(self._clock() - before - INTERVAL_SECONDS)
            except Exception:
                # A hub that cannot read its memory must not stop looking at its loop.
                log.exception("pulse_failed")

    def take(self, late: float) -> None:
        """Take one reading: the loop came back late by so many seconds."""
        late = max(0.0, late) if self._late is None else self._late
        memory = resident_bytes() if self._memory is None else self._memory
        before = self._overload.level
        level = self._overload.observe(Reading(late, memory), self._clock())
        self._metrics.load.read(late, memory, level)
        if level > before:
            log.warning(
                "overloaded", level=level.name, why=self._overload.cause, effect=_EFFECTS[level]
            )
        elif level < before:
            log.warning("load_eases", level=level.name, effect=_EFFECTS.get(level, "all is taken"))


def resident_bytes() -> int:
    """What this process holds in memory now; 0 where the system does not say."""
    try:
        pages = int(_STATM.read_bytes().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def memory_limit(chosen: int) -> int:
    """The bytes that a process may hold: the chosen ones, else a share of what there is."""
    return chosen or int(MEMORY_SHARE * _there_is())


def _there_is() -> int:
    """Bytes of the machine, or of the container where that has fewer."""
    try:
        least = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0
    for path in _CONTAINER:
        try:
            least = min(least, int(path.read_bytes()))
        except (OSError, ValueError):
            # No such limit, or "max".
            continue
    return least
