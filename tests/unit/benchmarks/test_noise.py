"""The noise floor."""

from __future__ import annotations

from types import SimpleNamespace

from benchmarks import noise, procstat


def test_the_ping_pong_is_measured():
    found = noise.measure(0.01)
    assert found.rounds >= 100
    assert 0 < found.p50_ms <= found.p99_ms


def test_a_slow_machine_makes_the_run_void():
    assert noise.Noise(1, 20.1, 100).void
    assert not noise.Noise(1, 20.0, 100).void


def test_what_others_take_is_what_is_not_our_own(monkeypatch):
    clock = iter([100.0, 110.0])
    busy = iter([50.0, 62.0])
    own = iter([(1.0, 1.0, 1.0, 1.0, 0.0), (2.0, 2.0, 2.0, 3.0, 0.0)])
    monkeypatch.setattr(noise, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(procstat, "machine_seconds", lambda: next(busy))
    counted = SimpleNamespace(times=lambda: next(own), cpu_count=lambda: 2)
    monkeypatch.setattr(noise, "os", counted)
    others = noise.Others()
    assert others.share() == (12 - 5) / 20


def test_the_machines_own_count_only_rises():
    before = procstat.machine_seconds()
    assert procstat.machine_seconds() >= before
    assert noise.Others().share() >= 0
