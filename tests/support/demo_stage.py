"""The reference product's programs and a hub with tokens, as processes of a test."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from shipspeak_demo.settings import read_settings
from shipspeak_demo.tokens import page_token

from shipspeak_realtime import RealtimeClient

ROOT = Path(__file__).resolve().parents[2]
PATHS = (".", "clients/python", "clients/python/gen", "clients/demo/backend")
START_SECONDS = 60
STOP_SECONDS = 30
HUB = "import sys\nfrom hub.cli.serve import serve\nimport typer\ntyper.run(serve)\n"


class Stage:
    """Starts programs and ends each of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[subprocess.Popen[str]] = []
        self.env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(str(ROOT / path) for path in PATHS),
            "RTHUB_AUTH_HS256_SECRET": "0123456789abcdef0123456789abcdef",
            "RTHUB_AUTH_ISSUER": "demo",
            "RTHUB_AUTH_AUDIENCE": "hub",
            "SHIPSPEAK_DEMO_DATA": str(folder / "demo"),
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        log = (self.folder / f"{len(self.running)}.log").open("w")
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        log.close()
        self.running.append(process)
        return process

    async def start_hub(self) -> None:
        ready = self.folder / "ready.json"
        hub = self.start(
            "-c", HUB, "--grpc-port", "0", "--http-port", "0",
            "--data-dir", str(self.folder / "hub"), "--ready-file", str(ready),
        )  # fmt: skip
        async with asyncio.timeout(START_SECONDS):
            while not ready.exists():
                assert hub.poll() is None, (self.folder / "0.log").read_text()
                await asyncio.sleep(0.05)
        self.env["SHIPSPEAK_DEMO_HUB"] = json.loads(ready.read_text())["grpc"]

    async def start_ready(self, *arguments: str) -> tuple[subprocess.Popen[str], str]:
        """Start a program and wait for its ready line; returns the line's last word."""
        process = self.start(*arguments)
        assert process.stdout is not None
        line = await asyncio.to_thread(process.stdout.readline)
        assert " ready" in line, (self.folder / f"{len(self.running) - 1}.log").read_text()
        return process, line.split()[-1]

    def end(self) -> list[int]:
        """End each program, by force where it does not go by itself; gives their exit codes."""
        for process in self.running:
            process.terminate()
        codes = [_ended(process) for process in self.running]
        for process in self.running:
            if process.stdout is not None:
                process.stdout.close()
        return codes

    def reader(self, user: str) -> RealtimeClient:
        """A client of the hub with a page's rights."""
        return RealtimeClient(self.env["SHIPSPEAK_DEMO_HUB"], token=self.token(user))

    def token(self, user: str) -> str:
        """A page's token for a user."""
        return page_token(read_settings(self.env), user, time.time())[0]


def _ended(process: subprocess.Popen[str]) -> int:
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
