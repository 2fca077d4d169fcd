"""Back end, worker and hub as real processes; the worker is killed in mid-analysis."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from shipspeak_demo.analysis.pipeline import analyse
from shipspeak_demo.facts import STAGE_NAMES
from shipspeak_demo.transcript import read_transcript

from shipspeak.realtime.v1 import meeting_pb2
from tests.support.demo_stage import Stage

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def stage(tmp_path):
    stage = Stage(tmp_path)
    yield stage
    stage.end()


async def watch(stage: Stage, topic: str, seen: list[Any], killed_at: asyncio.Event) -> None:
    async with stage.reader("watcher") as hub:
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
    async with httpx.AsyncClient(base_url=url) as http, asyncio.timeout(120):
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
    assert await asyncio.to_thread(second.wait, 60) == 0
