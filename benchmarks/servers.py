"""Starts a hub as a child process and ends it: the tutorial's, or ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import watched_hub

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_ROOT = Path(__file__).parent.parent
_START_SECONDS = 30.0
_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.02
_LOG_TAIL = 4000


class ServerError(Exception):
    """The server did not start."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running hub.

    Attributes:
        pid: of its process.
        grpc_port: of the gRPC door.
        http_port: of the browsers' door; 0 = none.
        notes: of a hub that is watched (`benchmarks.watched_hub`).
    """

    pid: int
    grpc_port: int
    http_port: int
    notes: Path | None = None


@contextmanager
def tutorial_hub(*, web: bool = False) -> Iterator[Server]:
    """The tutorial's hub, with the browsers' door or without."""
    command = [sys.executable, "-m", "benchmarks.tutorial_server", *(["--web"] if web else [])]
    with tempfile.TemporaryDirectory(prefix="bench-tutorial-") as folder:
        ready = Path(folder, "ready.json")
        with _running([*command, "--ready-file", str(ready)], {}, Path(folder), ready) as server:
            yield server


@contextmanager
def our_hub(
    data_root: Path | None = None,
    env: Mapping[str, str] | None = None,
    *,
    watched: bool = False,
) -> Iterator[Server]:
    """``rthub serve --dev`` with a fresh data folder.

    Args:
        data_root: folder on the disk to store on; default: the system's temporary folder.
        env: more of its settings.
        watched: it notes inside its process when it was asked and when it was done.
    """
    with tempfile.TemporaryDirectory(prefix="bench-hub-", dir=data_root) as folder:
        ready = Path(folder, "ready.json")
        settings = {
            "RTHUB_GRPC_PORT": "0",
            "RTHUB_HTTP_PORT": "0",
            "RTHUB_DATA_DIR": str(Path(folder, "data")),
            "RTHUB_READY_FILE": str(ready),
            "RTHUB_LOG_LEVEL": "warning",
            # What is measured is how much it can take, and not how it protects itself.
            "RTHUB_OVERLOAD_LAG": "0",
            **(env or {}),
        }
        notes = Path(folder, "notes")
        if watched:
            settings[watched_hub.FILE_VARIABLE] = str(notes)
        module = watched_hub.__name__ if watched else "hub"
        command = [sys.executable, "-m", module, "serve", "--dev"]
        with _running(command, settings, Path(folder), ready) as server:
            yield replace(server, notes=notes) if watched else server


@contextmanager
def _running(
    command: Sequence[str], settings: dict[str, str], folder: Path, ready: Path
) -> Iterator[Server]:
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=_ROOT, env={**os.environ, **settings}, stdout=output, stderr=output
        )
        try:
            yield _await_ready(process, ready, log)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                print(f"note: {command[2]} did not stop in {_STOP_SECONDS} s and was killed")


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])


def _await_ready(process: subprocess.Popen[bytes], ready: Path, log: Path) -> Server:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if ready.exists():
            doors = json.loads(ready.read_text())
            return Server(process.pid, _port(doors["grpc"]), _port(doors["http"]))
        time.sleep(_POLL_SECONDS)
    tail = log.read_text(errors="replace")[-_LOG_TAIL:]
    state = "not ready in time" if process.poll() is None else f"ended with {process.poll()}"
    raise ServerError(f"{' '.join(map(str, process.args))}: {state}\n{tail}")  # type: ignore[arg-type]
