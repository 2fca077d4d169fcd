"""How something grows: the slope of the straight line that lies nearest to its samples."""

from __future__ import annotations

from statistics import linear_regression
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Of the samples: while something has just begun, it says little of how it goes on.
_WARM_UP = 0.2


def slope(samples: Sequence[tuple[float, float]]) -> float:
    """Growth per second by least squares, behind the first fifth of the samples.

    Args:
        samples: (seconds, value), in order, three or more.
    """
    kept = samples[int(len(samples) * _WARM_UP) :]
    times, values = zip(*kept, strict=True)
    return linear_regression(times, values).slope
