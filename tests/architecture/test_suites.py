"""No suite is forgotten: each folder of tests has its row in the table that `make test` runs."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests import run
from tests.suites import SUITES, Full, Suite

TESTS = Path(__file__).resolve().parents[1]
FAIL = (sys.executable, "-c", "raise SystemExit(3)")
PASS = (sys.executable, "-c", "pass")


def test_each_folder_of_tests_has_its_row():
    files = [path for path in TESTS.rglob("test_*.py") if path.parent != TESTS]
    folders = {path.relative_to(TESTS).parts[0] for path in files}
    rows = {Path(suite.folder).name for suite in SUITES if suite.folder}
    assert folders <= rows


def test_each_row_has_a_limit_and_a_command():
    assert all(suite.seconds > 0 and suite.commands for suite in SUITES)
    assert len({suite.name for suite in SUITES}) == len(SUITES)


def test_prove_names_rows_and_runs_their_long_forms():
    makefile = (TESTS.parent / "Makefile").read_text(encoding="utf-8")
    found = re.search(r"tests\.run --full ([a-z -]+)\)", makefile)
    assert found
    rows = {suite.name: suite for suite in SUITES}
    named = [rows[name] for name in found[1].split()]
    long = {suite.name for suite in named if suite.full}
    assert long == {
        *("wire", "simulation", "chaos", "cluster", "attacks", "bench", "pressure", "web-engines"),
    }
    assert all(suite.full.seconds > suite.seconds for suite in named if suite.full)


def test_full_runs_the_long_form_in_place_of_the_short(monkeypatch, capsys):
    monkeypatch.setattr(run, "SUITES", (Suite("two", (PASS,), 30, full=Full(FAIL, 30)),))
    assert run.main(["two"]) == 0
    assert run.main(["--full", "two"]) == 1
    assert "exit status 3" in capsys.readouterr().out


def test_a_suite_that_takes_too_long_is_ended_with_its_children(monkeypatch, capsys):
    endless = (sys.executable, "-c", "import signal; signal.pause()")
    monkeypatch.setattr(run, "SUITES", (Suite("endless", (endless, PASS), 1),))
    assert run.main([]) == 1
    assert "not done after 1 s" in capsys.readouterr().out
