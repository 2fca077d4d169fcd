"""Work subscriptions over several workers: one leads, sessions of all take part."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

import pytest

from shipspeak.realtime.v1 import admin_service_pb2, frame_pb2
from tests.cluster.clients import Client, on_workers
from tests.cluster.workers import RunningWorkers, make_hub
from tests.support.raw_client import draft
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.hub_process import HubProcess

pytestmark = pytest.mark.timeout(380)
PATIENCE = 60.0


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    with make_hub(tmp_path_factory.mktemp("work")) as hub:
        yield hub


@pytest.fixture
def topic() -> str:
    return f"meeting/{uuid.uuid4().hex}"


async def open_work(client: Client, name: str, topic: str, outstanding: int = 2) -> int:
    opening = frame_pb2.OpenWork(name=name, pattern=topic, max_outstanding=outstanding)
    await client.stream.send(request_id=5, open_work=opening)
    opened = await client.stream.control("work_opened", PATIENCE)
    members: int = opened.members
    return members


async def deliveries(client: Client) -> list[frame_pb2.Delivery]:
    return list((await client.stream.control("deliveries", PATIENCE)).deliveries)


async def acknowledge(client: Client, *delivery_ids: str) -> list[frame_pb2.AcknowledgeResult]:
    acks = [
        frame_pb2.Acknowledgement(delivery_id=one, verb=frame_pb2.VERB_ACK) for one in delivery_ids
    ]
    answer = await client.raw.call("Acknowledge", frame_pb2.AcknowledgeRequest(acks=acks))
    return list(answer.results)


async def work_off(client: Client, handled: list[str], count: int) -> None:
    while len(handled) < count:
        for one in await deliveries(client):
            (result,) = await acknowledge(client, one.delivery_id)
            assert not result.HasField("error"), result
            handled.append(one.event.id)


async def leader(client: Client) -> str:
    """The instance that owns the first shard."""
    answer = await client.raw.admin("ListShards", admin_service_pb2.ListShardsRequest())
    owner: str = next(one.owner for one in answer.shards if one.shard == 0)
    return owner


async def test_each_event_goes_to_one_member_of_any_worker(hub: HubProcess, topic: str):
    name = uuid.uuid4().hex
    async with on_workers(hub, 3) as clients:
        members = [await open_work(client, name, topic) for client in clients]
        assert members == [1, 2, 3]
        await clients[0].raw.publish(*(draft(topic, number) for number in range(30)))
        handled: list[str] = []
        working = [asyncio.create_task(work_off(client, handled, 30)) for client in clients]
        await until(lambda: len(handled) == 30, seconds=PATIENCE)
        for client in clients:
            listed = await client.raw.admin("ListWork", admin_service_pb2.ListWorkRequest())
            (info,) = [one for one in listed.work if one.name == name]
            assert (info.members, info.backlog) == (3, 0)
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        assert sorted(handled) == sorted(f"e{number}" for number in range(30))


async def test_what_a_member_holds_passes_on_when_it_leaves(hub: HubProcess, topic: str):
    name = uuid.uuid4().hex
    async with on_workers(hub, 2) as (first, second):
        await open_work(first, name, topic)
        await first.raw.publish(draft(topic, 1))
        (held,) = await deliveries(first)
        await open_work(second, name, topic)
        first.stream.cancel()
        (again,) = await deliveries(second)
        assert again.event.id == held.event.id
        (result,) = await acknowledge(second, again.delivery_id)
        assert not result.HasField("error")


async def test_a_deleted_one_is_told_to_its_members(hub: HubProcess, topic: str):
    name = uuid.uuid4().hex
    async with on_workers(hub, 2) as clients:
        for client in clients:
            await open_work(client, name, topic)
        await clients[0].raw.admin("DeleteWork", admin_service_pb2.DeleteWorkRequest(name=name))
        for client in clients:
            assert (await client.stream.control("work_closed", PATIENCE)).name == name


async def test_members_go_on_when_the_leader_is_killed(hub: HubProcess, topic: str):
    """E1: what was acknowledged never comes again, what was not does."""
    name, workers = uuid.uuid4().hex, RunningWorkers(hub)
    async with on_workers(hub, 1) as (anybody,):
        leading = await leader(anybody)
    async with on_workers(hub, 1, but=leading) as (client,):
        await open_work(client, name, topic, outstanding=1)
        await client.raw.publish(*(draft(topic, number) for number in range(3)))
        (done,) = await deliveries(client)
        (result,) = await acknowledge(client, done.delivery_id)
        assert not result.HasField("error")
        (held,) = await deliveries(client)
        starts = workers.starts()
        killed = workers.named(leading)
        workers.kill(killed)
        (again,) = await deliveries(client)
        assert again.event.id == held.event.id
        handled: list[str] = []
        (result,) = await acknowledge(client, again.delivery_id)
        assert not result.HasField("error")
        await work_off(client, handled, 1)
        assert {done.event.id, again.event.id, *handled} == {"e0", "e1", "e2"}
        starts[killed] += 1
        await workers.serving(starts)
