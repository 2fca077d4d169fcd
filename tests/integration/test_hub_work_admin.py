"""What an operator does with work subscriptions on a real hub (E1, E2): list, seek, replay."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

import grpc
import pytest

from shipspeak.realtime.v1 import admin_service_pb2 as messages
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2, frame_pb2
from tests.integration.test_sdk_cli import rthub
from tests.support.raw_client import RawClient, draft, refusal
from tests.support.work_member import Member, ids

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.hub_process import HubProcess


@pytest.fixture
async def client(shared_hub: HubProcess) -> AsyncIterator[RawClient]:
    async with RawClient(shared_hub.grpc) as client:
        yield client


@pytest.fixture
def kind() -> str:
    return secrets.token_hex(4)


async def _listed(client: RawClient, name: str) -> messages.WorkInfo:
    answer = await client.admin("ListWork", messages.ListWorkRequest())
    (info,) = [info for info in answer.work if info.name == name]
    return info  # type: ignore[no-any-return]


async def test_the_list_tells_members_backlog_and_age(client: RawClient, kind: str) -> None:
    """E2."""
    topic = f"meeting/{kind}"
    member = await Member.join(client, kind, topic, max_outstanding=2, ordered=False)
    empty = await _listed(client, kind)
    assert (empty.members, empty.backlog, empty.HasField("oldest")) == (1, 0, False)
    await client.publish(draft(topic, 1), draft(topic, 2), draft(topic, 3))
    (one, _) = await member.deliveries(2)
    info = await _listed(client, kind)
    assert (info.pattern, info.ordered, info.held_back) == (topic, False, False)
    assert (info.members, info.outstanding, info.backlog) == (1, 2, 3)
    assert info.HasField("oldest")
    await member.ack(one)
    assert (await _listed(client, kind)).backlog == 2


async def test_seeking_hands_out_again_and_ends_the_leases(client: RawClient, kind: str) -> None:
    """E2."""
    topic = f"meeting/{kind}"
    member = await Member.join(client, kind, topic)
    await client.publish(draft(topic, 1), draft(topic, 2))
    one, two = await member.deliveries(2)
    await member.ack(one)
    seek = messages.SeekWorkRequest(name=kind, time=one.event.published_at)
    await client.admin("SeekWork", seek)
    assert ids(await member.deliveries(2)) == [("e1", 1), ("e2", 1)]
    assert await member.say(frame_pb2.VERB_ACK, two) == [reasons.ERROR_REASON_DELIVERY_UNKNOWN]


async def test_seeking_to_a_position(client: RawClient, kind: str) -> None:
    topic = f"meeting/{kind}"
    member = await Member.join(client, kind, topic)
    stream, _ = await client.session()
    await client.publish(draft(topic, 1))
    subscribed = await stream.subscribe(topic, at=frame_pb2.START_LATEST)
    await client.publish(draft(topic, 2))
    await member.ack(*await member.deliveries(1))
    await member.ack(*await member.deliveries(1))
    await client.admin(
        "SeekWork", messages.SeekWorkRequest(name=kind, position=subscribed.position)
    )
    assert ids(await member.deliveries(1)) == [("e2", 1)]


@pytest.mark.parametrize(
    ("pattern", "request_of", "reason"),
    [
        (
            "meeting/*",
            lambda name: messages.SeekWorkRequest(name=name, position=event_pb2.Position()),
            "FIELD_INVALID",
        ),
        (
            "meeting/1",
            lambda name: messages.SeekWorkRequest(
                name=name, position=event_pb2.Position(cursor=b"x")
            ),
            "CURSOR_INVALID",
        ),
    ],
)
async def test_refused_seeks(
    client: RawClient, kind: str, pattern: str, request_of: object, reason: str
) -> None:
    await Member.join(client, kind, pattern)
    assert callable(request_of)
    assert await _refused(client, "SeekWork", request_of(kind)) == reason
    assert await _refused(client, "SeekWork", request_of("none")) == "WORK_UNKNOWN"
    assert (
        await _refused(client, "DeleteWork", messages.DeleteWorkRequest(name="x")) == "WORK_UNKNOWN"
    )


async def _refused(client: RawClient, name: str, request: object) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.admin(name, request)
    return refusal(refused.value)[1]


async def test_deleting_tells_the_members(client: RawClient, kind: str) -> None:
    topic = f"meeting/{kind}"
    member = await Member.join(client, kind, topic)
    await client.publish(draft(topic, 1))
    held = await member.deliveries(1)
    await client.admin("DeleteWork", messages.DeleteWorkRequest(name=kind))
    closed = await member.stream.control("work_closed")
    assert closed.error.reason == reasons.ERROR_REASON_WORK_UNKNOWN
    assert await member.say(frame_pb2.VERB_ACK, *held) == [reasons.ERROR_REASON_DELIVERY_UNKNOWN]
    # The name is free for another pattern, and begins anew.
    again = await Member.join(client, kind, f"{topic}/*")
    await again.quiet()


async def test_dead_letters_are_replayed_once(client: RawClient, kind: str) -> None:
    """E1: the event again, as a new one, in its own topic."""
    namespace, topic = "practice", f"practice/{kind}"
    member = await Member.join(client, kind, topic)
    await client.publish(draft(topic, 1), draft(topic, 2))
    for delivery in await member.deliveries(2):
        assert await member.say(frame_pb2.VERB_REJECT, delivery) == [0]
    request = messages.ReplayDeadLettersRequest(namespace=namespace, work=kind, limit=1)
    counts: list[int] = []
    async with asyncio.timeout(60):
        while sum(counts) < 2:  # a dead letter is published a moment after its ruling
            counts.append((await client.admin("ReplayDeadLetters", request)).replayed)
            await asyncio.sleep(0.01)
    assert set(counts) <= {0, 1}
    replayed = await member.deliveries(1)
    replayed += await member.deliveries(1)
    assert [delivery.event.content.metrics.metrics[0].value for delivery in replayed] == [1, 2]
    assert [delivery.event.offset for delivery in replayed] == [3, 4]
    assert (await client.admin("ReplayDeadLetters", request)).replayed == 0
    other = messages.ReplayDeadLettersRequest(namespace=namespace, work="other")
    assert (await client.admin("ReplayDeadLetters", other)).replayed == 0


async def test_the_command_line(client: RawClient, shared_hub: HubProcess, kind: str) -> None:
    """E1, E2: what an operator types."""

    topic = f"user/{kind}"
    member = await Member.join(client, kind, topic)

    async def run(*arguments: str) -> str:
        command = asyncio.create_task(
            asyncio.to_thread(rthub, *arguments, server=shared_hub.grpc),
        )
        while not command.done():
            await member.stream.send(window=frame_pb2.Window())  # its sign of life
            await asyncio.wait([command], timeout=1.0)
        done = await command
        assert done.returncode == 0, done.stderr
        return done.stdout

    await client.publish(draft(topic, 1))
    held = await member.deliveries(1)
    rows = [row.split() for row in (await run("work", "list")).splitlines()]
    assert rows[0][:5] == ["work", "pattern", "members", "held", "backlog"]
    assert [kind, topic, "1", "1", "1"] in [row[:5] for row in rows]
    assert await run("dead", "list", "user") == ""
    assert await member.say(frame_pb2.VERB_REJECT, *held) == [0]
    async with asyncio.timeout(60):
        while not (listed := await run("dead", "list", "user")):
            pass
    assert f"{kind}  {topic} #1  REJECTED_BY_MEMBER after 1" in listed
    replayed = await run("dead", "replay", "user", "--work", kind, "-y")
    assert replayed == "replayed 1 dead letters of user\n"
    await member.ack(*await member.deliveries(1))
    assert (await run("work", "seek", kind, "--to", "1h", "--yes")).startswith(f"moved {kind} to ")
    assert len(await member.deliveries(2)) == 2
    assert await run("work", "delete", kind, "-y") == f"deleted {kind}\n"
