"""`rthub work run` on a real hub: a command's exit status decides what becomes of each event."""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage

from hub.cli.as_json import event_json, payload_json
from shipspeak.realtime.v1 import event_pb2, meeting_pb2
from shipspeak_realtime import AdminClient, Event, RealtimeClient
from tests.integration.test_sdk_cli import rthub
from tests.support.until import until
from tests.support.work_runner import SECONDS, WAITING, Runner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from tests.support.hub_process import HubProcess

pytestmark = pytest.mark.timeout(240)
# Between two questions: the hub that is asked has work to do.
PACE_SECONDS = 0.05
PROGRESS = meeting_pb2.StageProgress(stage="analyse", fraction=0.5)


@pytest.fixture
def name() -> str:
    return secrets.token_hex(4)


@pytest.fixture
def start(tmp_path: Path, name: str) -> Iterator[Callable[..., Runner]]:
    """Start runners; each has a folder of its own, and they end with the test."""
    with ExitStack() as stack:
        count = 0

        def run(hub: HubProcess, script: str, *options: str) -> Runner:
            nonlocal count
            count += 1
            folder = tmp_path / f"runner{count}"
            folder.mkdir()
            runner = Runner(folder, hub, name, script, *options)
            stack.callback(runner.stop)
            return runner

        yield run


@pytest.fixture
async def client(shared_hub: HubProcess) -> AsyncIterator[RealtimeClient]:
    async with RealtimeClient(shared_hub.grpc) as client:
        yield client


async def opened(hub: HubProcess, name: str, members: int = 1) -> None:
    """Return when the hub knows so many members."""
    async with AdminClient(hub.grpc) as admin, asyncio.timeout(SECONDS):
        while True:
            if [work.members for work in await admin.work() if work.name == name] == [members]:
                return
            await asyncio.sleep(PACE_SECONDS)


async def done(hub: HubProcess, name: str) -> None:
    """Return when nothing waits for an acknowledgement."""
    async with AdminClient(hub.grpc) as admin, asyncio.timeout(SECONDS):
        while True:
            if [work.backlog for work in await admin.work() if work.name == name] == [0]:
                return
            await asyncio.sleep(PACE_SECONDS)


async def test_a_command_gets_the_payload_and_the_facts_and_acknowledges_by_its_end(
    client: RealtimeClient, shared_hub: HubProcess, name: str, start: Callable[..., Runner]
) -> None:
    """E1: exit 0."""
    runner = start(shared_hub, "cat > input; env | grep ^RTHUB_ > facts; echo > begun; echo told")
    await opened(shared_hub, name)
    receipt = await client.publish(
        f"meeting/{name}/a", PROGRESS, id="one", key="k", attributes={"room": "5"}
    )
    await runner.until_begun(1)
    await done(shared_hub, name)
    assert json.loads((runner.folder / "input").read_text()) == {
        "attempt": 1,
        "stageProgress": {"stage": "analyse", "fraction": 0.5},
    }
    facts = dict(line.split("=", 1) for line in (runner.folder / "facts").read_text().splitlines())
    told = {
        "RTHUB_SERVER": shared_hub.grpc,
        "RTHUB_WORK": name,
        "RTHUB_TOPIC": f"meeting/{name}/a",
        "RTHUB_EVENT_ID": "one",
        "RTHUB_OFFSET": str(receipt.offset),
        "RTHUB_ATTEMPT": "1",
        "RTHUB_KIND": "meeting",
        "RTHUB_TYPE": "shipspeak.realtime.v1.MeetingUpdate",
        "RTHUB_KEY": "k",
        "RTHUB_ATTRIBUTES": '{"room": "5"}',
    }
    assert told.items() <= facts.items()
    runner.process.terminate()
    assert await runner.wait() == 0
    printed = runner.told.read_text()
    assert "told\n" in printed
    assert f"-- meeting/{name}/a #1 attempt 1: exit 0 after" in printed


async def test_other_ends_bring_it_back_and_65_makes_a_dead_letter(
    client: RealtimeClient, shared_hub: HubProcess, name: str, start: Callable[..., Runner]
) -> None:
    """E1: the second attempt comes after the backoff."""
    runner = start(
        shared_hub,
        'echo "$RTHUB_EVENT_ID $RTHUB_ATTEMPT" >> begun\n[ $RTHUB_ATTEMPT = 1 ] && exit 3\nexit 65',
    )
    await opened(shared_hub, name)
    await client.publish(f"meeting/{name}/a", PROGRESS, id="one")
    await runner.until_begun(2)
    assert runner.lines() == [["one", "1"], ["one", "2"]]
    await done(shared_hub, name)
    assert await _dead(client, name) == [("REJECTED_BY_MEMBER", "2")]
    printed = runner.told.read_text()
    assert "exit 3 after" in printed
    assert "again in 1 s" in printed
    assert "to the dead letters" in printed
    assert "Traceback" not in printed


async def test_the_last_attempt_makes_a_dead_letter(
    client: RealtimeClient, shared_hub: HubProcess, name: str, start: Callable[..., Runner]
) -> None:
    """E1: also of a command that a signal ends."""
    runner = start(shared_hub, "kill -KILL $$", "--max-attempts", "1")
    await opened(shared_hub, name)
    await client.publish(f"meeting/{name}/a", PROGRESS, id="one")
    await until(lambda: "SIGKILL after" in runner.told.read_text(), seconds=SECONDS)
    await done(shared_hub, name)
    assert await _dead(client, name) == [("REJECTED_BY_MEMBER", "1")]


async def test_several_run_at_a_time(
    client: RealtimeClient, shared_hub: HubProcess, name: str, start: Callable[..., Runner]
) -> None:
    runner = start(shared_hub, WAITING, "--concurrency", "3")
    await opened(shared_hub, name)
    for number in range(4):
        await client.publish(f"meeting/{name}/{number}", PROGRESS, id=f"e{number}")
    await runner.until_begun(3)
    async with AdminClient(shared_hub.grpc) as admin:
        (info,) = [work for work in await admin.work() if work.name == name]
        assert (info.outstanding, info.backlog) == (3, 4)
    runner.end_commands(0)
    await done(shared_hub, name)
    assert sorted(line[0] for line in runner.lines()) == ["e0", "e1", "e2", "e3"]


async def test_sigterm_lets_the_command_end(
    client: RealtimeClient, shared_hub: HubProcess, name: str, start: Callable[..., Runner]
) -> None:
    """E1: its acknowledgement counts, and nothing new is begun."""
    runner = start(shared_hub, WAITING)
    await opened(shared_hub, name)
    await client.publish(f"meeting/{name}/a", PROGRESS, id="one")
    await runner.until_begun(1)
    runner.process.terminate()
    await until(lambda: "no new events" in runner.told.read_text(), seconds=SECONDS)
    await client.publish(f"meeting/{name}/a", PROGRESS, id="two")
    assert runner.process.poll() is None
    runner.end_commands(0)
    assert await runner.wait() == 0
    assert [line[0] for line in runner.lines()] == ["one"]
    other = start(shared_hub, WAITING)
    other.end_commands(0)
    await done(shared_hub, name)
    assert [line[0] for line in other.lines()] == ["two"]


async def test_a_second_signal_breaks_it_off(
    client: RealtimeClient, shared_hub: HubProcess, name: str, start: Callable[..., Runner]
) -> None:
    """E1: the event goes back and that was no attempt; the command is told to end."""
    runner = start(shared_hub, f"trap 'echo ended > ended; exit 1' TERM\n{WAITING}")
    await opened(shared_hub, name)
    await client.publish(f"meeting/{name}/a", PROGRESS, id="one")
    await runner.until_begun(1)
    runner.process.terminate()
    await until(lambda: "no new events" in runner.told.read_text(), seconds=SECONDS)
    runner.process.send_signal(signal.SIGINT)
    await runner.wait()
    assert (runner.folder / "ended").exists()
    other = start(shared_hub, WAITING)
    other.end_commands(0)
    await done(shared_hub, name)
    assert [line[0] for line in other.lines()] == ["one"]


async def test_a_killed_runner_loses_nothing(
    client: RealtimeClient, shared_hub: HubProcess, name: str, start: Callable[..., Runner]
) -> None:
    """E1: kill -9; what it held goes to another, as a second attempt."""
    runner = start(shared_hub, WAITING)
    await opened(shared_hub, name)
    for number in (1, 2):
        await client.publish(f"meeting/{name}/{number}", PROGRESS, id=f"e{number}")
    await runner.until_begun(1)
    (begun,) = runner.lines()
    runner.process.kill()
    await runner.wait()
    other = start(shared_hub, WAITING)
    other.end_commands(0)
    await done(shared_hub, name)
    attempts = {line[0]: line[1] for line in other.lines()}
    assert set(attempts) == {"e1", "e2"}
    assert attempts[begun[0]] == "2"


async def test_a_command_whose_event_is_anothers_is_stopped(
    hub: HubProcess, name: str, start: Callable[..., Runner]
) -> None:
    """E1: after a kill of the hub its runner gets the event again, one run after the other."""
    runner = start(hub, f"trap 'echo ended > ended; exit 1' TERM\n{WAITING}")
    await opened(hub, name)
    async with RealtimeClient(hub.grpc) as client:
        await client.publish(f"meeting/{name}/a", PROGRESS, id="one")
    await runner.until_begun(1)
    await asyncio.to_thread(hub.restart)
    await runner.until_begun(2)
    assert (runner.folder / "ended").exists()
    runner.end_commands(0)
    await done(hub, name)
    assert runner.lines() == [["one", "1"], ["one", "2"]]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("a", "meeting/*", "--", "no-such-program"), 1, "no program 'no-such-program'"),
        (("a", "meeting/*"), 1, "Missing argument"),
        (("a", "meeting/*", "--ack-deadline", "5", "--", "true"), 1, "Invalid value"),
        (("a", "meeting/**/x", "--", "true"), 3, "TOPIC_INVALID"),
    ],
)
def test_mistakes_are_told(
    shared_hub: HubProcess, arguments: tuple[str, ...], code: int, words: str
):
    told = rthub("work", "run", *arguments, server=shared_hub.grpc)
    assert told.returncode == code
    assert words in told.stderr
    assert "Traceback" not in told.stderr


def test_a_packed_message_of_an_unknown_type_is_told_as_bytes():
    packed = AnyMessage(type_url="type.googleapis.com/org.Job", value=b"\x00\xff")
    message = event_pb2.Event(id="one", content=event_pb2.Content(key="k", other=packed))
    event = Event("meeting/1", message, None)
    told = {"@type": "type.googleapis.com/org.Job", "value": "AP8="}
    assert payload_json(event) == told
    assert event_json(event) == {
        "topic": "meeting/1",
        "id": "one",
        "content": {"key": "k", "other": told},
    }


async def _dead(client: RealtimeClient, name: str) -> list[tuple[str, str]]:
    """Reason and attempts of each dead letter of a work subscription, once there is one."""
    async with asyncio.timeout(SECONDS):
        while True:
            page = await client.read_history("dead/meeting", limit=1000)
            letters = [one.attributes for one in page.events if one.attributes["work"] == name]
            if letters:
                return [(each["reason"], each["attempts"]) for each in letters]
            await asyncio.sleep(PACE_SECONDS)
