"""The noise floor."""

from __future__ import annotations

from benchmarks import noise


def test_the_ping_pong_is_measured():
    found = noise.measure(0.01)
    assert found.rounds >= 100
    assert 0 < found.p50_ms <= found.p99_ms


def test_a_slow_machine_makes_the_run_void():
    assert noise.Noise(1, 20.1, 100).void
    assert not noise.Noise(1, 20.0, 100).void
