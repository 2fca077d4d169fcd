"""Clients of different workers are on one hub: what one does, the other has, sees or is told."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

import grpc
import pytest
from google.protobuf import any_pb2

from shipspeak.realtime.v1 import (
    admin_service_pb2,
    event_pb2,
    frame_pb2,
    realtime_service_pb2,
)
from tests.cluster.clients import Client, on_workers
from tests.cluster.workers import make_hub
from tests.support.raw_client import RawClient, draft, hello, refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.support.hub_process import HubProcess

pytestmark = pytest.mark.timeout(380)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    with make_hub(tmp_path_factory.mktemp("together")) as hub:
        yield hub


@pytest.fixture
async def clients(hub: HubProcess) -> AsyncIterator[tuple[Client, Client]]:
    """Two, each with a session on another worker."""
    async with on_workers(hub, 2) as (first, second):
        yield first, second


@pytest.fixture
def topic() -> str:
    return f"meeting/{uuid.uuid4().hex}"


async def test_each_reads_what_the_other_publishes(clients: tuple[Client, Client], topic: str):
    """F2: whichever worker owns the topic."""
    first, second = clients
    for number in range(8):
        name = f"{topic}-{number}"
        await second.stream.subscribe(name)
        (mine,) = await first.stream.publish(draft(name, 1))
        (yours,) = await second.raw.publish(draft(name, 2))
        assert (mine.offset, yours.offset) == (1, 2)
        assert [event.id for event in await second.stream.events(2)] == ["e1", "e2"]


async def test_an_id_is_stored_once_by_whichever_worker(clients: tuple[Client, Client], topic: str):
    first, second = clients
    (once,) = await first.raw.publish(draft(topic, 1))
    (again,) = await second.raw.publish(draft(topic, 1))
    assert (again.offset, again.epoch, again.duplicate) == (once.offset, once.epoch, True)


async def test_a_cursor_of_one_is_good_at_the_other(clients: tuple[Client, Client], topic: str):
    first, second = clients
    await first.stream.subscribe(topic)
    await first.raw.publish(draft(topic, 1))
    frame = await first.stream.until(lambda frame: frame.runs)
    await first.raw.publish(draft(topic, 2))
    position = event_pb2.Position(cursor=frame.runs[0].cursor)
    answer = await second.stream.subscribe(topic, position=position)
    assert answer.verdict == frame_pb2.VERDICT_OK
    assert [event.id for event in await second.stream.events(1)] == ["e2"]


async def test_presence_is_seen_on_every_worker(clients: tuple[Client, Client], topic: str):
    first, second = clients
    await second.stream.subscribe(topic, presence=True)
    await second.stream.control("presence")
    await first.stream.subscribe(topic)
    joined = frame_pb2.SetPresence(topic=topic, state=frame_pb2.PRESENCE_STATE_ONLINE)
    await first.stream.send(presence=joined)
    told = await second.stream.control("presence")
    assert [member.state for member in told.members] == [frame_pb2.PRESENCE_STATE_ONLINE]
    left = frame_pb2.SetPresence(topic=topic, state=frame_pb2.PRESENCE_STATE_OFFLINE)
    await first.stream.send(presence=left)
    told = await second.stream.control("presence")
    assert told.sessions == 0


async def test_volatile_events_reach_every_worker(clients: tuple[Client, Client]):
    first, second = clients
    topic = f"signal/{uuid.uuid4().hex}"
    await second.stream.subscribe(topic)
    content = event_pb2.Content(other=any_pb2.Any(type_url="x/y", value=b"1"))
    (result,) = await first.raw.publish(event_pb2.Draft(id="v1", topic=topic, content=content))
    assert result.outcome == frame_pb2.OUTCOME_ACCEPTED
    assert [event.id for event in await second.stream.events(1)] == ["v1"]


async def test_calls_of_a_session_find_it_from_any_worker(
    clients: tuple[Client, Client], hub: HubProcess, topic: str
):
    """F2: Touch and UpdateSubscriptions on connections of other workers."""
    async with RawClient(hub.grpc, alone=True) as listener:
        stream = listener.listen(hello=hello(window_bytes=65_536))
        welcome = await stream.control("welcome")
        wanted = [frame_pb2.Subscribe(topic=topic)]
        for revision, client in enumerate(clients, start=1):
            touch = realtime_service_pb2.TouchRequest(session_id=welcome.session_id)
            assert (await client.raw.call("Touch", touch)).HasField("server_time")
            update = realtime_service_pb2.UpdateSubscriptionsRequest(
                session_id=welcome.session_id, revision=revision, subscriptions=wanted
            )
            assert (await client.raw.call("UpdateSubscriptions", update)).revision == revision
        await clients[0].raw.publish(draft(topic, 1))
        assert [event.id for event in await stream.events(1)] == ["e1"]
        stream.cancel()


async def test_a_session_of_nobody_is_unknown_everywhere(clients: tuple[Client, Client]):
    for client in clients:
        touch = realtime_service_pb2.TouchRequest(session_id="0" * 32)
        assert (await client.raw.refused("Touch", touch))[1] == "SESSION_UNKNOWN"


async def test_an_operator_is_told_of_all_by_any(clients: tuple[Client, Client]):
    wanted = {client.welcome.session_id for client in clients}
    instances = {client.welcome.instance for client in clients}
    for client in clients:
        listed = await client.raw.admin("ListSessions", admin_service_pb2.ListSessionsRequest())
        assert wanted <= {session.session_id for session in listed.sessions}
        shards = await client.raw.admin("ListShards", admin_service_pb2.ListShardsRequest())
        assert all(shard.serving for shard in shards.shards)
        assert len({shard.owner for shard in shards.shards} | instances) <= 3
        assert all(len(shard.owner) == 12 for shard in shards.shards)


async def test_sessions_are_listed_page_by_page(clients: tuple[Client, Client]):
    found: list[str] = []
    page = admin_service_pb2.Page(size=1)
    while True:
        request = admin_service_pb2.ListSessionsRequest(page=page)
        listed = await clients[0].raw.admin("ListSessions", request)
        found += [session.session_id for session in listed.sessions]
        if not listed.next_page:
            break
        page = admin_service_pb2.Page(size=1, token=listed.next_page)
    assert found == sorted(set(found))
    assert {client.welcome.session_id for client in clients} <= set(found)


async def test_an_operator_closes_a_session_from_any_worker(clients: tuple[Client, Client]):
    first, second = clients
    request = admin_service_pb2.DisconnectRequest(session_id=first.welcome.session_id)
    assert (await second.raw.admin("Disconnect", request)).closed == 1
    assert (await first.stream.end())[1] == "DISCONNECTED_BY_ADMIN"
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await second.raw.admin("Disconnect", request)
    assert refusal(error.value)[1] == "SESSION_UNKNOWN"


async def test_a_purge_at_one_is_told_to_readers_of_the_other(
    clients: tuple[Client, Client], topic: str
):
    first, _ = clients
    await asyncio.gather(*(client.stream.subscribe(topic) for client in clients))
    await first.raw.publish(draft(topic, 1), draft(topic, 2))
    for client in clients:
        await client.stream.events(2)
    await first.raw.admin("PurgeTopic", admin_service_pb2.PurgeTopicRequest(topic=topic))
    for client in clients:
        told = await client.stream.control("subscribed")
        assert told.verdict == frame_pb2.VERDICT_GAP
