"""What becomes of an event whose block is interrupted, on real hubs: by the hub, the net, or us."""

from __future__ import annotations

import asyncio
import datetime
import logging
import resource
import secrets
from typing import TYPE_CHECKING

import pytest
from google.protobuf.wrappers_pb2 import Int64Value

from shipspeak_realtime import AdminClient, ClosedError, Delivery, RealtimeClient, Work
from tests.chaos.mishaps import FULL_BYTES, limit_files
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.support.hub_process import HubProcess

SECONDS = 30.0
# The shortest lease that the contract allows.
LEASE_SECONDS = 10.0


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


async def backlog(hub: HubProcess, name: str) -> int:
    async with AdminClient(hub.grpc) as admin:
        return next(work.backlog for work in await admin.work() if work.name == name)


class Worker:
    """A loop whose blocks wait until they are told to end."""

    def __init__(self, work: Work) -> None:
        self.seen: list[Delivery] = []
        self.go_on = asyncio.Event()
        self.ended: list[tuple[str, int]] = []
        self._work = work
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async for delivery in self._work:
            self.seen.append(delivery)
            async with delivery:
                await self.go_on.wait()
            self.ended.append((delivery.event.id, delivery.attempt))

    async def until(self, count: int) -> None:
        """Until so many blocks have begun."""
        await until(lambda: len(self.seen) == count, seconds=SECONDS)

    async def cancel(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])


async def test_a_slow_block_keeps_its_lease(
    client: RealtimeClient, shared_hub: HubProcess, name: str
) -> None:
    """E1: longer than `ack_deadline`; the other member is given nothing of it."""
    topic = f"meeting/{name}"
    slow = Worker(client.work(name, topic, ack_deadline=LEASE_SECONDS))
    await opened(shared_hub, name)
    await publish(client, topic, 1)
    await slow.until(1)
    async with RealtimeClient(shared_hub.grpc) as other:
        idle = Worker(other.work(name, topic))
        await opened(shared_hub, name, members=2)
        over = slow.seen[0].deadline + datetime.timedelta(seconds=0.5)
        await until(lambda: datetime.datetime.now(datetime.UTC) > over, seconds=SECONDS)
        slow.go_on.set()
        await until(lambda: slow.ended == [("e1", 1)], seconds=SECONDS)
        assert slow.seen[0].settled
        assert await backlog(shared_hub, name) == 0
        assert idle.seen == []
        await idle.cancel()
    await slow.cancel()


async def test_closing_lets_the_block_that_runs_end_and_gives_the_rest_away(
    client: RealtimeClient, shared_hub: HubProcess, name: str
) -> None:
    """E1: a worker that is told to stop does not leave its last event to be done twice."""
    topic = f"meeting/{name}"
    work = client.work(name, topic)
    first = Worker(work)
    await opened(shared_hub, name)
    await publish(client, topic, 1, 2, 3)
    await first.until(1)
    work.close()
    async with RealtimeClient(shared_hub.grpc) as other:
        second = Worker(other.work(name, topic))
        second.go_on.set()
        await opened(shared_hub, name, members=2)
        first.go_on.set()
        async with asyncio.timeout(SECONDS):
            await first.task
        assert first.ended == [("e1", 1)]
        assert first.seen[0].settled
        await until(lambda: len(second.ended) == 2, seconds=SECONDS)
        assert {event for event, _ in second.ended} == {"e2", "e3"}
        await opened(shared_hub, name, members=1)
        assert await backlog(shared_hub, name) == 0
        await second.cancel()


async def test_closing_the_client_ends_the_loop_and_the_event_goes_to_another(
    shared_hub: HubProcess, name: str
) -> None:
    topic = f"meeting/{name}"
    async with RealtimeClient(shared_hub.grpc) as client:
        worker = Worker(client.work(name, topic))
        await opened(shared_hub, name)
        await publish(client, topic, 1)
        await worker.until(1)
    assert worker.seen[0].lost
    worker.go_on.set()
    with pytest.raises(ClosedError):
        await asyncio.wait_for(worker.task, SECONDS)
    async with RealtimeClient(shared_hub.grpc) as other:
        second = Worker(other.work(name, topic))
        second.go_on.set()
        await until(lambda: second.ended == [("e1", 2)], seconds=SECONDS)
        await second.cancel()


async def test_a_block_that_always_fails_costs_its_event_only(
    client: RealtimeClient, shared_hub: HubProcess, name: str
) -> None:
    """E1: it becomes a dead letter, and the others are done."""
    topic = f"meeting/{name}"
    done: list[str] = []

    async def worker() -> None:
        async for delivery in client.work(name, topic, retry=lambda _: 0.0):
            async with delivery:
                if delivery.event.id == "e1":
                    raise RuntimeError("it never works")
                done.append(delivery.event.id)

    working = asyncio.create_task(worker())
    await opened(shared_hub, name)
    await publish(client, topic, 1, 2, 3)
    letters: list[str] = []
    async with asyncio.timeout(SECONDS):
        async for letter in client.subscribe("dead/meeting", start="earliest"):
            if letter.attributes["topic"] == topic:
                letters.append(letter.attributes["reason"])
                break
    assert letters == ["ATTEMPTS_EXHAUSTED"]
    await until(lambda: sorted(done) == ["e2", "e3"], seconds=SECONDS)
    assert not working.done()
    working.cancel()
    await asyncio.wait([working])


async def test_a_session_that_breaks_takes_the_event_and_the_loop_goes_on(
    hub: HubProcess, name: str
) -> None:
    """E1: the hub is silent for longer than 2.5 heartbeats, and then it is there again."""
    topic = f"meeting/{name}"
    async with RealtimeClient(hub.grpc) as client:
        worker = Worker(client.work(name, topic))
        await opened(hub, name)
        await publish(client, topic, 1)
        await worker.until(1)
        hub.pause()
        await until(lambda: worker.seen[0].lost, seconds=SECONDS)
        hub.resume()
        worker.go_on.set()
        await until(lambda: len(worker.ended) == 2, seconds=SECONDS)
        assert worker.ended == [("e1", 1), ("e1", 2)]
        assert [delivery.settled for delivery in worker.seen] == [False, True]
        await until_empty(hub, name)
        await worker.cancel()


@pytest.mark.parametrize("end", ["terminate", "kill"])
async def test_a_hub_that_goes_in_the_middle_of_a_block_costs_a_repeat(
    start_hub: Callable[..., HubProcess], name: str, end: str
) -> None:
    """E1."""
    hub = start_hub("--heartbeat", "1")
    topic = f"meeting/{name}"
    async with RealtimeClient(hub.grpc) as client:
        worker = Worker(client.work(name, topic))
        await opened(hub, name)
        await publish(client, topic, 1)
        await worker.until(1)
        await asyncio.to_thread(getattr(hub, end))
        await until(lambda: worker.seen[0].lost, seconds=SECONDS)
        worker.go_on.set()
        await asyncio.to_thread(hub.start)
        await until(lambda: len(worker.ended) == 2, seconds=SECONDS)
        # Nobody but the hub broke off when it drained: that was no attempt.
        assert worker.ended == [("e1", 1), ("e1", 2 if end == "kill" else 1)]
        await until_empty(hub, name)
        await worker.cancel()


@pytest.mark.parametrize("draw", [0.0, 1.0])
async def test_a_block_that_ends_while_the_hub_drains_is_not_repeated(
    start_hub: Callable[..., HubProcess], name: str, draw: float
) -> None:
    """E1: a hub that is about to go still takes acknowledgements, and who has work stays for it."""
    hub = start_hub("--heartbeat", "1", env={"RTHUB_DRAIN_SPREAD": "3"})
    topic = f"meeting/{name}"
    async with RealtimeClient(hub.grpc, random=lambda: draw) as client:
        worker = Worker(client.work(name, topic))
        await opened(hub, name)
        await publish(client, topic, 1)
        await worker.until(1)
        going = asyncio.create_task(asyncio.to_thread(hub.terminate))
        await until(lambda: "draining" in hub.log, seconds=SECONDS)
        worker.go_on.set()
        await until(lambda: worker.ended == [("e1", 1)], seconds=SECONDS)
        assert worker.seen[0].settled
        await going
        await asyncio.to_thread(hub.start)
        await opened(hub, name)
        assert await backlog(hub, name) == 0
        assert worker.ended == [("e1", 1)]
        await worker.cancel()


async def test_a_disk_that_is_full_for_a_while_costs_no_repeat(
    hub: HubProcess, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """E1: the work is done; what is missing is the hub's word that it knows."""
    caplog.set_level(logging.INFO, "shipspeak_realtime")
    topic = f"meeting/{name}"
    async with RealtimeClient(hub.grpc) as client:
        worker = Worker(client.work(name, topic))
        await opened(hub, name)
        await publish(client, topic, 1)
        await worker.until(1)
        limit_files(hub.pid, FULL_BYTES)
        try:
            worker.go_on.set()
            await until(lambda: "not acknowledged" in caplog.text, seconds=SECONDS)
        finally:
            limit_files(hub.pid, resource.RLIM_INFINITY)
        await until(lambda: worker.ended == [("e1", 1)], seconds=SECONDS)
        assert worker.seen[0].settled
        assert await backlog(hub, name) == 0
        await worker.cancel()


async def test_several_loops_share_one_membership(
    client: RealtimeClient, shared_hub: HubProcess, name: str
) -> None:
    """Several blocks run at a time, each event in one of them."""
    topic = f"meeting/{name}"
    async with client.work(name, f"{topic}/*") as work:
        workers = [Worker(work) for _ in range(3)]
        await opened(shared_hub, name)
        for number in range(3):
            await publish(client, f"{topic}/{number}", number)
        for worker in workers:
            await worker.until(1)
        for worker in workers:
            worker.go_on.set()
        await until(lambda: all(worker.ended for worker in workers), seconds=SECONDS)
        assert sorted(worker.ended[0][0] for worker in workers) == ["e0", "e1", "e2"]
    for worker in workers:
        await asyncio.wait_for(worker.task, SECONDS)


async def until_empty(hub: HubProcess, name: str) -> None:
    async with asyncio.timeout(SECONDS):
        while await backlog(hub, name):
            pass
