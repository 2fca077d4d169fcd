"""Back end, worker and hub as real processes; the worker is killed in mid-analysis."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from shipspeak_demo.analysis.pipeline import analyse
from shipspeak_demo.facts import STAGE_NAMES
from shipspeak_demo.settings import read_settings
from shipspeak_demo.tokens import page_token
from shipspeak_demo.transcript import read_transcript

from shipspeak.realtime.v1 import meeting_pb2
from shipspeak_realtime import RealtimeClient

ROOT = Path(__file__).resolve().parents[3]
PATHS = (".", "clients/python", "clients/python/gen", "clients/demo/backend")
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
        async with asyncio.timeout(20):
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
        for process in self.running:
            process.terminate()
        codes = [process.wait(15) for process in self.running]
        for process in self.running:
            if process.stdout is not None:
                process.stdout.close()
        return codes


@pytest.fixture
def stage(tmp_path):
    stage = Stage(tmp_path)
    yield stage
    stage.end()


async def watch(stage: Stage, topic: str, seen: list[Any], killed_at: asyncio.Event) -> None:
    token = page_token(read_settings(stage.env), "watcher", time.time())[0]
    async with RealtimeClient(stage.env["SHIPSPEAK_DEMO_HUB"], token=token) as hub:
        async for event in hub.subscribe(topic, start="earliest"):
            seen.append(event)
            update = event.payload
            assert isinstance(update, meeting_pb2.MeetingUpdate)
            kind = update.WhichOneof("update")
            if kind == "stage_progress" and update.stage_progress.stage == "language":
                killed_at.set()
            if kind in {"completed", "failed"}:
                return


async def test_a_killed_worker_is_followed_by_one_that_ends_the_same(stage, samples):
    data = (samples / "pitch-practice.srt").read_bytes()
    await stage.start_hub()
    _, url = await stage.start_ready("-m", "shipspeak_demo.backend", "--port", "0")
    worker, _ = await stage.start_ready("-m", "shipspeak_demo.worker", "--speed", "240")
    seen: list[Any] = []
    in_mid_analysis = asyncio.Event()
    async with httpx.AsyncClient(base_url=url) as http, asyncio.timeout(45):
        body = {"filename": "pitch.srt", "size": len(data)}
        meeting = (await http.post("/api/meetings", json=body)).json()
        watching = asyncio.create_task(watch(stage, meeting["topic"], seen, in_mid_analysis))
        headers = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
        sent = await http.patch(meeting["upload_url"], content=data, headers=headers)
        assert sent.status_code == 204
        await in_mid_analysis.wait()
        worker.kill()
        await asyncio.to_thread(worker.wait)
        assert (await http.get(f"/api/meetings/{meeting['id']}")).json()["status"] == "processing"
        second, _ = await stage.start_ready("-m", "shipspeak_demo.worker", "--speed", "0")
        await watching
        result = (await http.get(f"/api/meetings/{meeting['id']}/result")).json()
    figures = analyse(read_transcript(data))
    assert {name: result[name] for name in figures} == json.loads(json.dumps(figures))
    assert [event.offset for event in seen] == list(range(1, len(seen) + 1))
    updates = [event.payload for event in seen]
    began = [u.stage_changed.stage for u in updates if u.WhichOneof("update") == "stage_changed"]
    assert began == list(STAGE_NAMES)
    steps = [
        (u.stage_progress.stage, u.stage_progress.detail)
        for u in updates
        if u.WhichOneof("update") == "stage_progress"
    ]
    assert len(steps) == len(set(steps))
    second.terminate()
    assert await asyncio.to_thread(second.wait, 15) == 0
