"""Workers over repeated kills of the hub: what was confirmed never comes again, nothing is left."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest
from google.protobuf.wrappers_pb2 import Int64Value

from shipspeak_realtime import AdminClient, RealtimeClient, RealtimeError
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from shipspeak.realtime.v1.admin_service_pb2 import WorkInfo
    from tests.support.hub_process import HubProcess

EVENTS = 240
TOPICS = 6
KILLS = 3
OUTSTANDING = 8
# Nothing is claimed about time: three starts of a hub and the waits of seven clients take most of a
# minute where others work on the machine's two cores.
SECONDS = 150.0


class Bookkeeper:
    """Who was given what, and what the hub has confirmed."""

    def __init__(self) -> None:
        self.confirmed: set[str] = set()
        self.repeated: list[str] = []
        self.attempts: dict[str, int] = {}
        self.backwards: list[str] = []


async def work(hub: HubProcess, books: Bookkeeper, seed: int) -> None:
    """Acknowledge most events, put some back, let some be."""
    chance = random.Random(seed)  # noqa: S311 - a trial, no secret
    async with RealtimeClient(hub.grpc) as client:
        async for delivery in client.work("analyse", "meeting/*", max_outstanding=OUTSTANDING):
            event = f"{delivery.topic}/{delivery.event.id}"
            if event in books.confirmed:
                books.repeated.append(event)
            if delivery.attempt <= books.attempts.get(event, 0):
                books.backwards.append(event)
            books.attempts[event] = delivery.attempt
            try:
                if chance.random() < 0.1 and delivery.attempt == 1:
                    await delivery.nack()
                else:
                    await delivery.ack()
                    books.confirmed.add(event)
            except RealtimeError:
                pass  # the hub was killed meanwhile: not confirmed


async def publish(hub: HubProcess, topic: str) -> None:
    async with RealtimeClient(hub.grpc) as client:
        for number in range(EVENTS // TOPICS):
            await client.publish(topic, Int64Value(value=number), id=f"e{number}", timeout=SECONDS)


async def counted(admin: AdminClient, count: Callable[[WorkInfo], int], want: int) -> None:
    """Return when the subscription's figure is as wanted; asks gently, as the hub has work."""
    while [count(info) for info in await admin.work()] != [want]:  # noqa: ASYNC110 - a question
        await asyncio.sleep(0.1)


@pytest.mark.timeout(240)
async def test_what_was_confirmed_never_comes_again_over_kills(
    start_hub: Callable[..., HubProcess],
) -> None:
    """E1: and in the end everything is acknowledged, nothing is a dead letter."""
    hub = start_hub("--heartbeat", "1", env={"RTHUB_WORK_MAX_ATTEMPTS": "100"})
    books = Bookkeeper()
    async with asyncio.timeout(SECONDS):
        workers = [asyncio.create_task(work(hub, books, seed)) for seed in range(3)]
        async with AdminClient(hub.grpc) as admin:
            await counted(admin, lambda info: info.members, 3)
        publishers = [
            asyncio.create_task(publish(hub, f"meeting/{number}")) for number in range(TOPICS)
        ]
        for kill in range(1, KILLS + 1):
            part = EVENTS * kill // (KILLS + 1)
            await until(lambda part=part: len(books.confirmed) >= part, seconds=SECONDS)  # type: ignore[misc]
            await asyncio.to_thread(hub.restart)
        await asyncio.gather(*publishers)
        async with AdminClient(hub.grpc) as admin:
            await counted(admin, lambda info: info.backlog, 0)
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    # An acknowledgement whose answer was lost may have been written: at most what was open then.
    assert len(books.attempts) == EVENTS
    assert len(books.confirmed) >= EVENTS - KILLS * 3 * OUTSTANDING
    assert books.repeated == []
    assert books.backwards == []
    async with RealtimeClient(hub.grpc) as client:
        assert (await client.read_history("dead/meeting")).events == []
