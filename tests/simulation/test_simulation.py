"""A hundred simulated hubs keep every promise; a seed repeats exactly; planted bugs are found.

The long forms are `make simulate` (2,000 seeds) and `make simulate SEEDS=10000`.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys

import pytest

from tests.simulation.loop import Stuck, VirtualLoop
from tests.simulation.mutations import MUTATIONS
from tests.simulation.trial import one
from tests.suites import ROOT

# As many as a busy machine runs within a minute; a quiet one needs far less.
SEEDS = 100
# A planted bug must be found within so many seeds.
FEW = 40


def simulation(*options: str, hash_seed: str = "random") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.simulation", *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONASYNCIODEBUG": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=270,
    )


@pytest.mark.timeout(280)
def test_every_seed_keeps_every_promise():
    done = simulation("--seeds", str(SEEDS))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{SEEDS} seeds" in done.stdout


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", ["1", "18"])
def test_a_seed_gives_the_same_trace_again(seed: str):
    """Also in a process whose sets and dictionaries are ordered in another way."""
    traces = [
        simulation("--seed", seed, "--trace", hash_seed=hash_seed).stdout
        for hash_seed in ("1", "2")
    ]
    assert traces[0] == traces[1]
    assert re.search(r"^trace [0-9a-f]{16}$", traces[0], re.MULTILINE)
    assert len(traces[0].splitlines()) > 100


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_planted_bug_is_found(mutation: str):
    for seed in range(FEW):
        result = one(seed, mutation=mutation)
        if result.wrong:
            return
    pytest.fail(f"{FEW} seeds did not show it")


async def _never() -> None:
    await asyncio.Event().wait()


def test_a_deadlock_is_told_and_not_waited_for():
    loop = VirtualLoop()
    with pytest.raises(Stuck):
        loop.run_until_complete(_never())
    loop.close()
