"""Work subscriptions with the SDK on a real hub (E1): as short as a for loop, through restarts."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from typing import TYPE_CHECKING

import pytest
from google.protobuf.wrappers_pb2 import Int64Value

from shipspeak_realtime import (
    AdminClient,
    ClosedError,
    Delivery,
    InvalidRequestError,
    RealtimeClient,
)
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.hub_process import HubProcess

SECONDS = 20.0


@pytest.fixture
async def client(shared_hub: HubProcess) -> AsyncIterator[RealtimeClient]:
    async with RealtimeClient(shared_hub.grpc) as client:
        yield client


@pytest.fixture
def name() -> str:
    return secrets.token_hex(4)


async def publish(client: RealtimeClient, topic: str, *numbers: int) -> None:
    for number in numbers:
        await client.publish(topic, Int64Value(value=number), id=f"e{number}")


async def opened(hub: HubProcess, name: str, members: int = 1) -> None:
    """Return when the hub knows so many members."""
    async with AdminClient(hub.grpc) as admin, asyncio.timeout(SECONDS):
        while [work.members for work in await admin.work() if work.name == name] != [members]:
            pass


async def test_a_worker_is_a_for_loop(
    client: RealtimeClient, shared_hub: HubProcess, name: str
) -> None:
    """E1: what the block ends with is what the hub is told."""
    topic = f"meeting/{name}"
    seen: list[tuple[str, int]] = []

    async def worker() -> None:
        async for delivery in client.work(name, f"{topic}/*", retry=lambda _: 0.0):
            async with delivery:
                seen.append((delivery.event.id, delivery.attempt))
                if seen == [("e1", 1)]:
                    raise RuntimeError("it fails the first time")
            if len(seen) == 3:
                return

    working = asyncio.create_task(worker())
    await opened(shared_hub, name)
    await publish(client, f"{topic}/a", 1)
    await until(lambda: len(seen) == 2, seconds=SECONDS)
    await publish(client, f"{topic}/b", 2)
    async with asyncio.timeout(SECONDS):
        await working
    assert seen == [("e1", 1), ("e1", 2), ("e2", 1)]
    await opened(shared_hub, name, members=0)
    async with AdminClient(shared_hub.grpc) as admin:
        (info,) = [work for work in await admin.work() if work.name == name]
        assert info.backlog == 0


async def test_acknowledging_by_hand(
    client: RealtimeClient, shared_hub: HubProcess, name: str
) -> None:
    topic = f"meeting/{name}"
    async with client.work(name, topic, max_outstanding=4) as work, asyncio.timeout(SECONDS):
        await opened(shared_hub, name)
        await publish(client, topic, 1, 2, 3)
        deliveries = aiter(work)
        one, two, three = [await anext(deliveries) for _ in range(3)]
        assert [one.event.id, one.topic, one.work, one.attempt] == ["e1", topic, name, 1]
        assert one.deadline > one.event.published_at
        await asyncio.gather(one.ack(), two.nack(0.05), three.extend(600))
        again = await anext(deliveries)
        assert (again.event.id, again.attempt) == ("e2", 2)
        await asyncio.gather(again.reject(), three.ack())
        with pytest.raises(InvalidRequestError, match="DELIVERY_UNKNOWN"):
            await one.ack()
    with pytest.raises(ClosedError, match="WORK_CLOSED"):
        aiter(work)


async def test_two_clients_share(shared_hub: HubProcess, name: str) -> None:
    """E1."""
    topic = f"meeting/{name}"
    seen: dict[str, list[str]] = {"one": [], "two": []}

    async def worker(who: str) -> None:
        async with RealtimeClient(shared_hub.grpc) as client:
            async for delivery in client.work(name, f"{topic}/*", max_outstanding=1):
                async with delivery:
                    seen[who].append(delivery.event.id)

    workers = [asyncio.create_task(worker(who)) for who in seen]
    await opened(shared_hub, name, members=2)
    async with RealtimeClient(shared_hub.grpc) as publisher:
        await asyncio.gather(*(publish(publisher, f"{topic}/{n}", n) for n in range(30)))
    await until(lambda: sum(map(len, seen.values())) == 30, seconds=SECONDS)
    assert sorted(seen["one"] + seen["two"]) == sorted(f"e{n}" for n in range(30))
    assert all(seen.values())
    for task in workers:
        task.cancel()
    await asyncio.gather(*workers, return_exceptions=True)


async def test_a_worker_lives_through_a_kill(hub: HubProcess, name: str) -> None:
    """E1: what was acknowledged never comes again; what was not, does."""
    topic = f"meeting/{name}"
    async with (
        RealtimeClient(hub.grpc) as client,
        asyncio.timeout(2 * SECONDS),
        client.work(name, topic) as work,
    ):
        await opened(hub, name)
        await publish(client, topic, 1, 2)
        deliveries = aiter(work)
        one, two = await anext(deliveries), await anext(deliveries)
        await one.ack()
        await asyncio.to_thread(hub.restart)
        again = await anext(deliveries)
        assert (again.event.id, again.attempt) == ("e2", 2)
        assert two.lost
        with pytest.raises(InvalidRequestError, match="DELIVERY_UNKNOWN"):
            await two.ack()
        await again.ack()


async def test_refusals_are_raised(client: RealtimeClient, name: str) -> None:
    with pytest.raises(InvalidRequestError, match="TOPIC_INVALID"):
        await anext(aiter(client.work(name, "meeting/**/x")))
    async with client.work(name, "meeting/1"):
        with pytest.raises(InvalidRequestError, match="ALREADY_SUBSCRIBED"):
            aiter(client.work(name, "meeting/1"))


async def test_deleting_the_subscription_ends_the_loop(
    client: RealtimeClient, shared_hub: HubProcess, name: str
) -> None:
    async with client.work(name, f"meeting/{name}") as work:
        await opened(shared_hub, name)
        async with AdminClient(shared_hub.grpc) as admin:
            await admin.delete_work(name)
        with pytest.raises(Exception, match="WORK_UNKNOWN"):
            await asyncio.wait_for(anext(aiter(work)), SECONDS)


async def test_a_cancelled_worker_puts_its_event_back(
    client: RealtimeClient, shared_hub: HubProcess, name: str
) -> None:
    """E1: a program that ends makes no attempt of it."""
    topic = f"meeting/{name}"
    begun = asyncio.Event()

    async def worker(seen: list[Delivery]) -> None:
        async with client.work(name, topic) as work:
            async for delivery in work:
                seen.append(delivery)
                async with delivery:
                    begun.set()
                    await asyncio.Event().wait()

    first: list[Delivery] = []
    working = asyncio.create_task(worker(first))
    await opened(shared_hub, name)
    await publish(client, topic, 1)
    await begun.wait()
    working.cancel()
    await asyncio.wait([working])
    async with asyncio.timeout(SECONDS):
        async for delivery in client.work(name, topic):
            assert (delivery.event.id, delivery.attempt) == ("e1", 1)
            await delivery.ack()
            break


async def test_an_event_that_ends_a_loop_without_a_block_was_an_attempt(
    client: RealtimeClient, shared_hub: HubProcess, name: str
) -> None:
    """E1: it may be what ends it, each time: so it becomes a dead letter at last."""
    topic = f"meeting/{name}"

    async def worker() -> None:
        async for delivery in client.work(name, topic, retry=lambda _attempt: 0.0):
            message = f"attempt {delivery.attempt}"
            raise ValueError(message)

    with contextlib.suppress(ValueError):
        working = asyncio.create_task(worker())
        await opened(shared_hub, name)
        await publish(client, topic, 1)
        await working
    async with asyncio.timeout(SECONDS):
        with pytest.raises(ValueError, match="attempt 2"):
            await worker()
