"""The whole product as processes of its own, and scenarios that drive it in Chromium."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = Path(__file__).parent / "scenarios"
READY = "ShipSpeak Realtime demo"
START_SECONDS = 90.0
SCENARIO_SECONDS = 240.0  # for what hangs: a busy machine takes its time


@dataclass(frozen=True)
class Product:
    """A running hub, back end and worker.

    Attributes:
        page: address of the page.
        ready_file: written by each hub that comes up: JSON with its ``pid``.
    """

    page: str
    ready_file: Path

    def run(self, scenario: str) -> None:
        """Run one scenario in Chromium; fails with what it printed."""
        environment = {
            "PAGE": self.page,
            "HUB_READY_FILE": str(self.ready_file),
            "RTHUB": str(Path(sys.executable).parent / "rthub"),
        }
        run_scenario(scenario, environment)


def run_scenario(scenario: str, environment: dict[str, str]) -> None:
    """Run one scenario of ``scenarios/`` in Node; fails with what it printed."""
    with subprocess.Popen(
        [_node(), str(SCENARIOS / f"{scenario}.mjs")],
        env={**os.environ, **environment},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            said, errors = process.communicate(timeout=SCENARIO_SECONDS)
        except BaseException:
            # Node cannot end what it started any more: the group goes with it.
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert process.returncode == 0, f"{said}\n{errors}"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """One product for all tests of a file; each leaves no fault behind."""
    with running_product(tmp_path_factory.mktemp("product")) as product:
        yield product


@contextlib.contextmanager
def running_product(folder: Path) -> Iterator[Product]:
    """Start everything as ``rthub demo`` does, on free ports, and end it by SIGTERM."""
    if not (ROOT / "clients/demo/dist/index.html").exists():
        pytest.fail("The page is not built: run `make web`.")
    environment = {
        **os.environ,
        "RTHUB_HEARTBEAT_INTERVAL": "1",
        "RTHUB_OVERLOAD_LAG": "0",
    }
    data = folder / "data"
    data.mkdir()
    command = [sys.executable, "-m", "hub", "demo", "--free-ports", "--data-dir", str(data)]
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    said: list[str] = []
    address: list[str] = []
    ready = threading.Event()
    reader = threading.Thread(target=_read, args=(process, said, address, ready), daemon=True)
    reader.start()
    try:
        assert ready.wait(START_SECONDS), "".join(said)
        assert address, "".join(said)
        yield Product(page=address[0], ready_file=data / "hub-ready.json")
    finally:
        _end(process)
        reader.join(5)
        if process.stdout is not None:
            process.stdout.close()


def _read(
    process: subprocess.Popen[str], said: list[str], address: list[str], ready: threading.Event
) -> None:
    assert process.stdout is not None
    with contextlib.suppress(ValueError):  # closed while waiting for the next line
        for line in process.stdout:
            said.append(line)
            if READY in line:
                address.append(line.split()[-1])
                ready.set()
    ready.set()


def _end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)


def _node() -> str:
    """Node of the environment (22 or later), else of the machine."""
    here = Path(sys.executable).parent / "node"
    found = str(here) if here.exists() else shutil.which("node")
    if found is None:
        pytest.fail("Node 22 or later is needed to drive the browser.")
    return found
