"""Publishing by way of the disk: over kills of the hub and of the publisher.

Requirement E4: offline queues on both sides.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest
from google.protobuf.wrappers_pb2 import Int64Value

from shipspeak.realtime.v1 import meeting_pb2
from shipspeak_realtime import (
    DeadlineError,
    Event,
    OutboxError,
    RealtimeClient,
    RefusedDraft,
    SqliteOutbox,
)
from tests.support.until import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.hub_process import HubProcess

EVENTS = 120
TOPICS = 3
PATIENCE = 100.0
pytestmark = pytest.mark.timeout(300)

# A service: writes numbers down as fast as the disk takes them, says which are there, and lives on.
SERVICE = """
import asyncio, sys
from google.protobuf.wrappers_pb2 import Int64Value
from shipspeak_realtime import RealtimeClient, SqliteOutbox

async def main(server, path, first):
    async with RealtimeClient(server, outbox=SqliteOutbox(path)) as hub:
        for number in range(first, first + 200):
            await hub.publish_soon("meeting/service", Int64Value(value=number), id=f"n{number}")
            print(number, flush=True)
        await asyncio.Event().wait()

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


def value(event: Event) -> int:
    number = Int64Value()
    event.content.other.Unpack(number)
    return number.value


async def read(server: str, topic: str) -> list[int]:
    """All values of a topic."""
    values: list[int] = []
    async with RealtimeClient(server) as client:
        page = await client.read_history(topic, limit=1000)
        values += map(value, page.events)
        while page.more:
            page = await client.read_history(topic, limit=1000, after=page.next)
            values += map(value, page.events)
    return values


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


async def test_a_hub_that_is_away_blocks_nobody_and_nothing_is_lost(
    hub: HubProcess, path: Path
) -> None:
    """E4: what is published meanwhile is there once, in order, when the hub is back."""
    await asyncio.to_thread(hub.kill)
    async with RealtimeClient(hub.grpc, outbox=SqliteOutbox(path)) as client:
        for number in range(EVENTS):
            topic = f"meeting/{number % TOPICS}"
            await client.publish_soon(topic, Int64Value(value=number // TOPICS))
        with pytest.raises(DeadlineError) as early:
            await client.flush_outbox(timeout=0.01)
        assert early.value.reason == "OUTBOX_NOT_EMPTY"
        await asyncio.to_thread(hub.start)
        await client.flush_outbox(timeout=PATIENCE)
    for number in range(TOPICS):
        each = EVENTS // TOPICS
        assert await read(hub.grpc, f"meeting/{number}") == list(range(each))


async def test_a_killed_publisher_goes_on_where_it_was(hub: HubProcess, path: Path) -> None:
    """E4: over kill -9 of publisher and hub, each number once and in order."""
    written = -1
    for turn in range(3):
        command = [sys.executable, "-c", SERVICE, hub.grpc, str(path), str(written + 1)]
        service = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert service.stdout is not None
        try:
            for _ in range(40):
                written = int(await service.stdout.readline())
            if turn == 1:
                await asyncio.to_thread(hub.restart)
        finally:
            service.kill()
            rest = await service.stdout.read()
            await service.wait()
        # The last line may be torn; what is whole was written down before.
        whole = rest.rpartition(b"\n")[0].split()
        written = max([written, *map(int, whole)])
    async with RealtimeClient(hub.grpc, outbox=SqliteOutbox(path)) as client:
        await client.flush_outbox(timeout=PATIENCE)
    numbers = await read(hub.grpc, "meeting/service")
    assert numbers == list(range(len(numbers)))
    # One more may be on disk that nobody was told of.
    assert len(numbers) in (written + 1, written + 2)


async def test_two_processes_share_a_file(hub: HubProcess, path: Path) -> None:
    """One sends for both, and the other takes over when it goes."""
    async with RealtimeClient(hub.grpc, outbox=SqliteOutbox(path)) as one:
        await one.publish_soon("meeting/shared", Int64Value(value=0))
        await one.flush_outbox(timeout=PATIENCE)
        async with RealtimeClient(hub.grpc, outbox=SqliteOutbox(path)) as other:
            await other.publish_soon("meeting/shared", Int64Value(value=1))
            await other.flush_outbox(timeout=PATIENCE)
            await one.close()
            await other.publish_soon("meeting/shared", Int64Value(value=2))
            await other.flush_outbox(timeout=PATIENCE)
    assert await read(hub.grpc, "meeting/shared") == [0, 1, 2]


async def test_what_the_hub_refuses_is_kept_aside_and_told(hub: HubProcess, path: Path) -> None:
    told: list[RefusedDraft] = []
    outbox = SqliteOutbox(path, on_refused=told.append)
    async with RealtimeClient(hub.grpc, outbox=outbox) as client:
        bad = await client.publish_soon("nowhere/1", Int64Value(value=1))
        await client.publish_soon("meeting/good", Int64Value(value=2))
        await client.flush_outbox(timeout=PATIENCE)
        await until(lambda: bool(told))
        assert [refused.draft.id for refused in await outbox.refused()] == [bad]
        assert (await outbox.state()).refused == 1
        assert await outbox.discard([bad]) == 1
        assert (await outbox.state()).refused == 0
    assert [refused.draft.id for refused in told] == [bad]
    assert "nowhere" in told[0].why
    assert await read(hub.grpc, "meeting/good") == [2]


@pytest.mark.parametrize("restarts", [False, True])
async def test_nobody_gets_what_waited_longer_than_its_ttl(
    hub: HubProcess, path: Path, *, restarts: bool
) -> None:
    """Whether the service was restarted meanwhile, or waited for the hub all the time."""
    await asyncio.to_thread(hub.kill)
    async with RealtimeClient(hub.grpc, outbox=SqliteOutbox(path)) as client:
        await client.publish_soon("practice/1", Int64Value(value=1), ttl=0.001)
        await client.publish_soon("practice/1", Int64Value(value=2), ttl=600)
        if not restarts:
            await asyncio.to_thread(hub.start)
            await client.flush_outbox(timeout=PATIENCE)
    if restarts:
        await asyncio.to_thread(hub.start)
        async with RealtimeClient(hub.grpc, outbox=SqliteOutbox(path)) as client:
            await client.flush_outbox(timeout=PATIENCE)
    assert await read(hub.grpc, "practice/1") == [2]


async def test_a_client_without_an_outbox_says_so(hub: HubProcess) -> None:
    async with RealtimeClient(hub.grpc) as client:
        with pytest.raises(OutboxError) as missing:
            await client.publish_soon("meeting/1", meeting_pb2.UploadProgress())
    assert missing.value.reason == "OUTBOX_MISSING"
