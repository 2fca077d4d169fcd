"""Drafts for later: most are released when they are due, some are taken back before (G1, G6)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from google.protobuf import any_pb2

from shipspeak_realtime import DeadlineError, RealtimeError
from shipspeak_realtime import Outcome as SdkOutcome
from tests.guarantees.history import Outcome, Publish
from tests.simulation.kinds.kind import Kind
from tests.simulation.people import PUBLISH_SECONDS, Person

if TYPE_CHECKING:
    from shipspeak_realtime import RealtimeClient
    from tests.simulation.network import Network

NAME = "scheduler"
LONGEST_SECONDS = 4.0
PAUSE_SECONDS = 1.0
# After the last one is due.
RELEASED_SECONDS = 3.0


class Scheduling(Kind):
    """One publisher of drafts for the topics that everybody reads."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self._person = Person(network, NAME)
        self.people = (self._person,)
        self._made = 0

    async def run(self) -> None:
        """Schedule until the plan's time is over, then until all of it was due."""
        network = self.network
        async with self._person.sdk() as client, asyncio.TaskGroup() as group:
            while await self.pause(PAUSE_SECONDS):
                group.create_task(self._one(client, network.random.choice(network.plan.topics)))
        await self.calm()
        due = [each.deliver_ms / 1000 for each in network.history.publishes if each.deliver_ms]
        late = max(due, default=0.0) - network.loop.wall()
        await asyncio.sleep(max(0.0, late) + RELEASED_SECONDS)

    async def _one(self, client: RealtimeClient, topic: str) -> None:
        network, random = self.network, self.network.random
        self._made += 1
        wait = random.uniform(0.1, LONGEST_SECONDS)
        due_ms = int((network.loop.wall() + wait) * 1000)
        call = Publish(NAME, topic, f"{NAME}-{self._made}", self._made, network.loop.time())
        call.deliver_ms = due_ms
        network.history.publishes.append(call)
        mortal = random.randrange(4) == 0
        try:
            receipt = await client.publish(
                topic,
                any_pb2.Any(type_url="simulation/x", value=b"later"),
                id=call.id,
                deliver_at=datetime.fromtimestamp(due_ms / 1000, UTC),
                ttl=random.choice((0.02, 2.0)) if mortal else None,
                timeout=PUBLISH_SECONDS,
            )
        except DeadlineError:
            call.outcome = Outcome.UNKNOWN
        except RealtimeError as error:
            call.outcome = Outcome.UNKNOWN if error.may_be_stored else Outcome.REFUSED
            call.reason = error.reason or str(error)
        else:
            scheduled = receipt.outcome is SdkOutcome.SCHEDULED
            call.outcome = Outcome.SCHEDULED if scheduled else Outcome.STORED
            call.duplicate, call.offset, call.epoch = (
                receipt.duplicate,
                receipt.offset,
                receipt.epoch,
            )
        call.ended_at = network.loop.time()
        if random.random() < 0.4:
            await asyncio.sleep(random.uniform(0, 1.1 * wait))
            await self._take_back(client, call)

    async def _take_back(self, client: RealtimeClient, call: Publish) -> None:
        call.asked_back = True
        try:
            call.taken_back = await client.cancel_scheduled(call.topic, call.id)
        except RealtimeError:
            return  # whether it was taken back nobody knows
