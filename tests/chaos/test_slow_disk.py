"""A real hub on a disk whose syncs are late keeps every promise, and acknowledges nothing early."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.slow_disk import SlowDisk
from tests.chaos.summary import verdict
from tests.chaos.trial import Plan, run
from tests.chaos.writers import WRITERS

if TYPE_CHECKING:
    from pathlib import Path

SYNC_MS = 150


@pytest.mark.timeout(300)
async def test_late_syncs_break_no_promise(tmp_path: Path):
    """G1 to G6, with a kill while commits hang in their syncs."""
    disk = SlowDisk(tmp_path)
    disk.set(SYNC_MS)
    plan = Plan(rounds=1, seed=3, patience=40, prompt=10, disk=disk)
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
