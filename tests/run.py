"""Run the suites and say how each went.

Usage: python -m tests.run [--full] [SUITE...]

With --full a suite that has a long form runs that in place of its short one.

What a suite needs from Debian is installed when that is possible. A suite that cannot run is a
failure where CI=true; elsewhere it is left out, with the line that would install what it needs.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace
from pathlib import Path

from tests.suites import ROOT, SUITES, Need, Suite

CI = os.environ.get("CI") == "true"


@dataclass
class Result:
    """How a suite went; a suite that is no pytest run counts as one test."""

    suite: Suite
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    note: str = ""


def main(arguments: list[str]) -> int:
    """Run the named suites, or all, and return the exit status."""
    names = [argument for argument in arguments if argument != "--full"]
    known = {suite.name: _long(suite) if "--full" in arguments else suite for suite in SUITES}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"no such suite: {', '.join(unknown)}; there are: {', '.join(known)}")
    results = [_run(known[name]) for name in names or known]
    print()
    for result in results:
        word = "FAILED" if result.failed else "passed" if result.passed else "left out"
        print(f"{result.suite.name:<16} {word:<9} {result.seconds:6.1f} s  {result.note}".rstrip())
    passed, failed = sum(r.passed for r in results), sum(r.failed for r in results)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def _long(suite: Suite) -> Suite:
    if suite.full is None:
        return suite
    command, seconds = suite.full
    return replace(suite, commands=(command,), seconds=seconds, folder=None)


def _run(suite: Suite) -> Result:
    print(f"\n== {suite.name}", flush=True)
    missing = [need for need in suite.needs if not need.is_met() and not _installed(need)]
    if missing:
        lines = "; ".join(need.install_line() for need in missing)
        return Result(suite, failed=1 if CI else 0, note=f"could not run; it needs: {lines}")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        note = _run_commands(suite, report, started + suite.seconds)
        result = _counted(suite, report, note)
    result.seconds = time.monotonic() - started
    return result


def _run_commands(suite: Suite, report: Path, deadline: float) -> str:
    """Return why the suite failed; nothing when it passed."""
    for command in suite.commands:
        tests = "pytest" in command
        process = subprocess.Popen(
            [*command, f"--junitxml={report}"] if tests else command,
            cwd=ROOT,
            env={**os.environ, **({"PYTHONASYNCIODEBUG": "1"} if tests else {})},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            status = process.wait(deadline - time.monotonic())
        except subprocess.TimeoutExpired:
            # Its whole group: a suite may have started hubs and browsers.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return f"not done after {suite.seconds} s"
        if status != 0:
            return f"exit status {status}: {' '.join(str(part) for part in command[:4])}"
    return ""


def _counted(suite: Suite, report: Path, note: str) -> Result:
    if suite.folder is None or not report.exists():
        return Result(suite, passed=0 if note else 1, failed=1 if note else 0, note=note)
    result = Result(suite, note=note)
    for run in ET.parse(report).getroot().iter("testsuite"):  # noqa: S314  # pytest wrote it just now
        bad = int(run.get("failures", 0)) + int(run.get("errors", 0))
        result.skipped += int(run.get("skipped", 0))
        result.failed += bad
        result.passed += int(run.get("tests", 0)) - bad - int(run.get("skipped", 0))
    if result.skipped and CI:
        result.failed += result.skipped
        note = f"{result.skipped} skipped, which is a failure where CI=true"
    if note and not result.failed:  # pytest failed outside any test, or found none
        result.failed = 1
    result.note = note or f"{result.passed} tests"
    return result


def _installed(need: Need) -> bool:
    """Try to install what is missing; asks nobody."""
    become = [] if os.geteuid() == 0 else ["sudo", "-n"]
    apt = [*become, "apt-get", "-o", "DPkg::Lock::Timeout=600", "--yes", "--no-install-recommends"]
    try:
        for arguments in (["update"], ["install", *need.package.split()]):
            subprocess.run(
                [*apt, *arguments],
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            )
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"could not install {need.package}: {error}", flush=True)
    return need.is_met()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
