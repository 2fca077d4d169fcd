"""The plain table: medians and ranges over the passes, ratios and bars."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.bars import Bar
    from benchmarks.measure import Figures

_COLUMNS = (26, 30, 30, 8)


def lines(
    tutorial: Sequence[Figures],
    ours: Sequence[Figures],
    bars: Iterable[Bar],
    heads: tuple[str, str] = ("tutorial", "ours"),
) -> list[str]:
    """One line a figure; a bar stands in the figure's first lines.

    Args:
        tutorial: the tutorial hub's figures, one dictionary a pass; may be empty.
        ours: our hub's; may be empty.
        bars: limits for our figures.
        heads: names of the two.
    """
    out = [_row("", *(f"{head} median (min-max)" for head in heads), "ratio", "bar")]
    names = dict.fromkeys(name for figures in (*tutorial, *ours) for name in figures)
    for name in names:
        theirs, own = _values(tutorial, name), _values(ours, name)
        notes = [_verdict(bar, own, theirs) for bar in bars if bar.figure == name and own]
        out.append(_row(name, _spread(theirs), _spread(own), _ratio(theirs, own), "; ".join(notes)))
    return out


def unmet(tutorial: Sequence[Figures], ours: Sequence[Figures], bars: Iterable[Bar]) -> list[str]:
    """The bars that our medians do not reach."""
    missed = []
    for bar in bars:
        own, theirs = _values(ours, bar.figure), _values(tutorial, bar.figure)
        if own and bar.met(median(own), median(theirs) if theirs else None) is False:
            missed.append(f"{bar.figure} {bar}")
    return missed


def _values(figures: Sequence[Figures], name: str) -> list[float]:
    return [values[name] for values in figures if name in values]


def _verdict(bar: Bar, own: list[float], theirs: list[float]) -> str:
    met = bar.met(median(own), median(theirs) if theirs else None)
    word = {True: "met", False: "NOT MET", None: "nothing to compare with"}[met]
    return f"{bar} {word}"


def _spread(values: list[float]) -> str:
    if not values:
        return "-"
    return f"{_number(median(values))} ({_number(min(values))}-{_number(max(values))})"


def _ratio(theirs: list[float], own: list[float]) -> str:
    if not theirs or not own or not median(theirs):
        return ""
    return f"{median(own) / median(theirs):.2f}"


def _number(value: float) -> str:
    if value >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def _row(*cells: str) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, _COLUMNS, strict=False))
    return "  ".join((*padded, *cells[len(_COLUMNS) :])).rstrip()
