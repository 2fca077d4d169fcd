"""The whole command on a small scale, with real processes."""

from __future__ import annotations

from benchmarks import bench, measure, noise
from benchmarks.measure import Timing

_SHORT = Timing(warm=0.1, window=0.3, paced=0.4)


def test_a_small_run_prints_the_table_and_ends_well(monkeypatch, capsys):
    monkeypatch.setattr(noise, "VOID_ABOVE_MS", 1e6)  # whether this machine is busy is no matter
    options = bench.Options(("native", "browser"), ("tutorial",), 1, 10, _SHORT, None, strict=True)
    assert bench.run(options) == 0
    printed = capsys.readouterr().out
    assert printed.count(": agree") == 2
    assert "loopback ping-pong" in printed
    for figure in ("w1 us", "w64 deliveries/s", "paced p99 ms", "KB/connection", "connect s"):
        assert printed.count(f"\n{figure} ") == 2
    faults = [line.split() for line in printed.splitlines() if line.startswith("faults")]
    assert faults == [["faults", "0", "(0-0)", "-"]] * 2


def test_a_busy_machine_makes_the_run_fail(monkeypatch, capsys):
    monkeypatch.setattr(noise, "measure", lambda: noise.Noise(5, 50, 10))
    options = bench.Options(("native",), ("tutorial",), 2, 10, _SHORT, None, strict=False)
    assert bench.run(options) == 1
    assert "2 of 2 passes were void" in capsys.readouterr().out


QUICK = bench.Options(
    ("native",), ("tutorial",), 1, 10, _SHORT, None, strict=True, void_allowed=True
)


def test_a_quick_run_on_a_busy_machine_says_so_and_ends_well(monkeypatch, capsys):
    monkeypatch.setattr(noise, "measure", lambda: noise.Noise(5, 50, 10))
    assert bench.run(QUICK) == 0
    printed = capsys.readouterr().out
    assert "1 of 1 passes were void" in printed
    assert "FAILED" not in printed
    assert "\nfaults" in printed


def test_a_lost_event_fails_a_quick_run_on_a_busy_machine_too(monkeypatch, capsys):
    monkeypatch.setattr(noise, "measure", lambda: noise.Noise(5, 50, 10))
    measured = bench._measure

    def losing(row: bench.Row, system: bench.System, options: bench.Options) -> measure.Figures:
        return {**measured(row, system, options), "faults": 1}

    monkeypatch.setattr(bench, "_measure", losing)
    assert bench.run(QUICK) == 1
    assert "FAILED: native: events lost" in capsys.readouterr().out


def test_the_options_of_a_quick_run():
    options = bench._options(["--quick", "--only", "ingest"])
    assert (options.passes, options.rows) == (1, ("ingest",))
    assert options.void_allowed
    assert bench._options([]).passes == 3
    assert not bench._options([]).void_allowed
