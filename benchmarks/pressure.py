"""``python -m benchmarks.pressure [--quick] [--only NAME]``: slow readers and storms.

Figures are compared with those of the same hub without the pressure, measured in the same minute:
runs come in pairs, and the ratio of each pair counts. Each run has a fresh hub.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Final

from benchmarks import bars, noise, servers, stalled, storm, table, urgent
from benchmarks.measure import Figures
from benchmarks.stalled import Crowd
from benchmarks.storm import Storm

if TYPE_CHECKING:
    from collections.abc import Sequence


_HEADS: Final = ("without", "under pressure")
NAMES: Final = ("urgent", "stalled", "storm", "large storm")


@dataclass(frozen=True, slots=True)
class Size:
    """How large everything is.

    Attributes:
        pairs: of runs, with and without the pressure.
        crowd: readers of whom some stop.
        storm: clients that come back at once.
        large: the same, where a ring does not hold what they have missed.
        rate: bytes a second that the slow reader of urgent events takes.
        seconds: that it is measured.
    """

    pairs: int = 5
    crowd: Crowd = field(default_factory=Crowd)
    storm: Storm = field(default_factory=Storm)
    large: Storm = field(default_factory=lambda: Storm(clients=200, topics=1, payload_bytes=2_000))
    rate: float = 1e6
    seconds: float = 12.0


QUICK: Final = Size(
    pairs=1,
    crowd=Crowd(readers=60, stopped=12, burst=1500, seconds=1.5),
    storm=Storm(clients=80, topics=2),
    large=Storm(clients=80, topics=2, payload_bytes=2_000),
    rate=4e6,
    seconds=2.0,
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one row gave.

    Attributes:
        without: figures of the runs to compare with.
        under: figures under pressure.
        bars: limits of the medians under pressure.
        wrong: what is wrong whatever the machine: lost events, too many reads, unbounded bytes.
    """

    without: list[Figures]
    under: list[Figures]
    bars: tuple[bars.Bar, ...]
    wrong: list[str]


def _ratio(figure: str, limit: float) -> bars.Bar:
    return bars.Bar(figure, at_most=True, limit=limit, ratio=True, other="without")


def urgent_row(size: Size) -> Outcome:
    """CRITICAL behind a saturated slow reader: without the window, and with it."""
    without, under = list[Figures](), list[Figures]()
    for _ in range(size.pairs):
        for kept, window_bytes in ((without, 0), (under, urgent.WINDOW_BYTES)):
            with servers.our_hub() as server:
                kept.append(
                    urgent.measure(
                        server, window_bytes=window_bytes, rate=size.rate, seconds=size.seconds
                    )
                )
    limit = _ratio("urgent p50 ms", 0.5)
    return Outcome(without, under, (limit,), [])


def stalled_row(size: Size) -> Outcome:
    """Healthy readers beside readers that stop."""
    without, under = list[Figures](), list[Figures]()
    wrong = list[str]()
    for _ in range(size.pairs):
        for kept, stop in ((without, False), (under, True)):
            with servers.our_hub() as server:
                kept.append(stalled.measure(server, size.crowd, stop=stop))
    for figures in under:
        if figures["in flight KB"] * 1e3 > stalled.IN_FLIGHT_LIMIT:
            wrong.append(f"a session holds {figures['in flight KB']:.0f} KB in flight")
    for figures in (*without, *under):
        if figures["caught up"] != size.crowd.stopped:
            wrong.append(f"{figures['caught up']:.0f} of {size.crowd.stopped} have everything")
    limits = (_ratio("p50 ms", 1.2), _ratio("us", 1.2))
    return Outcome(without, under, limits, wrong)


def storm_row(size: Size) -> Outcome:
    """A reconnect of all at once: with nothing missed, and with events missed."""
    return _storm(size.pairs, size.storm)


def large_storm_row(size: Size) -> Outcome:
    """The same with more missed than a ring is filled with: pages are read once for all."""
    return _storm(size.pairs, size.large)


def _storm(pairs: int, size: Storm) -> Outcome:
    without, under = list[Figures](), list[Figures]()
    for _ in range(pairs):
        for kept, missed in ((without, False), (under, True)):
            with servers.our_hub() as server:
                kept.append(storm.measure(server, size, missed=missed))
    wrong = [
        f"{figures['log reads']:.0f} reads of the log for {size.topics} topics"
        for figures in under
        if figures["log reads"] > size.topics * size.pages
    ]
    limits = (
        bars.at_most("server cpu s", 1.0),
        _ratio("seconds", 2.0),
    )
    return Outcome(without, under, limits, wrong)


ROWS: Final = {
    "urgent": urgent_row,
    "stalled": stalled_row,
    "storm": storm_row,
    "large storm": large_storm_row,
}


def run(names: Sequence[str], size: Size) -> list[str]:
    """Measure and print; what is wrong whatever the machine."""
    wrong: list[str] = []
    for name in names:
        floor = noise.measure()
        verdict = "VOID" if floor.void else "sound"
        print(f"{name}: loopback ping-pong p99 {floor.p99_ms:.3f} ms: {verdict}", flush=True)
        outcome = ROWS[name](size)
        print(f"\n{name}: {(ROWS[name].__doc__ or '').splitlines()[0]}")
        print("\n".join(table.lines(outcome.without, outcome.under, outcome.bars, _HEADS)))
        print(_pairs(outcome) + "\n", flush=True)
        wrong += [f"{name}: {reason}" for reason in outcome.wrong]
    return wrong


def _pairs(outcome: Outcome) -> str:
    """The ratios pair by pair: what drifts over minutes is in both runs of a pair."""
    told = []
    for bar in (one for one in outcome.bars if one.ratio):
        ratios = [
            under[bar.figure] / without[bar.figure]
            for without, under in zip(outcome.without, outcome.under, strict=True)
            if without[bar.figure]
        ]
        each = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        told.append(f"{bar.figure}: median ratio of pairs {median(ratios):.2f} ({each})")
    return "; ".join(told)


def main(arguments: Sequence[str]) -> int:
    """Run what the command line asks for; 1 when something is wrong whatever the machine."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pressure", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small, one pair: only faults count")
    parser.add_argument("--only", choices=NAMES, action="append", help="this row only")
    values = parser.parse_args(arguments)
    wrong = run(values.only or NAMES, QUICK if values.quick else Size())
    for reason in wrong:
        print(f"FAILED: {reason}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
