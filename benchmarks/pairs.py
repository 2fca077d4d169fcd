"""Runs in pairs, without a pressure and with it: what drifts over minutes is in both of a pair."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import noise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from benchmarks.bars import Bar
    from benchmarks.measure import Figures
    from benchmarks.noise import Noise


@dataclass(frozen=True, slots=True)
class Pair:
    """Two runs in the same minutes.

    Attributes:
        without: figures without the pressure.
        under: figures under it.
        floors: the machine's own noise before each of the two.
        others: what others took of all CPUs during each, 0 to 1.
    """

    without: Figures
    under: Figures
    floors: tuple[Noise, ...] = ()
    others: tuple[float, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether the machine was quiet enough for figures; what is wrong is wrong on any."""
        quiet = not any(floor.void for floor in self.floors)
        return quiet and not any(share > noise.VOID_ABOVE_SHARE for share in self.others)


def play(count: int, run: Callable[[bool], Figures], *, again: bool = True) -> list[Pair]:
    """Run so many pairs; each begins with the run that was the second of the last.

    Args:
        count: of sound pairs.
        run: one run on a fresh hub; told whether under pressure.
        again: repeat void pairs, as often as there are pairs.
    """
    pairs: list[Pair] = []
    most = 2 * count if again else count
    while len(pairs) < most and sum(pair.sound for pair in pairs) < count:
        figures: dict[bool, Figures] = {}
        floors, shares = list[noise.Noise](), list[float]()
        for under in (False, True) if len(pairs) % 2 == 0 else (True, False):
            floors.append(noise.measure())
            others = noise.Others()
            figures[under] = run(under)
            shares.append(others.share())
        pairs.append(Pair(figures[False], figures[True], tuple(floors), tuple(shares)))
    return pairs


def ratios(pairs: Iterable[Pair], figure: str) -> list[float]:
    """Under pressure to without it, pair by pair."""
    return [pair.under[figure] / pair.without[figure] for pair in pairs if pair.without[figure]]


def missed(pairs: Sequence[Pair], limits: Iterable[Bar]) -> list[str]:
    """The bars that sound pairs do not reach, each with what they gave.

    A ratio is judged by the median of the pairs' ratios, a figure by the median under pressure.
    """
    found: list[str] = []
    for bar in limits:
        values = (
            ratios(pairs, bar.figure) if bar.ratio else [pair.under[bar.figure] for pair in pairs]
        )
        if values and not bar.holds(median(values)):
            found.append(f"{bar.figure} is {median(values):.3g}, has to be {bar}")
    return found


def lines(pairs: Sequence[Pair], limits: Iterable[Bar]) -> list[str]:
    """A line for each bar that is a ratio."""
    told = []
    for bar in (one for one in limits if one.ratio):
        found = ratios(pairs, bar.figure)
        if not found:
            continue
        each = ", ".join(f"{ratio:.2f}" for ratio in found)
        verdict = "met" if bar.holds(median(found)) else "NOT MET"
        told.append(
            f"{bar.figure}: median ratio of pairs {median(found):.2f} ({each}) {bar} {verdict}"
        )
    return told
