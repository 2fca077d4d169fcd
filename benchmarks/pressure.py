"""``python -m benchmarks.pressure [--quick] [--only NAME]``: slow readers and storms.

Figures are compared with those of the same hub without the pressure, measured in the same minutes:
runs come in pairs, and the median of the pairs' ratios counts. Each run has a fresh hub. A bar that
is missed fails the command; pairs on a machine that is busy with other things are run again, and
where too few are sound the figures are void and prove nothing.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from benchmarks import bars, pairs, servers, stalled, storm, table, urgent
from benchmarks.stalled import Crowd
from benchmarks.storm import Storm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.measure import Figures
    from benchmarks.pairs import Pair


FAILED: Final = 1
VOID: Final = 2
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
        judged: the bars are enforced; else only what is wrong on any machine counts.
    """

    pairs: int = 5
    crowd: Crowd = field(default_factory=Crowd)
    storm: Storm = field(default_factory=Storm)
    large: Storm = field(default_factory=lambda: Storm(clients=200, topics=1, payload_bytes=2_000))
    rate: float = 1e6
    seconds: float = 12.0
    judged: bool = True


QUICK: Final = Size(
    pairs=1,
    crowd=Crowd(readers=60, stopped=12, burst=1500, seconds=1.5, warm=0),
    storm=Storm(clients=80, topics=2),
    large=Storm(clients=80, topics=2, payload_bytes=2_000),
    rate=4e6,
    seconds=2.0,
    judged=False,
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one row gave.

    Attributes:
        pairs: of runs, those on a busy machine too.
        limits: what the sound ones have to reach.
        wrong: what is wrong whatever the machine: lost events, too many reads, unbounded bytes.
    """

    pairs: list[Pair]
    limits: tuple[bars.Bar, ...]
    wrong: list[str]

    @property
    def without(self) -> list[Figures]:
        """Figures of the runs to compare with."""
        return [pair.without for pair in self.pairs]

    @property
    def under(self) -> list[Figures]:
        """Figures under pressure."""
        return [pair.under for pair in self.pairs]

    @property
    def sound(self) -> list[Pair]:
        """The pairs whose figures count."""
        return [pair for pair in self.pairs if pair.sound]


def _ratio(figure: str, limit: float) -> bars.Bar:
    return bars.Bar(figure, at_most=True, limit=limit, ratio=True, other="without")


def urgent_row(size: Size) -> Outcome:
    """CRITICAL behind a saturated slow reader: without the window, and with it."""

    def run(under: bool) -> Figures:  # noqa: FBT001 - the two runs of a pair
        with servers.our_hub() as server:
            return urgent.measure(
                server,
                window_bytes=urgent.WINDOW_BYTES if under else 0,
                rate=size.rate,
                seconds=size.seconds,
            )

    played = pairs.play(size.pairs, run, again=size.judged)
    wrong = [
        f"{pair.under['max KB ahead']:.0f} KB came before an urgent event"
        for pair in played
        if pair.under["max KB ahead"] * 1e3 > urgent.AHEAD_LIMIT
    ]
    return Outcome(played, (_ratio("urgent p50 ms", 0.5),), wrong)


def stalled_row(size: Size) -> Outcome:
    """Healthy readers beside readers that stop."""

    def run(under: bool) -> Figures:  # noqa: FBT001
        with servers.our_hub(env=stalled.SMALL_RINGS) as server:
            return stalled.measure(server, size.crowd, stop=under)

    played = pairs.play(size.pairs, run, again=size.judged)
    wrong = [
        f"a session holds {pair.under['in flight KB']:.0f} KB in flight"
        for pair in played
        if pair.under["in flight KB"] * 1e3 > stalled.IN_FLIGHT_LIMIT
    ]
    wrong += [
        f"{figures['caught up']:.0f} of {size.crowd.stopped} have everything"
        for pair in played
        for figures in (pair.without, pair.under)
        if figures["caught up"] != size.crowd.stopped
    ]
    limits = (
        bars.at_most("RSS KB/s", size.crowd.growth_limit / 1e3),
        bars.at_most("in flight KB/s", 0.0),
        _ratio("p50 ms", 1.2),
        _ratio("us", 1.2),
    )
    return Outcome(played, limits, wrong)


def storm_row(size: Size) -> Outcome:
    """A reconnect of all at once: with nothing missed, and with events missed."""
    return _storm(size, size.storm)


def large_storm_row(size: Size) -> Outcome:
    """The same with more missed than a ring is filled with: pages are read once for all."""
    return _storm(size, size.large)


def _storm(size: Size, crowd: Storm) -> Outcome:
    def run(under: bool) -> Figures:  # noqa: FBT001
        with servers.our_hub(watched=True) as server:
            return storm.measure(server, crowd, missed=under)

    played = pairs.play(size.pairs, run, again=size.judged)
    wrong = [
        f"{pair.under['log reads']:.0f} reads of the log for {crowd.topics} topics"
        for pair in played
        if pair.under["log reads"] > crowd.topics * crowd.pages
    ]
    wrong += [
        "the hub noted nothing of the storm" for pair in played if not pair.under["server s"] > 0
    ]
    return Outcome(played, (bars.at_most("server s", 1.0), _ratio("seconds", 2.0)), wrong)


ROWS: Final = {
    "urgent": urgent_row,
    "stalled": stalled_row,
    "storm": storm_row,
    "large storm": large_storm_row,
}


def run(names: Sequence[str], size: Size) -> int:
    """Measure and print.

    Returns:
        The exit status: FAILED when something is wrong or a bar is missed, VOID when nothing is
        and a row proves nothing, else 0.
    """
    wrong: list[str] = []
    void: list[str] = []
    for name in names:
        outcome = ROWS[name](size)
        print("\n".join(report(name, outcome, size)), flush=True)
        wrong += [f"{name}: {reason}" for reason in verdict(outcome, size)]
        void += [name] if is_void(outcome, size) else []
    for reason in wrong:
        print(f"FAILED: {reason}")
    if void:
        print(f"VOID, neither passed nor failed: {', '.join(void)}")
    return FAILED if wrong else VOID if void else 0


def is_void(outcome: Outcome, size: Size) -> bool:
    """Whether a row that is to be judged has too few sound pairs."""
    return size.judged and len(outcome.sound) < size.pairs


def report(name: str, outcome: Outcome, size: Size) -> list[str]:
    """What a person reads of a row."""
    floors = [floor.p99_ms for pair in outcome.pairs for floor in pair.floors]
    shares = [share for pair in outcome.pairs for share in pair.others]
    shown = outcome.sound or outcome.pairs
    plain = [bar for bar in outcome.limits if not bar.ratio]
    told = [
        f"{name}: {(ROWS[name].__doc__ or '').splitlines()[0]}",
        (
            f"loopback ping-pong p99 {min(floors):.3f} to {max(floors):.3f} ms; others took "
            f"{min(shares, default=0):.0%} to {max(shares, default=0):.0%} of the machine; "
            f"{len(outcome.sound)} of {len(outcome.pairs)} pairs are sound"
        ),
        *table.lines([one.without for one in shown], [one.under for one in shown], plain, _HEADS),
        *pairs.lines(shown, outcome.limits),
    ]
    if len(outcome.sound) < size.pairs:
        told.append("VOID: the machine is busy with other things; these figures prove nothing")
    return [*told, ""]


def verdict(outcome: Outcome, size: Size) -> list[str]:
    """What is wrong: on any machine, and, where enough pairs are sound, the bars."""
    if not size.judged or is_void(outcome, size):
        return outcome.wrong
    return [*outcome.wrong, *pairs.missed(outcome.sound, outcome.limits)]


def main(arguments: Sequence[str]) -> int:
    """Run what the command line asks for; as ``run``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pressure", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small, one pair: only faults count")
    parser.add_argument("--only", choices=NAMES, action="append", help="this row only")
    values = parser.parse_args(arguments)
    return run(values.only or NAMES, QUICK if values.quick else Size())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
