"""One seed as a trial: whatever comes of it is a result."""

from __future__ import annotations

import traceback

from tests.simulation.alarm import surfacing
from tests.simulation.mutations import planted
from tests.simulation.world import Result, simulate


def one(seed: int, *, keep: bool = False, mutation: str = "") -> Result:
    """Run one seed; a simulation that breaks down is a result too.

    Args:
        seed: of all choices.
        keep: keep the lines of the trace.
        mutation: a planted bug; empty = none.
    """
    try:
        with planted(mutation), surfacing():
            return simulate(seed, keep=keep)
    except Exception:  # noqa: BLE001 - reported with its seed
        return Result(seed, "", [f"the simulation broke down:\n{traceback.format_exc()}"], 0, 0)
