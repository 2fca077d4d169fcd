"""The code in the pages runs as it stands there."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from shipspeak.realtime.v1 import meeting_pb2, notification_pb2
from shipspeak_realtime import (
    AdminClient,
    Delivery,
    Event,
    Outcome,
    RealtimeClient,
    RealtimeWorker,
    SqliteOutbox,
    UserProgress,
)
from tests.docs.pages import ROOT, page
from tests.support.hub_process import HubProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

# The compiler takes a minute on a busy machine.
pytestmark = pytest.mark.timeout(300)
ADDRESS = "127.0.0.1:50051"
SECONDS = 120.0


@pytest.fixture(scope="module")
def hub_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    with HubProcess(tmp_path_factory.mktemp("hub")) as process:
        yield process


async def run(code: str, names: dict[str, Any]) -> None:
    """Run a snippet with `await` at its top, as `python -m asyncio` does."""
    compiled = compile(code, "<page>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(compiled, names)  # noqa: S307  # our own page, which this test is about
    if inspect.isawaitable(result):
        await result


async def test_the_readmes_python_publishes_and_reads(hub_process: HubProcess):
    [code] = page("README.md").blocks("python")
    assert len([line for line in code.splitlines() if line]) == 6
    assert ADDRESS in code
    printed: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
    names = {"print": lambda *words: printed.put_nowait(words)}
    reader = asyncio.create_task(run(code.replace(ADDRESS, hub_process.grpc), names))
    try:
        async with asyncio.timeout(SECONDS):
            offset, update = await printed.get()
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
    assert offset == 1
    assert (update.stage_progress.stage, update.stage_progress.fraction) == ("analyse", 0.4)


async def test_the_pythons_page_publishes_a_meeting_and_a_notification(hub_process: HubProcess):
    blocks = page("docs/python.md").blocks("python")
    publish, _disk, inbox, read, history, work, _program, present, meeting, _, _, _, admin = blocks
    saved: list[tuple[str, str]] = []
    async with asyncio.timeout(SECONDS), RealtimeClient(hub_process.grpc) as hub:
        names: dict[str, Any] = {
            "hub": hub,
            "Notification": notification_pb2.Notification,
            "SEVERITY_INFO": notification_pb2.SEVERITY_INFO,
        }
        await run(publish, names)
        assert names["receipt"].outcome is Outcome.STORED

        said = asyncio.Event()
        names |= {"show": lambda event: event, "update": lambda *_: said.set()}
        reader = asyncio.create_task(run(inbox, names))
        await said.wait()
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)

        done = asyncio.Event()

        def save(state: str, cursor: str) -> None:
            saved.append((state, cursor))
            if state == "completed":
                done.set()

        names |= {"state": "", "apply": lambda _, update: update.WhichOneof("update"), "save": save}
        await run(meeting.replace('"42"', '"of-the-page"'), names)
        reader = asyncio.create_task(run(read.replace("meeting/42", "meeting/of-the-page"), names))
        await done.wait()
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
        await run(history.replace("meeting/42", "meeting/of-the-page"), names)
        assert names["events"][0].content.meeting.HasField("completed")
        await _work_is_done(work, hub)
        await _is_seen(present, hub)
        names |= {"AdminClient": AdminClient, "token": None}
        stored = f'"meeting/of-the-page", "{names["events"][0].id}"'
        admin = admin.replace('"meeting/42", "a"', stored).replace(ADDRESS, hub_process.grpc)
        await run(admin, names)
        assert names["removed"] == 2, "the notification above and its receipt"
    states = [state for state, _ in saved]
    assert states[0] == "upload"
    assert states[-1] == "completed"
    assert "stage_changed" in states
    assert all(cursor.startswith("meeting/of-the-page@") for _, cursor in saved)


async def test_the_pythons_page_has_a_worker(hub_process: HubProcess):
    program = page("docs/python.md").blocks("python")[6].replace(ADDRESS, hub_process.grpc)
    names: dict[str, Any] = {
        "Delivery": Delivery,
        "RealtimeClient": RealtimeClient,
        "RealtimeWorker": RealtimeWorker,
        "token": None,
    }

    async def analyse(_: Event) -> None:
        names["worker"].stop()

    names["analyse"] = analyse
    async with asyncio.timeout(SECONDS), RealtimeClient(hub_process.grpc) as hub:
        working = asyncio.create_task(run(program, names))
        while not working.done():
            # What is published before the subscription is open is not its work.
            await hub.publish("meeting/for-the-worker", meeting_pb2.UploadProgress())
        await working


async def test_the_pythons_page_publishes_by_way_of_the_disk(
    hub_process: HubProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    disk = page("docs/python.md").blocks("python")[1].replace(ADDRESS, hub_process.grpc)
    disk = disk.replace("meeting/42", "meeting/by-disk")
    names: dict[str, Any] = {
        "RealtimeClient": RealtimeClient,
        "SqliteOutbox": SqliteOutbox,
        "UploadProgress": meeting_pb2.UploadProgress,
    }
    async with asyncio.timeout(SECONDS):
        await run(disk, names)
        outbox = SqliteOutbox(tmp_path / "news.db")
        async with RealtimeClient(hub_process.grpc, outbox=outbox) as hub:
            await hub.flush_outbox()
            page_of_log = await hub.read_history("meeting/by-disk", limit=1)
    assert page_of_log.events[0].content.meeting.upload.sent_bytes == 1


async def test_the_pythons_page_publishes_practice_notifications_and_progress(
    hub_process: HubProcess,
):
    practice, figures, news = page("docs/python.md").blocks("python")[-4:-1]
    async with asyncio.timeout(SECONDS), RealtimeClient(hub_process.grpc) as hub:
        await run(practice, {"hub": hub})
        summary = (await hub.read_history("practice/7", limit=100)).events[-1]
        assert summary.content.practice.analytics.final
        await run(figures, {"hub": hub})
        names = {
            "hub": hub,
            "tonight": datetime.now(UTC) + timedelta(hours=1),
            "timedelta": timedelta,
            "UserProgress": UserProgress,
        }
        await run(news.replace("alice", "bob"), names)
        inbox = (await hub.read_history("user/bob")).events
        assert [event.content.notification.title for event in inbox] == [
            "Themes are here",
            "Ten meetings",
        ]
        (progress,) = (await hub.read_history("user/bob/progress")).events
        assert UserProgress.of(progress).level == 3


async def _work_is_done(code: str, hub: RealtimeClient) -> None:
    analysed: asyncio.Queue[Event] = asyncio.Queue()
    worker = asyncio.create_task(run(code, {"hub": hub, "analyse": analysed.put}))
    attempt = 0
    # The subscription begins when the hub has taken its first member in.
    while analysed.empty():
        attempt += 1
        await hub.publish(f"meeting/work-{attempt}", meeting_pb2.UploadProgress(sent_bytes=1))
    assert (await analysed.get()).topic.startswith("meeting/work-")
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)


async def _is_seen(code: str, hub: RealtimeClient) -> None:
    told: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
    names = {"hub": hub, "print": lambda *words: told.put_nowait(words)}
    watching = asyncio.create_task(run(code, names))
    while (await told.get())[0] != 1:
        pass
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


def test_the_readmes_react_has_the_right_types(tmp_path: Path):
    """Checked by the compiler of the workspace, against the sources of the browser client."""
    compiler = ROOT / "clients/node_modules/typescript/bin/tsc"
    if not compiler.exists():
        pytest.fail("The npm workspace is not installed: run `make web`.")
    [code] = page("README.md").blocks("tsx")
    assert len([line for line in code.splitlines() if line]) == 6
    assert check_types(compiler, code, tmp_path) == ""
    misspelt = code.replace("meetingId=", "meeting=")
    assert "'meeting' does not exist" in check_types(compiler, misspelt, tmp_path)


def check_types(compiler: Path, code: str, folder: Path) -> str:
    """What the compiler says of a page's code; nothing when it is right."""
    # Inside the workspace, where React's types are found.
    here = ROOT / "clients/node_modules/.page-check" / folder.name
    here.mkdir(parents=True, exist_ok=True)
    try:
        (here / "snippet.tsx").write_text(code)
        web = ROOT / "clients/web/src"
        settings = {
            "extends": str(ROOT / "clients/tsconfig.base.json"),
            "compilerOptions": {
                "types": ["vite/client"],
                "skipLibCheck": True,
                "paths": {
                    "@shipspeak/realtime": [str(web / "index.ts")],
                    "@shipspeak/realtime/react": [str(web / "react/index.ts")],
                    "@shipspeak/realtime/ui": [str(web / "ui/index.ts")],
                },
            },
            "include": ["snippet.tsx"],
        }
        (here / "tsconfig.json").write_text(json.dumps(settings))
        node = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
        assert node is not None
        done = subprocess.run(
            [node, str(compiler), "-p", str(here)], check=False, capture_output=True, text=True
        )
    finally:
        shutil.rmtree(here)
    return done.stdout
