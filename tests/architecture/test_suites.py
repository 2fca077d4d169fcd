"""No suite is forgotten: each folder of tests has its row in the table that `make test` runs."""

from __future__ import annotations

from pathlib import Path

from tests.suites import SUITES

TESTS = Path(__file__).resolve().parents[1]


def test_each_folder_of_tests_has_its_row():
    files = [path for path in TESTS.rglob("test_*.py") if path.parent != TESTS]
    folders = {path.relative_to(TESTS).parts[0] for path in files}
    rows = {Path(suite.folder).name for suite in SUITES if suite.folder}
    assert folders <= rows


def test_each_row_has_a_limit_and_a_command():
    assert all(suite.seconds > 0 and suite.commands for suite in SUITES)
    assert len({suite.name for suite in SUITES}) == len(SUITES)
