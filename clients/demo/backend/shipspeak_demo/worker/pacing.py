"""Pace: a stage reaches a cue when its own time, divided by the speed, has come.

This is no waiting for show: a live transcript would bring its cues at speed 1, and the product
behaves here as it would there, only faster.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shipspeak_demo.transcript import Cue

SLICES = 25
"""A stage is published and checkpointed at most this many times."""


def slice_ends(cues: int, at: int = 0) -> list[int]:
    """Where the slices of a stage end that come after cue ``at``.

    The ends depend on the number of cues alone, so a restarted worker finds the same ones.
    """
    size = max(1, -(-cues // SLICES))
    return [end for end in [*range(size, cues, size), cues] if end > at]


@dataclass(frozen=True, slots=True)
class Pace:
    """Turns transcript time into waiting and into time left.

    Attributes:
        speed: times faster than the transcript; 0 = as fast as possible.
        cues: the transcript's cues.
        stages: how many stages go over them.
    """

    speed: float
    cues: tuple[Cue, ...]
    stages: int

    def time_at(self, done: int) -> float:
        """Seconds of a stage, at this speed, until ``done`` cues are over."""
        if not self.speed or not done:
            return 0.0
        first_ms = self.cues[0].start_ms
        return max(0, self.cues[done - 1].end_ms - first_ms) / 1000 / self.speed

    def left(self, stage: int, done: int, *, since_s: float, since_cues: int) -> float | None:
        """Seconds until all stages end.

        Args:
            stage: number of the stage at hand, from 0.
            done: cues of it that are done.
            since_s: seconds this worker has worked on the job.
            since_cues: cues, over all stages, that it did in this time.

        Returns:
            The time left, or None where nothing tells it yet.
        """
        whole = len(self.cues)
        if self.speed:
            per_stage = self.time_at(whole)
            return (self.stages - stage - 1) * per_stage + per_stage - self.time_at(done)
        if not since_cues:
            return None
        return ((self.stages - stage) * whole - done) * since_s / since_cues
