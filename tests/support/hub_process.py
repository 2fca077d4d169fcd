"""A real hub in a process of its own: start, kill, restart on the same ports and data, stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from tests.support import leaks

START_SECONDS = 30.0
STOP_SECONDS = 20.0
_RTHUB = Path(sys.executable).parent / "rthub"


class HubProcess:
    """`rthub serve` on free ports of the loopback interface.

    Use it as a context manager: it starts the hub and stops it at the end, by SIGTERM, whatever
    state it is in. In asynchronous tests call the methods through `asyncio.to_thread`: they wait.

    Args:
        folder: gets the data (`data/`), the ready file and the log.
        options: more options of `rthub serve`, such as ("--heartbeat", "1").
        env: more environment variables, such as RTHUB_AUTH_HS256_SECRET; with a key give dev=False.
        dev: start with --dev.
        start_seconds: how long it may take until it serves.
    """

    def __init__(
        self,
        folder: Path,
        *options: str,
        env: dict[str, str] | None = None,
        dev: bool = True,
        start_seconds: float = START_SECONDS,
    ) -> None:
        self.folder = folder
        self.log_file = folder / "hub.log"
        self.data_dir = folder / "data"
        self._ready_file = folder / "ready.json"
        self._options = [*options, *(["--dev"] if dev else [])]
        # A busy machine must not make a test's hub refuse what the test asks for.
        self._env = {**os.environ, "RTHUB_OVERLOAD_LAG": "0", **(env or {})}
        self._start_seconds = start_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._grpc_port = self._http_port = 0

    _scheme = "http"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.stop()
        if kind is None:
            self._search_log()

    @property
    def grpc(self) -> str:
        """host:port of the gRPC door."""
        return f"127.0.0.1:{self._grpc_port}"

    @property
    def http(self) -> str:
        """Address of the browsers' door, without a slash at the end."""
        return f"{self._scheme}://127.0.0.1:{self._http_port}"

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None, "the hub was not started"
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """All that it logged, over all its starts."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def start(self) -> None:
        """Start it and wait until it serves; the second time on the ports of the first."""
        assert not self.running, "the hub is running already"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._ready_file.unlink(missing_ok=True)
        command = [
            *(str(_RTHUB), "serve", "--data-dir", str(self.data_dir)),
            *("--grpc-port", str(self._grpc_port), "--http-port", str(self._http_port)),
            *("--ready-file", str(self._ready_file), *self._options),
        ]
        with self.log_file.open("ab") as log:
            # A session of its own: Ctrl-C in the terminal must reach the tests first.
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, env=self._env, start_new_session=True
            )
        ready = self._wait_ready(self._process)
        self._grpc_port = int(ready["grpc"].rpartition(":")[2])
        self._scheme = ready["http"].partition(":")[0]
        self._http_port = int(ready["http"].rpartition(":")[2])

    def kill(self) -> None:
        """Kill -9: nothing is flushed, nobody is told."""
        process = self._started()
        process.kill()
        process.wait(STOP_SECONDS)

    def restart(self) -> None:
        """Start again on the same ports and the same data; kills it first where it still runs."""
        if self.running:
            self.kill()
        self.start()

    def terminate(self) -> int:
        """Ask it to drain and go (SIGTERM); gives its exit code."""
        process = self._started()
        process.terminate()
        return process.wait(STOP_SECONDS)

    def pause(self) -> None:
        """SIGSTOP: alive for the kernel, silent for its peers."""
        self._started().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._started().send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it in whatever state it is in; a hub that does not go by SIGTERM fails the test."""
        if not self.running:
            return
        process = self._started()
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)
            raise AssertionError(
                f"no end within {STOP_SECONDS:.0f} s of SIGTERM; log:\n{self.log[-4000:]}"
            ) from None

    def _search_log(self) -> None:
        """No token and no secret is in the log."""
        log = self.log
        known = [*leaks.signatures_in(log), *leaks.secrets_in(self._env)]
        found = leaks.search({"the hub's log": log}, known)
        assert not found, found

    def _started(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the hub was not started"
        return self._process

    def _wait_ready(self, process: subprocess.Popen[bytes]) -> dict[str, str]:
        """Wait for the ready file; the log is in the message where it does not come."""
        deadline = time.monotonic() + self._start_seconds
        while not self._ready_file.exists():
            if process.poll() is not None:
                raise AssertionError(
                    f"the hub ended with {process.returncode}; log:\n{self.log[-4000:]}"
                )
            if time.monotonic() > deadline:
                process.kill()
                process.wait(STOP_SECONDS)
                raise AssertionError(
                    f"not ready within {self._start_seconds:.0f} s; log:\n{self.log[-4000:]}"
                )
            time.sleep(0.02)
        ready: dict[str, str] = json.loads(self._ready_file.read_text())
        return ready
