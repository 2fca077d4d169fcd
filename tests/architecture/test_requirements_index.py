"""The index of requirements sees what it must and misses nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import requirements_index as index

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "| id | what | shipped |\n|---|---|---|\n| A1 | one | yes |\n| `A12` | two | no |\ntext\n"


def test_rows_are_read_in_order():
    rows = index.read_requirements(PAGE)
    assert [(row.identity, row.meaning, row.shipped) for row in rows] == [
        ("A1", "one", True),
        ("A12", "two", False),
    ]


def test_an_id_in_two_rows_is_refused():
    with pytest.raises(ValueError, match="more than one row"):
        index.read_requirements(PAGE + "| A1 | again | no |\n")


def test_an_id_counts_only_as_a_word_of_its_own():
    rows = index.read_requirements(PAGE)
    index.assign(rows, {"f::one": "test a1 holds", "f::two": "keeps A12.", "f::three": "BA1 A123"})
    assert [row.tests for row in rows] == [["f::one"], ["f::two"]]


def test_names_and_docstrings_of_a_test_are_its_words(tmp_path: Path):
    path = tmp_path / "test_x.py"
    path.write_text('"""Top."""\ndef test_a1_works():\n    """Of A2."""\ndef helper(): ...\n')
    assert index.python_tests(path) == {"test_a1_works": "test a1 works Of A2. Top."}


def test_titles_of_web_tests_are_their_words(tmp_path: Path):
    path = tmp_path / "x.test.ts"
    path.write_text("it(\"B3 resumes\", () => {});\ndescribe('B4', () => {});")
    assert set(index.web_tests(path)) == {"B3 resumes", "B4"}
