"""The bars: what a figure has to reach, beside where the number comes from."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Bar:
    """A limit for one figure of our hub.

    Attributes:
        figure: its name.
        at_most: True: the figure may not be above the limit; False: not below it.
        limit: a number in the figure's unit, or a ratio to the other's figure.
        ratio: the limit is such a ratio.
        other: what ours is compared with.
    """

    figure: str
    at_most: bool
    limit: float
    ratio: bool = False
    other: str = "tutorial"

    def met(self, ours: float, tutorial: float | None) -> bool | None:
        """Whether the figure reaches it; None when there is nothing to compare with."""
        if not self.ratio:
            return self.holds(ours)
        return self.holds(ours / tutorial) if tutorial else None

    def holds(self, value: float) -> bool:
        """Whether the limit is kept by a figure, or by a ratio where the limit is one."""
        compare: Callable[[float, float], bool] = operator.le if self.at_most else operator.ge
        return compare(value, self.limit)

    def __str__(self) -> str:
        sign = "<=" if self.at_most else ">="
        return f"{sign} {self.limit:g}{f'x {self.other}' if self.ratio else ''}"


def at_most(figure: str, limit: float) -> Bar:
    """The figure may not be above the limit."""
    return Bar(figure, at_most=True, limit=limit)


def at_least(figure: str, limit: float) -> Bar:
    """The figure may not be below the limit."""
    return Bar(figure, at_most=False, limit=limit)


# The machine these absolute numbers were set on: 2 virtual CPUs, loopback, no TLS, Python 3.11.
# A tutorial-style hub took 56 us a delivery there and, at the browsers' door, 23.
_COMMON = (at_most("w1 generator us", 10), at_most("faults", 0), at_most("paced p99 ms", 100))

NATIVE = (
    Bar("w1 us", at_most=True, limit=0.8, ratio=True),
    at_most("w1 us", 45),
    Bar("w64 deliveries/s", at_most=False, limit=30, ratio=True),
    at_least("w64 deliveries/s", 800_000),
    at_most("connect s", 0.5),
    at_most("KB/connection", 40),
    *_COMMON,
)

BROWSER = (
    Bar("w1 us", at_most=True, limit=0.55, ratio=True),
    at_most("w1 us", 12),
    at_least("w64 deliveries/s", 2_000_000),
    at_most("connect s", 0.35),
    at_most("connect cpu s", 0.3),
    at_most("KB/connection", 18),
    *_COMMON,
)

DURABLE = (at_most("faults", 0), at_most("paced p99 ms", 100))

INGEST = (at_least("client 256 publishes/s", 15_000),)
