"""What a run costs, and what it may cost: 2,000 seeds within 120 s.

Who shares the machine with others waits for them, so what is judged is the time that the processors
worked, shared among those that the run may use; the clock on the wall says as much where nobody
else works.
"""

from __future__ import annotations

import os
import resource
import time
from dataclasses import dataclass
from typing import Self

SEEDS = 2000
BOUND_SECONDS = 120.0


def _cpu_seconds() -> float:
    """Of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@dataclass
class Cost:
    """Of one run of many seeds.

    Attributes:
        seeds: how many.
        processes: side by side, each on a processor of its own.
        wall: seconds on the wall.
        cpu: seconds that processors worked for it.
        others: how many processes of others wanted a processor when it ended, on average.
    """

    seeds: int = 0
    processes: int = 1
    wall: float = 0.0
    cpu: float = 0.0
    others: float = 0.0

    @classmethod
    def begin(cls) -> Self:
        """From now on."""
        return cls(wall=-time.monotonic(), cpu=-_cpu_seconds())

    def end(self, seeds: int, processes: int) -> None:
        """Until now."""
        self.seeds, self.processes = seeds, processes
        self.wall += time.monotonic()
        self.cpu += _cpu_seconds()
        self.others = max(0.0, os.getloadavg()[0] - processes)

    @property
    def worked(self) -> float:
        """Seconds that the processors would work for as many seeds as the bound is about."""
        return self.cpu / self.processes / self.seeds * SEEDS

    @property
    def within(self) -> bool:
        """Whether that is within the bound."""
        return self.worked <= BOUND_SECONDS

    def __str__(self) -> str:
        """In words."""
        verdict = "within" if self.within else "NOT within"
        words = (
            f"{self.wall:.0f} s on the wall in {self.processes} processes "
            f"({self.wall / self.seeds:.3f} s for a seed), {self.cpu / self.seeds:.3f} CPU seconds "
            f"for a seed: {self.worked:.0f} s of each processor for {SEEDS:,} seeds, {verdict} "
            f"{BOUND_SECONDS:.0f} s"
        )
        if self.others >= 1:
            words += f"; the machine was busy with others (about {self.others:.0f} at a time)"
        elif self.seeds == SEEDS:
            met = "met" if self.wall <= BOUND_SECONDS else "NOT met"
            words += f"; {met} on the wall, too" if self.within else f"; {met} on the wall"
        return words
