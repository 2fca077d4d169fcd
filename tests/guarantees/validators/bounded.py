"""G7: a session costs a fixed number of bytes, and no more the longer its reader stalls."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from tests.guarantees.validators.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.guarantees.history import History
    from tests.guarantees.observed import Sample

NAME = "G7 bounded"
# In a stall: one heartbeat, one notice of a token's end, one CRITICAL run past the full window.
STEPS = 3
# Fewer samples of a stall than this show no slope.
LEAST_SAMPLES = 12


def bounded(history: History) -> list[Violation]:
    """Judge G7 by what sessions held, sampled over time."""
    found = []
    stalls: dict[tuple[str, int], list[Sample]] = {}
    for sample in history.samples:
        held = sample.in_flight + sample.parked
        if held > sample.bound:
            words = f"it held {held} bytes at {sample.at:.1f} s, more than {sample.bound}"
            found.append(Violation(NAME, "", sample.session, words))
        if sample.stall:
            stalls.setdefault((sample.session, sample.stall), []).append(sample)
    for (session, _), samples in stalls.items():
        found.extend(Violation(NAME, "", session, words) for words in _growth(samples))
    return found


def _growth(samples: list[Sample]) -> Iterator[str]:
    """In the second half of a stall nothing may grow, but what goes into a window with room."""
    late = samples[len(samples) // 2 :]
    if len(samples) < LEAST_SAMPLES:
        return
    held = [sample.in_flight + sample.parked for sample in late]
    rises = sum(_rises(earlier, later) for earlier, later in pairwise(late))
    if rises > STEPS:
        seconds = late[-1].at - late[0].at
        grown = f"{held[0]} bytes became {held[-1]}"
        yield f"a stalled reader's {grown} in {rises} steps within {seconds:.0f} s"


def _rises(earlier: Sample, later: Sample) -> bool:
    if later.parked > earlier.parked:
        return True
    return later.in_flight > earlier.in_flight >= later.window
