"""How presence ends on a real hub: clean leaves, silent deaths, and clients that come back."""

from __future__ import annotations

import asyncio
import secrets
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import grpc
import pytest

from shipspeak.realtime.v1 import frame_pb2
from tests.support.present import announce, joined, names, read, watching
from tests.support.raw_client import RawClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.support.hub_process import HubProcess

pytestmark = pytest.mark.timeout(240)
CODE = grpc.StatusCode
HEARTBEAT = 1.0
PATIENT = 20
# The hub looks at its sessions once a second, and this machine may be busy: the exact moment is
# held by tests on a clock of their own.
SLACK = 10.0


@pytest.fixture
async def client(shared_hub: HubProcess) -> AsyncIterator[RawClient]:
    async with RawClient(shared_hub.grpc) as client:
        yield client


@pytest.fixture
async def patient(start_hub: Callable[..., HubProcess]) -> AsyncIterator[RawClient]:
    """Of a hub that takes no silence of these tests for death."""
    hub = await asyncio.to_thread(start_hub, "--heartbeat", str(PATIENT))
    async with RawClient(hub.grpc) as client:
        yield client


@pytest.fixture
def topic() -> str:
    return f"meeting/{secrets.token_hex(4)}"


@pytest.mark.parametrize("way", ["offline", "unsubscribe", "half-close"])
async def test_a_clean_leave_is_told_at_once(patient: RawClient, topic: str, way: str) -> None:
    client = patient
    watcher = await watching(client, topic)
    await watcher.control("presence")
    member = await joined(client, topic, "m")
    await member.subscribe(topic)
    assert names(await watcher.control("presence")) == {"m": frame_pb2.PRESENCE_STATE_ONLINE}
    if way == "offline":
        await announce(member, topic, state=frame_pb2.PRESENCE_STATE_OFFLINE)
    elif way == "unsubscribe":
        await member.send(unsubscribe=frame_pb2.Unsubscribe(topic=topic))
    else:
        await member.half_close()
    left = await watcher.control("presence", PATIENT)  # by its silence it would take 2.5 times that
    assert names(left) == {"m": frame_pb2.PRESENCE_STATE_OFFLINE}


MEMBER = """
import asyncio, sys
from shipspeak.realtime.v1 import frame_pb2
from tests.support.raw_client import RawClient

async def main(target, topic):
    async with RawClient(target) as client:
        stream, _ = await client.session(client_id="mortal", window_bytes=65536)
        await stream.send(presence=frame_pb2.SetPresence(topic=topic))
        await stream.send(ping=frame_pb2.Ping(nonce=1))
        await stream.control("pong")
        while True:
            await stream.send(window=frame_pb2.Window())
            await asyncio.sleep(0.5)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("death", ["kill", "stop"])
async def test_a_silent_death_is_told_within_two_and_a_half_heartbeats(
    shared_hub: HubProcess, client: RawClient, topic: str, death: str
) -> None:
    """A process that is killed, and one that is frozen: its connection stays open."""
    watcher = await watching(client, topic)
    await watcher.control("presence")
    process = await asyncio.to_thread(
        subprocess.Popen,
        [sys.executable, "-c", MEMBER, shared_hub.grpc, topic],
    )
    try:
        assert names(await watcher.control("presence", 30)) == {
            "mortal": frame_pb2.PRESENCE_STATE_ONLINE
        }
        if death == "kill":
            process.kill()
        else:
            process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        left = await watcher.control("presence", 30)
        took = time.monotonic() - began
    finally:
        process.kill()
        await asyncio.to_thread(process.communicate)
    assert names(left) == {"mortal": frame_pb2.PRESENCE_STATE_OFFLINE}
    assert took < 2.5 * HEARTBEAT + SLACK


async def test_presence_makes_silence_deadly_without_a_window_too(
    client: RawClient, topic: str
) -> None:
    member = await joined(client, topic, "m")
    assert await member.end() == (CODE.UNAVAILABLE, "HEARTBEAT_MISSED")
    assert (await read(client, topic)).sessions == 0


async def test_a_client_that_flaps_neither_leaves_nor_joins(
    start_hub: Callable[..., HubProcess], topic: str
) -> None:
    hub = await asyncio.to_thread(start_hub, "--heartbeat", "20")
    async with RawClient(hub.grpc) as client, RawClient(hub.grpc) as other:
        member = await joined(client, topic, "flapping")
        watcher = await watching(other, topic)
        before = await watcher.control("presence")
        for _ in range(5):
            member._call.cancel()  # the network breaks
            member = await joined(client, topic, "flapping")
        # A change of another member is the next that is told.
        await joined(other, topic, "calm")
        told = await watcher.control("presence")
        assert names(told) == {"calm": frame_pb2.PRESENCE_STATE_ONLINE}
        everybody = {m.client_id: m for m in (await read(other, topic)).members}
        assert set(everybody) == {"flapping", "calm"}
        assert everybody["flapping"].since == before.members[0].since
