"""A worker program on a real hub: handlers, retries, rejections, chores, its end."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import pytest
from google.protobuf.wrappers_pb2 import Int64Value

from shipspeak_realtime import (
    AdminClient,
    Delivery,
    InvalidRequestError,
    RealtimeClient,
    RealtimeWorker,
    Reject,
)
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.hub_process import HubProcess

SECONDS = 150.0
pytestmark = pytest.mark.timeout(300)


def value(delivery: Delivery) -> int:
    number = Int64Value()
    delivery.event.content.other.Unpack(number)
    return number.value


def worker_of(hub: HubProcess) -> RealtimeWorker:
    return RealtimeWorker(lambda: RealtimeClient(hub.grpc))


async def opened(hub: HubProcess, name: str) -> None:
    """A work subscription begins with what is published after it was opened."""
    async with AdminClient(hub.grpc) as admin:
        while True:
            if any(one.name == name for one in await admin.work()):
                return
            await asyncio.sleep(0.02)


async def publish(hub: HubProcess, topic: str, count: int) -> None:
    async with RealtimeClient(hub.grpc) as client:
        for number in range(count):
            await client.publish(topic, Int64Value(value=number))


async def test_a_worker_works_retries_rejects_and_drains(hub: HubProcess) -> None:
    """E1: what fails comes again, what cannot be done becomes a dead letter, SIGTERM loses none."""
    worker = worker_of(hub)
    done: list[int] = []
    tries: list[int] = []
    begun, go_on, beats = asyncio.Event(), asyncio.Event(), 0

    @worker.on("numbers", "meeting/*", concurrency=2, retry=lambda _: 0.0)
    async def handle(delivery: Delivery, client: RealtimeClient) -> None:
        number = value(delivery)
        if number == 1 and delivery.attempt < 3:
            tries.append(delivery.attempt)
            raise RuntimeError("not yet")
        if number == 2:
            raise Reject("never")
        if number == 4:
            begun.set()
            await go_on.wait()
        done.append(number)

    @worker.on("hopeless", "practice/*", retry=lambda _: 0.0, max_attempts=2)
    async def fail(delivery: Delivery, client: RealtimeClient) -> None:
        raise RuntimeError("never")

    @worker.every(3600)
    async def beat(client: RealtimeClient) -> None:
        nonlocal beats
        beats += 1
        raise RuntimeError("a chore that fails ends nothing")

    async with asyncio.timeout(SECONDS):
        running = asyncio.create_task(worker.run())
        await opened(hub, "numbers")
        await opened(hub, "hopeless")
        await publish(hub, "practice/1", 1)
        await publish(hub, "meeting/1", 5)
        await begun.wait()
        async with RealtimeClient(hub.grpc) as client:
            dead = 0
            while dead < 2:
                pages = [
                    await client.read_history(f"dead/{kind}", limit=10)
                    for kind in ("meeting", "practice")
                ]
                dead = sum(len(page.events) for page in pages)
        await until(lambda: set(done) == {0, 1, 3})
        # What runs may end, and its acknowledgement counts.
        os.kill(os.getpid(), signal.SIGTERM)
        go_on.set()
        await running
    # Work may come twice; it is never lost.
    assert (set(done), tries[-1], beats) == ({0, 1, 3, 4}, 2, 1)
    async with AdminClient(hub.grpc) as admin:
        left = {one.name: one.backlog for one in await admin.work()}
    assert left == {"numbers": 0, "hopeless": 0}


async def test_a_refusal_ends_the_program(start_hub: Callable[..., HubProcess]) -> None:
    hub = start_hub("--heartbeat", "1")
    worker = worker_of(hub)

    @worker.on("no name", "meeting/*")
    async def handle(delivery: Delivery, client: RealtimeClient) -> None:
        raise AssertionError

    async with asyncio.timeout(SECONDS):
        with pytest.raises(InvalidRequestError):
            await worker.run(signals=False)
