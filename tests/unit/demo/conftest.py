"""The reference product is importable by path; its processes get the same by PYTHONPATH."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "clients" / "demo" / "backend"))


@pytest.fixture
def samples() -> Path:
    return ROOT / "clients" / "demo" / "samples"


class ManualClock:
    """Seconds that only move when told."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()
