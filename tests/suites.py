"""The table of suites: what `make test` runs, what each needs, and how long it may take."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = sys.executable
BIN = Path(PYTHON).parent
PAGE = (PYTHON, "requirements/page.py")
OURS = (
    *("hub", "web_bridge", "clients/python/shipspeak_realtime"),
    *("clients/demo/backend/shipspeak_demo", "benchmarks"),
    *("tests", "protos/tools", "requirements"),
)


@dataclass(frozen=True)
class Need:
    """A program from outside .venv that a suite cannot run without."""

    programs: tuple[str, ...]
    package: str  # Debian's

    def is_met(self) -> bool:
        """Tell whether one of the programs is in PATH."""
        return any(shutil.which(name) for name in self.programs)

    def install_line(self) -> str:
        """Return the command that a person would type."""
        return f"apt-get install {self.package}"


BROWSER = Need(("chromium",), "chromium")
COMPILER = Need(("gcc", "cc"), "gcc libc6-dev")


@dataclass(frozen=True)
class Suite:
    """One row: `commands` run in order, and the first that fails ends the suite."""

    name: str
    commands: tuple[tuple[str | Path, ...], ...]
    seconds: int
    needs: tuple[Need, ...] = ()
    folder: str | None = None  # a pytest suite's folder; its tests are counted one by one


def _pytest(name: str, seconds: int, *needs: Need) -> Suite:
    folder = f"tests/{name}"
    return Suite(name, ((PYTHON, "-m", "pytest", folder),), seconds, needs, folder)


SUITES = (
    Suite("lint", ((BIN / "ruff", "check", "."), (BIN / "buf", "lint")), 60),
    Suite("types", ((BIN / "mypy", *OURS),), 300),
    Suite(
        "generate-check",
        ((*PAGE, "install"), (PYTHON, "protos/tools/generate.py", "--check")),
        300,
    ),
    _pytest("architecture", 120),
    _pytest("contract", 120),
    _pytest("unit", 300),
    _pytest("wire", 300),
    _pytest("integration", 300),
    _pytest("docs", 300),
    _pytest("guarantees", 60),
    _pytest("chaos", 300),
    _pytest("browser", 600, BROWSER),
    Suite(
        "web-lint",
        ((*PAGE, "install"), (*PAGE, "npm", "run", "lint"), (*PAGE, "npm", "run", "types")),
        300,
    ),
    Suite("web", ((*PAGE, "install"), (*PAGE, "npm", "test"), (*PAGE, "build")), 600),
)
