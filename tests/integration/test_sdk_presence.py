"""Presence through the Python SDK: over reconnects, beside readers, with rights."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

import pytest

from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2
from shipspeak.realtime.v1.meeting_pb2 import StageProgress
from shipspeak_realtime import (
    InvalidRequestError,
    Members,
    PermissionDeniedError,
    PresenceReader,
    RealtimeClient,
    State,
)
from tests.support.present import mint, secret
from tests.support.raw_client import RawClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.hub_process import HubProcess

SECONDS = 20


@pytest.fixture
def topic() -> str:
    return f"meeting/{secrets.token_hex(4)}"


def states(members: Members) -> dict[str, str]:
    return {member.client_id: member.state for member in members.members}


async def until(reader: PresenceReader, expected: dict[str, str]) -> Members:
    """Read on until the whole state is this."""
    async with asyncio.timeout(SECONDS):
        while True:
            members = await reader.next()
            if states(members) == expected:
                return members


async def until_live(client: RealtimeClient) -> None:
    async with asyncio.timeout(SECONDS):
        changes = client.connection_changes()
        while client.state is not State.LIVE:
            await anext(changes)


async def test_join_update_leave_and_the_merged_state(shared_hub: HubProcess, topic: str) -> None:
    """L4: who is there, live."""
    async with (
        RealtimeClient(shared_hub.grpc, client_id="w") as watcher,
        RealtimeClient(shared_hub.grpc, client_id="a") as alice,
        watcher.presence(topic) as reader,
    ):
        await until(reader, {})
        await alice.set_presence(topic, "active", {"page": "3"})
        members = await until(reader, {"a": "active"})
        assert members.members[0].metadata == {"page": "3"}
        assert (members.sessions, members.users, members.listed) == (1, 1, True)
        async with RealtimeClient(shared_hub.grpc, client_id="b") as bob:
            await bob.set_presence(topic)
            await until(reader, {"a": "active", "b": "online"})
            assert states(await bob.read_presence(topic)) == {"a": "active", "b": "online"}
            assert (await bob.read_presence(topic, counts_only=True)).sessions == 2
        await until(reader, {"a": "active"})
        await alice.set_presence(topic, "offline")
        await until(reader, {})


async def test_beside_a_reader_of_events_on_one_session(shared_hub: HubProcess, topic: str) -> None:
    """A watch may begin and end before, during and after a subscription of the topic."""
    async with (
        RealtimeClient(shared_hub.grpc, client_id="w") as watcher,
        RealtimeClient(shared_hub.grpc, client_id="a") as alice,
    ):
        await watcher.set_presence(topic, "away")
        async with watcher.presence(topic) as reader:
            await until(reader, {"w": "away"})
            async with watcher.subscribe(topic, start="earliest") as events:
                await alice.publish(topic, StageProgress(stage="analyse", fraction=0.5))
                async with asyncio.timeout(SECONDS):
                    assert (await events.next_event()).offset == 1
                await alice.set_presence(topic)
                await until(reader, {"w": "away", "a": "online"})
            await alice.set_presence(topic, "away")
            await until(reader, {"w": "away", "a": "away"})
        async with watcher.subscribe(topic) as events, watcher.presence(topic) as reader:
            await until(reader, {"w": "away", "a": "away"})
            await alice.publish(topic, StageProgress(stage="analyse", fraction=0.6))
            async with asyncio.timeout(SECONDS):
                assert (await events.next_event()).offset == 2


async def test_a_restart_of_the_hub_is_survived(hub: HubProcess, topic: str) -> None:
    """After a reconnect the client says its presence again; the watcher has the full state."""
    async with (
        RealtimeClient(hub.grpc, client_id="w") as watcher,
        RealtimeClient(hub.grpc, client_id="a") as alice,
        watcher.presence(topic) as reader,
    ):
        await alice.set_presence(topic, "active")
        await until(reader, {"a": "active"})
        await asyncio.to_thread(hub.restart)
        # Nothing that came before the restart may be taken for what comes after it.
        await until_live(alice)
        await until_live(watcher)
        async with RealtimeClient(hub.grpc, client_id="b") as bob:
            await bob.set_presence(topic)
            await until(reader, {"a": "active", "b": "online"})


async def test_without_a_session_it_is_said_when_one_opens(hub: HubProcess, topic: str) -> None:
    await asyncio.to_thread(hub.kill)
    async with RealtimeClient(hub.grpc, client_id="a") as alice:
        await alice.set_presence(topic, "away")
        await asyncio.to_thread(hub.restart)
        async with (
            RealtimeClient(hub.grpc, client_id="w") as watcher,
            watcher.presence(topic) as reader,
        ):
            await until(reader, {"a": "away"})


async def test_refusals(start_hub: Callable[..., HubProcess], topic: str) -> None:
    hub = await asyncio.to_thread(start_hub, env=secret(), dev=False)
    reads = mint("carol", subscribe=["*/*"])
    async with RealtimeClient(hub.grpc, token=reads) as carol, carol.subscribe(topic) as events:
        await until_live(carol)
        with pytest.raises(PermissionDeniedError):
            await carol.set_presence(topic)
        with pytest.raises(PermissionDeniedError):
            await carol.read_presence(topic)
        async with carol.presence(topic) as reader:
            with pytest.raises(PermissionDeniedError):
                await until(reader, {})
        await until_live(carol)
        assert not events.failed, "reading goes on"
    everything = mint("dave", subscribe=["*/*"], presence=["*/*"])
    async with RealtimeClient(hub.grpc, token=everything) as dave:
        with pytest.raises(InvalidRequestError) as refused:
            async for _ in dave.presence("system/all"):
                pass
        assert refused.value.reason == "PRESENCE_NOT_ALLOWED"


async def test_leaving_a_loop_ends_the_watch(shared_hub: HubProcess, topic: str) -> None:
    async with RealtimeClient(shared_hub.grpc, client_id="w") as watcher:
        reader = watcher.presence(topic)
        async with asyncio.timeout(SECONDS):
            async for members in reader:
                assert members.sessions == 0
                break
        again = watcher.presence(topic)
        async with again:
            await until(again, {})


async def test_what_is_said_too_fast_waits_and_the_latest_stands(
    shared_hub: HubProcess, topic: str
) -> None:
    """G12: a client that flaps tires nobody, and is seen as it is in the end."""
    async with (
        RealtimeClient(shared_hub.grpc, client_id="watcher") as watcher,
        RealtimeClient(shared_hub.grpc, client_id="flapper") as flapper,
        watcher.presence(topic) as reader,
    ):
        await until(reader, {})
        async with flapper.subscribe(topic):
            await until_live(flapper)
            says = [
                flapper.set_presence(topic, "active", {"step": str(number)})
                for number in range(300)
            ]
            async with asyncio.timeout(3 * SECONDS):
                await asyncio.gather(*says)
                members = await until(reader, {"flapper": "active"})
                while members.members[0].metadata["step"] != "299":
                    members = await reader.next()


async def test_a_session_that_changes_its_presence_too_often_is_told_when_to_go_on(
    start_hub: Callable[..., HubProcess], topic: str
) -> None:
    """G12: repeats of what was said are free, and so is leaving."""
    hub = start_hub(env={"RTHUB_RATE_PRESENCE_PER_SESSION": "0.001"})
    active, offline = frame_pb2.PRESENCE_STATE_ACTIVE, frame_pb2.PRESENCE_STATE_OFFLINE
    async with RawClient(hub.grpc) as client:
        stream, _ = await client.session(client_id="flapper")
        for number in range(303):
            facts = {"n": str(number // 3)}
            said = frame_pb2.SetPresence(topic=topic, state=active, metadata=facts)
            await stream.send(request_id=number + 1, presence=said)
        errors = [await stream.control("error", 60) for _ in range(3)]
        assert [error.request_id for error in errors] == [301, 302, 303]
        assert {error.reason for error in errors} == {reasons.ERROR_REASON_RATE_LIMITED}
        assert {error.topic for error in errors} == {topic}
        assert all(error.retry_after.seconds > 0 for error in errors)
        leaving = frame_pb2.SetPresence(topic=topic, state=offline)
        await stream.send(request_id=500, presence=leaving)
        await stream.send(ping=frame_pb2.Ping(nonce=1))
        assert (
            await stream.until(lambda frame: frame.WhichOneof("control") != "heartbeat")
        ).HasField("pong")
