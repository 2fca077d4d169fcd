"""A real hub on a disk whose syncs are late keeps every promise, and acknowledges nothing early."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.chaos.summary import verdict
from tests.chaos.trial import Plan, run
from tests.chaos.writers import WRITERS
from tests.suites import COMPILER, ROOT

if TYPE_CHECKING:
    from pathlib import Path

SYNC_MS = 150
SOURCE = ROOT / "tests" / "chaos" / "slow_disk.c"


@pytest.fixture
def slow_disk(tmp_path: Path) -> dict[str, str]:
    """The environment of a process whose syncs take SYNC_MS longer."""
    compiler = next(filter(None, map(shutil.which, COMPILER.programs)), None)
    if compiler is None:
        pytest.skip(f"no C compiler: {COMPILER.install_line()}")
    library = tmp_path / "slow_disk.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"], check=True
    )
    return {"LD_PRELOAD": str(library), "SLOW_DISK_MS": str(SYNC_MS)}


@pytest.mark.timeout(120)
async def test_late_syncs_break_no_promise(tmp_path: Path, slow_disk: dict[str, str]):
    """G1 to G6, with a kill while commits hang in their syncs."""
    plan = Plan(rounds=1, seed=3, patience=40, env=slow_disk)
    trial = await run(plan, tmp_path / "hub", lambda _line: None)
    kept, report = verdict(trial)
    assert kept, report
    waits = [
        call.ended_at - call.called_at
        for call in trial.history.acknowledged
        if call.ended_at is not None and not call.duplicate
    ]
    assert len(waits) > WRITERS
    assert min(waits) >= SYNC_MS / 1000, "an answer came before its sync, or nothing was slow"
