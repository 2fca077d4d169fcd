"""Bars and the table: met and not met come from the figures, never from the page."""

from __future__ import annotations

import pytest

from benchmarks import table
from benchmarks.bars import Bar, at_least, at_most

_RATIO = Bar("us", at_most=True, limit=0.5, ratio=True)


@pytest.mark.parametrize(
    ("bar", "ours", "tutorial", "met"),
    [
        (at_most("us", 10), 10.0, None, True),
        (at_most("us", 10), 10.1, None, False),
        (at_least("us", 10), 10.0, None, True),
        (at_least("us", 10), 9.9, None, False),
        (_RATIO, 20.0, 40.0, True),
        (_RATIO, 20.1, 40.0, False),
        (_RATIO, 20.0, None, None),
    ],
)
def test_a_bar_compares(bar, ours, tutorial, met):
    assert bar.met(ours, tutorial) is met


def test_a_line_shows_medians_ranges_ratio_and_verdicts():
    tutorial = [{"us": 40.0}, {"us": 60.0}, {"us": 50.0}]
    ours = [{"us": 20.0}, {"us": 30.0}, {"us": 26.0}]
    head, line = table.lines(tutorial, ours, (_RATIO, at_most("us", 30), at_most("other", 1)))
    assert head.split()[-2:] == ["ratio", "bar"]
    assert line.startswith("us ")
    assert "50 (40-60)" in line
    assert "26 (20-30)" in line
    assert "0.52" in line
    assert line.endswith("<= 0.5x tutorial NOT MET; <= 30 met")


def test_a_figure_of_one_hub_only_stands_alone():
    _, line = table.lines([], [{"rate": 12345.0}], (at_least("rate", 20_000),))
    assert line.split()[:3] == ["rate", "-", "12,345"]
    assert line.endswith(">= 20000 NOT MET")


def test_unmet_bars_are_listed():
    bars = (_RATIO, at_most("us", 30), at_least("us", 27))
    assert table.unmet([{"us": 50.0}], [{"us": 26.0}], bars) == ["us <= 0.5x tutorial", "us >= 27"]
