"""The table of suites: what `make test` runs, what each needs, and how long it may take."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
Command = tuple[str | Path, ...]
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
ENGINES = (
    BROWSER,
    Need(("firefox-esr",), "firefox-esr"),
    Need(("WebKitWebDriver",), "webkit2gtk-driver"),
    Need(("Xvfb",), "xvfb"),
)
NGINX = Need(("nginx", "/usr/sbin/nginx"), "nginx-light")
COMPILER = Need(("gcc", "cc"), "gcc libc6-dev")


class Full(NamedTuple):
    """The long form of a suite, and how long it may take."""

    command: Command
    seconds: int


@dataclass(frozen=True)
class Suite:
    """One row: `commands` run in order, and the first that fails ends the suite.

    `full` is what `make prove` runs in their place: the form that is too long for `make test`.
    """

    name: str
    commands: tuple[Command, ...]
    seconds: int
    needs: tuple[Need, ...] = ()
    folder: str | None = None  # a pytest suite's folder; its tests are counted one by one
    full: Full | None = None


def _pytest(
    name: str,
    seconds: int,
    *needs: Need,
    before: tuple[Command, ...] = (),
    processes: int = 0,
    full: Full | None = None,
) -> Suite:
    folder = f"tests/{name}"
    # Whole files to one process: what a module prepares is prepared once.
    spread = ("-n", str(processes), "--dist", "loadfile") if processes else ()
    command = (PYTHON, "-m", "pytest", *spread, folder)
    return Suite(name, (*before, command), seconds, needs, folder, full)


INSTALL: Command = (*PAGE, "install")
BUILD: Command = (*PAGE, "build")

SUITES = (
    Suite("lint", ((BIN / "ruff", "check", "."), (BIN / "buf", "lint")), 60),
    Suite("types", ((BIN / "mypy", *OURS),), 300),
    Suite("generate-check", (INSTALL, (PYTHON, "protos/tools/generate.py", "--check")), 300),
    _pytest("architecture", 120),
    _pytest("contract", 300, processes=2),
    _pytest("unit", 400, COMPILER, processes=2),
    _pytest(
        "wire",
        300,
        full=Full((PYTHON, "-m", "pytest", "tests/wire", "--http-server", "granian"), 600),
    ),
    _pytest("integration", 600, processes=2),
    # Behind nginx, as it is shipped in deploy/.
    _pytest("proxy", 300, NGINX),
    _pytest("docs", 300),
    _pytest("guarantees", 60),
    _pytest("simulation", 600, full=Full((PYTHON, "-m", "tests.simulation", "--bound"), 900)),
    _pytest("chaos", 600, COMPILER, full=Full((PYTHON, "-m", "tests.chaos"), 1200)),
    _pytest("cluster", 400, full=Full((PYTHON, "-m", "tests.cluster"), 900)),
    _pytest("attacks", 900, full=Full((PYTHON, "-m", "tests.attacks"), 3600)),
    Suite(
        "bench",
        ((PYTHON, "-m", "benchmarks.bench", "--quick"),),
        300,
        (COMPILER,),
        full=Full((PYTHON, "-m", "benchmarks.bench"), 900),
    ),
    # Its other rows have a form of seconds in the unit suite. The long one plays void pairs again.
    Suite(
        "pressure",
        ((PYTHON, "-m", "benchmarks.pressure", "--quick", "--only", "storm"),),
        120,
        (COMPILER,),
        full=Full((PYTHON, "-m", "benchmarks.pressure"), 5400),
    ),
    # The scenarios are run by Node and drive the page as it is built.
    _pytest("browser", 600, BROWSER, before=(BUILD,)),
    Suite(
        "web-lint",
        (INSTALL, (*PAGE, "npm", "run", "lint"), (*PAGE, "npm", "run", "types")),
        300,
    ),
    Suite("web", (INSTALL, (*PAGE, "npm", "test"), BUILD), 600),
    # Chromium, Firefox and WebKit, one after the other.
    Suite(
        "web-engines",
        (INSTALL, (*PAGE, "npm", "run", "test:browser"), (*PAGE, "npm", "run", "test:pages")),
        900,
        ENGINES,
        full=Full((*PAGE, "npm", "run", "prove"), 1200),
    ),
)
