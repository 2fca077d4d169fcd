"""A hundred simulated hubs keep every promise; a seed repeats exactly; planted bugs are found.

The long forms are `make simulate` (2,000 seeds) and `make simulate SEEDS=10000`.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from tests.simulation.alarm import surfacing
from tests.simulation.cost import BOUND_SECONDS, SEEDS, Cost
from tests.simulation.kinds.mutations import kind_of
from tests.simulation.loop import Stuck, VirtualLoop
from tests.simulation.mutations import MUTATIONS
from tests.simulation.plan import draw
from tests.simulation.trial import one
from tests.simulation.world import _World
from tests.suites import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

# As many as a busy machine runs within a minute; a quiet one needs far less.
A_FEW_SEEDS = 100
# A planted bug must be found within so many seeds; of those that have the kind that can see it.
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
    done = simulation("--seeds", str(A_FEW_SEEDS))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{A_FEW_SEEDS} seeds" in done.stdout


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
    kind = kind_of(mutation)
    for seed in [seed for seed in range(5 * FEW) if not kind or kind in draw(seed).kinds][:FEW]:
        result = one(seed, mutation=mutation)
        assert not any("broke down" in words for words in result.wrong), result.wrong
        if result.wrong:
            return
    pytest.fail(f"{FEW} seeds did not show it")


def test_what_a_run_costs_is_judged_by_what_processors_did():
    """On a shared machine the wall tells how busy the others were."""
    most = BOUND_SECONDS * 2
    assert Cost(SEEDS, 2, wall=900.0, cpu=most).within
    assert not Cost(SEEDS, 2, wall=100.0, cpu=most + 1).within
    assert not Cost(SEEDS // 10, 2, wall=10.0, cpu=most / 10 + 1).within
    assert "NOT within 120 s" in str(Cost(SEEDS, 2, wall=900.0, cpu=most + 1))
    assert "met on the wall, too" in str(Cost(SEEDS, 2, wall=100.0, cpu=most))
    assert "busy with others" in str(Cost(SEEDS, 2, wall=900.0, cpu=most, others=7.0))


async def _never() -> None:
    await asyncio.Event().wait()


def test_a_deadlock_is_told_and_not_waited_for():
    loop = VirtualLoop()
    with pytest.raises(Stuck):
        loop.run_until_complete(_never())
    loop.close()


def test_a_simulation_that_breaks_down_says_where():
    with patch.object(_World, "_calm", side_effect=LookupError("nobody home")):
        result = one(0)
    assert len(result.wrong) == 1
    assert "LookupError: nobody home" in result.wrong[0]
    assert re.search(r'File ".*world\.py", line \d+, in run', result.wrong[0])


class _TimedOut(BaseException):
    """As what pytest's time-out raises: no Exception."""


def _time_out(*_: object) -> None:
    raise _TimedOut


@pytest.fixture
def struck() -> Iterator[None]:
    """An alarm raises, as under pytest-timeout."""
    before = signal.signal(signal.SIGALRM, _time_out)
    yield
    signal.signal(signal.SIGALRM, before)


async def _in_a_task() -> None:
    async def victim() -> None:
        signal.raise_signal(signal.SIGALRM)
        await asyncio.sleep(1)

    await asyncio.wait([asyncio.ensure_future(victim())])


async def _in_a_callback() -> None:
    asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGALRM)
    await asyncio.sleep(1)


@pytest.mark.usefixtures("struck")
@pytest.mark.parametrize("where", [_in_a_task, _in_a_callback])
def test_a_time_out_surfaces_wherever_it_strikes(where: Callable[[], Coroutine[None, None, None]]):
    before = signal.getsignal(signal.SIGALRM)
    with (
        pytest.raises(_TimedOut),
        surfacing(),
        asyncio.Runner(loop_factory=VirtualLoop) as runner,
    ):
        runner.run(where())
    assert signal.getsignal(signal.SIGALRM) is before
