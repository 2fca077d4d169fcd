"""How long to wait: the shared vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipspeak_realtime import backoff
from shipspeak_realtime.backoff import Backoff

VECTORS = json.loads(Path("tests/conformance/vectors/backoff.json").read_text())


def delay_of(case: dict[str, Any]) -> float:
    waits = Backoff(lambda: case["random"])
    match case["kind"]:
        case "retry":
            return [waits.retry() for _ in range(case["attempt"] + 1)][-1]
        case "first_loss":
            return waits.lost(backoff.LIVE_SECONDS)
        case "hint":
            return waits.hint(case["hint_ms"] / 1000)
        case "slow":
            return [waits.slow() for _ in range(case["attempt"] + 1)][-1]
        case "spread":
            return waits.spread(case["within_ms"] / 1000)
    raise AssertionError(case["kind"])


@pytest.mark.parametrize("case", VECTORS["delays"], ids=lambda case: case["name"])
def test_delays(case: dict[str, Any]):
    assert delay_of(case) * 1000 == pytest.approx(case["delay_ms"])


@pytest.mark.parametrize("case", VECTORS["sequences"], ids=lambda case: case["name"])
def test_sequences(case: dict[str, Any]):
    waits = Backoff(lambda: case["random"])
    for step in case["steps"]:
        live = step["lost_after_live_ms"]
        delay = waits.lost(None if live is None else live / 1000)
        assert delay * 1000 == pytest.approx(step["delay_ms"])


def test_constants():
    assert {
        "base_ms": backoff.BASE_SECONDS * 1000,
        "floor_ms": backoff.FLOOR_SECONDS * 1000,
        "cap_ms": backoff.CAP_SECONDS * 1000,
        "live_ms": backoff.LIVE_SECONDS * 1000,
        "first_loss_ms": backoff.FIRST_LOSS_SECONDS * 1000,
        "slow_ms": [seconds * 1000 for seconds in backoff.SLOW_SECONDS],
    } == VECTORS["constants"]


@given(st.integers(0, 2000), st.floats(0, 1))
def test_a_retry_stays_within_its_bounds(attempts: int, random: float):
    waits = Backoff(lambda: random)
    delays = [waits.retry() for _ in range(attempts + 1)]
    assert all(0.25 <= delay <= 30.25 for delay in delays)
    assert delays == sorted(delays)
