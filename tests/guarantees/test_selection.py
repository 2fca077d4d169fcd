"""`make prove GUARANTEE=...` runs the tests of one validator, or says that there is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def collect(guarantee: str) -> subprocess.CompletedProcess[str]:
    options = ("--collect-only", "-q", "-p", "no:cacheprovider", "--guarantee", guarantee)
    command = [sys.executable, "-m", "pytest", str(HERE / "test_validators.py"), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)


def test_the_first_guarantee_is_not_the_eleventh():
    collected = collect("G1")
    assert collected.returncode == 0, collected.stdout
    names = [line for line in collected.stdout.splitlines() if "::" in line]
    assert names
    assert all("[G1]" in name or "[G1-" in name for name in names)


def test_a_guarantee_without_a_validator_is_told():
    collected = collect("G99")
    assert collected.returncode != 0
    assert "G99 has no validator" in collected.stdout + collected.stderr
