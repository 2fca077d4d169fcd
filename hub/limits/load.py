"""Overload protection of one instance: what is read, what it means, what is refused."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hub.limits.overload import Level, Overload
from hub.limits.pulse import Pulse, memory_limit
from hub.limits.shedding import Shedding

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.settings import Settings
    from hub.telemetry.metrics import Metrics


class Load:
    """The parts, put together.

    Args:
        settings: ``overload_*``.
        metrics: get the figures.
        clock: seconds that only rise.
    """

    def __init__(
        self, settings: Settings, metrics: Metrics, clock: Callable[[], float] = time.monotonic
    ) -> None:
        memory = memory_limit(settings.overload_memory_bytes)
        self._overload = Overload(settings.overload_lag, memory)
        self.shedding = Shedding(self._overload, metrics.load.shed)
        self.pulse = Pulse(self._overload, metrics, clock)

    def overloaded(self) -> bool:
        """Whether nearly everything is refused."""
        return self._overload.level is Level.OVERLOADED

    def condition(self) -> str:
        """What a probe tells beside its status; empty while all is taken."""
        level = self._overload.level
        return "" if level is Level.EASY else f"{level.name.lower()}: {self._overload.cause}"
