"""The full form: each row for some seconds, and the bystanders' latency beside a minute of calm."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.attacks.attack import Attack
    from tests.attacks.crowd import Lap
    from tests.attacks.scene import Scene

CALM_SECONDS = 60.0
# A flood goes on for so long, and is followed by as much calm; all else is tried for a part of it.
FLOOD_SECONDS = 5.0
OTHER_SECONDS = 2.0
# Between two tries of what is no flood.
BETWEEN_SECONDS = 0.1
# Of an attack's median latency to that of the calm before it.
MOST_RATIO = 1.5
_MIB = 1 << 20


@dataclass
class Judged:
    """How one row went.

    Attributes:
        wrong: answers that the table does not have, and promises that were broken.
        rounds: how often it was tried.
        calm_ms, attack_ms: the bystanders' median latencies.
        returns: how often bystanders had to come back.
        rss: bytes of the hub after it.
    """

    attack: Attack
    wrong: list[str] = field(default_factory=list)
    rounds: int = 0
    calm_ms: float = 0.0
    attack_ms: float = 0.0
    returns: int = 0
    rss: int = 0

    @property
    def ratio(self) -> float:
        """How much later the bystanders got their events."""
        return self.attack_ms / self.calm_ms

    @property
    def slow(self) -> bool:
        """Whether they felt it more than they may."""
        return self.ratio > MOST_RATIO

    def line(self) -> str:
        """For the report."""
        word = "WRONG" if self.wrong else "SLOW" if self.slow else "met"
        return (
            f"{word:<5} {self.attack.name:<34} {self.rounds:>4} x  {self.attack.expected:<46} "
            f"{self.attack_ms:6.1f} ms / {self.calm_ms:5.1f} = {self.ratio:4.2f}  "
            f"{self.returns:>3} back  {self.rss / _MIB:4.0f} MiB"
        )


class Trial:
    """Tries rows and judges them.

    Args:
        scene: of the run.
        tell: gets each line of the report.

    Attributes:
        calm_medians: of each stretch of calm, in milliseconds.
    """

    def __init__(self, scene: Scene, tell: Callable[[str], None]) -> None:
        self._scene, self._tell = scene, tell
        self._calm: deque[tuple[float, Lap]] = deque()
        self.calm_medians: list[float] = []

    async def run(self, rows: Sequence[Attack]) -> list[Judged]:
        """Try all rows, the patient ones beside each other at the end."""
        await self._rest(CALM_SECONDS)
        judged = []
        for attack in rows:
            row = await self._try(attack)
            self._tell(row.line())
            for words in row.wrong:
                self._tell(f"      {words}")
            judged.append(row)
            await self._rest(_length(attack))
        return judged

    async def _rest(self, seconds: float) -> None:
        """Let the bystanders be, and remember how it was: a minute of it."""
        # What is measured is time itself.
        await asyncio.sleep(seconds)
        lap = await asyncio.to_thread(self._scene.crowd.lap)
        self._calm.append((seconds, lap))
        self.calm_medians.append(median(lap.latencies) * 1000)
        while sum(length for length, _ in self._calm) - self._calm[0][0] >= CALM_SECONDS:
            self._calm.popleft()

    async def _try(self, attack: Attack) -> Judged:
        row = Judged(attack)
        until = time.monotonic() + _length(attack)
        while not row.rounds or (time.monotonic() < until and not row.wrong and not attack.patient):
            row.rounds += 1
            for door, answer in (await attack.answers(self._scene)).items():
                if answer != attack.expected:
                    row.wrong.append(f"{door}: {answer}")
            if not attack.flood:
                await asyncio.sleep(BETWEEN_SECONDS)
        lap = await asyncio.to_thread(self._scene.crowd.lap)
        row.wrong += lap.broken
        row.returns = lap.returns
        row.attack_ms = median(lap.latencies) * 1000
        row.calm_ms = median(value for _, calm in self._calm for value in calm.latencies) * 1000
        row.rss = self._scene.rss()
        return row


def _length(attack: Attack) -> float:
    return FLOOD_SECONDS if attack.flood else OTHER_SECONDS
