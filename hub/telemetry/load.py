"""Figures about load: what was read, what it means, what was refused for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class LoadFigures:
    """Load of one instance.

    Args:
        registry: gets the metrics.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._late = Gauge(
            "rthub_loop_late_seconds",
            "How late the event loop was at the last look.",
            registry=registry,
        )
        self._memory = Gauge(
            "rthub_resident_bytes", "Memory that the process holds.", registry=registry
        )
        self._level = Gauge(
            "rthub_overload_level", "0 easy, 1 strained, 2 overloaded.", registry=registry
        )
        self._shed = Counter(
            "rthub_shed", "Refusals for load, by what was refused.", ["work"], registry=registry
        )

    def read(self, late: float, memory: int, level: int) -> None:
        """What one look gave: seconds, bytes, level."""
        self._late.set(late)
        self._memory.set(memory)
        self._level.set(level)

    def shed(self, work: str) -> None:
        """Something was refused for load."""
        self._shed.labels(work).inc()
