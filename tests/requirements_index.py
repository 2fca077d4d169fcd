"""Show which tests keep which requirement, and fail for a shipped one that none keeps.

docs/requirements.md holds tables whose rows are: id | what it means | shipped (yes or no). A test
names an id, as a word of its own, in its name or its docstring, or in that of its module.
"""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("tests", "clients/python", "clients/web", "clients/demo", "benchmarks")
ROW = re.compile(r"^\|\s*`?([A-Z]+\d+[a-z]?)`?\s*\|(.+)\|\s*(yes|no)\s*\|\s*$")
WEB_TEST = re.compile(r"""\b(?:it|test|describe)\(\s*(["'`])(.*?)\1""")


@dataclass
class Requirement:
    """A row of the page, and the tests that name it."""

    identity: str
    meaning: str
    shipped: bool
    tests: list[str] = field(default_factory=list)


def read_requirements(text: str) -> list[Requirement]:
    """Return the rows of a page, in its order; raises ValueError when an id comes twice."""
    rows = [match for line in text.splitlines() if (match := ROW.match(line))]
    found = [Requirement(row[1], row[2].strip(), row[3] == "yes") for row in rows]
    if len({requirement.identity for requirement in found}) != len(found):
        msg = "an id stands in more than one row"
        raise ValueError(msg)
    return found


def python_tests(path: Path) -> dict[str, str]:
    """Return each test of a file with the words that may name a requirement."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    above = ast.get_docstring(tree) or ""
    functions = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return {
        node.name: " ".join([node.name.replace("_", " "), ast.get_docstring(node) or "", above])
        for node in functions
        if node.name.startswith("test_")
    }


def web_tests(path: Path) -> dict[str, str]:
    """Return each test of a TypeScript file; its title is all that may name a requirement."""
    return {match[2]: match[2] for match in WEB_TEST.finditer(path.read_text(encoding="utf-8"))}


def all_tests() -> dict[str, str]:
    """Return every test of the tree as `file::name`, with its words."""
    found = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*test*.*")):
            if "node_modules" in path.parts or path.suffix not in {".py", ".ts", ".tsx"}:
                continue
            read = python_tests if path.suffix == ".py" else web_tests
            where = path.relative_to(ROOT).as_posix()
            found.update({f"{where}::{name}": words for name, words in read(path).items()})
    return found


def assign(requirements: list[Requirement], tests: dict[str, str]) -> None:
    """Give each requirement the tests that name its id; `a1` in a test's name counts as `A1`."""
    for requirement in requirements:
        pattern = re.compile(rf"\b{re.escape(requirement.identity)}\b", re.IGNORECASE)
        requirement.tests = [name for name, words in tests.items() if pattern.search(words)]


def main() -> int:
    """Print the index and return 1 when a shipped requirement has no test."""
    requirements = read_requirements((ROOT / "docs/requirements.md").read_text(encoding="utf-8"))
    assign(requirements, all_tests())
    for requirement in requirements:
        state = "shipped" if requirement.shipped else "planned"
        print(f"{requirement.identity:<5} {state}  {requirement.meaning}")
        for name in requirement.tests:
            print(f"        {name}")
    bare = [r.identity for r in requirements if r.shipped and not r.tests]
    if bare or not requirements:
        print(f"shipped without a test: {', '.join(bare) or 'docs/requirements.md has no rows'}")
        return 1
    print(f"{len(requirements)} requirements, each shipped one with its tests")
    return 0


if __name__ == "__main__":
    sys.exit(main())
