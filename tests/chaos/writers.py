"""64 publishers over a few SDK clients; each publishes one event after another, on any topic."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from google.protobuf import any_pb2

from shipspeak.realtime.v1 import event_pb2
from shipspeak_realtime import DeadlineError, IdFactory, RealtimeClient, RealtimeError
from shipspeak_realtime import Outcome as SdkOutcome
from tests.guarantees.history import Outcome, Publish

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

WRITERS = 64
CLIENTS = 4
PUBLISH_SECONDS = 60.0
# One publish in so many is said again with the same id: nothing more may be stored for it.
REPEAT_ONE_IN = 20
PAUSE_SECONDS = 0.02
# One event in so many has an end; some ends come before any reader can have it.
MORTAL_ONE_IN = 6
_TTLS = (0.002, 0.05, 2.0)
_KEYS = ("", "", "progress")
_PRIORITIES = (
    event_pb2.PRIORITY_CRITICAL,
    event_pb2.PRIORITY_HIGH,
    event_pb2.PRIORITY_NORMAL,
    event_pb2.PRIORITY_LOW,
)


class Writers:
    """Publishes until told to stop, and writes down every call and its end."""

    def __init__(self, server: str, topics: Sequence[str], random: Random) -> None:
        self._server, self._topics, self._random = server, topics, random
        self._new_id = IdFactory()
        self._sequences: Counter[tuple[str, str]] = Counter()
        self._stopping = False
        self._acknowledged = asyncio.Event()
        self.publishes: list[Publish] = []
        self.in_flight = 0
        self.count = 0

    async def run(self) -> None:
        """Publish until `stop`; returns when every call has ended."""
        names = [f"writer-{number}" for number in range(CLIENTS)]
        async with AsyncExitStack() as stack:
            clients = [
                await stack.enter_async_context(
                    RealtimeClient(self._server, client_id=f"writer-{n}")
                )
                for n in range(CLIENTS)
            ]
            async with asyncio.TaskGroup() as group:
                for number in range(WRITERS):
                    of = number % CLIENTS
                    group.create_task(self._write(clients[of], names[of]))
            # The last word of each topic: who has it has had time for everything before it.
            for topic in self._topics:
                await self._publish(clients[0], names[0], topic, self._new_id())

    def stop(self) -> None:
        """Begin no more."""
        self._stopping = True

    async def next_acknowledged(self) -> None:
        """Return when another event is acknowledged."""
        self._acknowledged.clear()
        await self._acknowledged.wait()

    async def _write(self, client: RealtimeClient, name: str) -> None:
        random = self._random
        while not self._stopping:
            topic, event_id = random.choice(self._topics), self._new_id()
            await self._publish(client, name, topic, event_id)
            if random.randrange(REPEAT_ONE_IN) == 0:
                await self._publish(client, name, topic, event_id)
            # Only paces the load: retention must not reach the trial's events.
            await asyncio.sleep(random.uniform(0, PAUSE_SECONDS))

    async def _publish(self, client: RealtimeClient, name: str, topic: str, event_id: str) -> None:
        self._sequences[name, topic] += 1
        call = Publish(name, topic, event_id, self._sequences[name, topic], time.monotonic())
        self.publishes.append(call)
        random = self._random
        # Any: what every namespace allows.
        payload = any_pb2.Any(type_url="chaos/x", value=bytes(random.randrange(200)))
        mortal = random.randrange(MORTAL_ONE_IN) == 0
        self.in_flight += 1
        try:
            # No await between the sequence and the client's own queue: the call order is ours.
            receipt = await client.publish(
                topic,
                payload,
                id=event_id,
                priority=random.choice(_PRIORITIES),
                key=random.choice(_KEYS),
                ttl=random.choice(_TTLS) if mortal else None,
                timeout=PUBLISH_SECONDS,
            )
        except DeadlineError:
            call.outcome = Outcome.UNKNOWN
        except RealtimeError as error:
            call.outcome, call.reason = Outcome.REFUSED, error.reason or str(error)
        else:
            assert receipt.outcome is SdkOutcome.STORED, receipt
            call.outcome, call.duplicate = Outcome.STORED, receipt.duplicate
            call.offset, call.epoch = receipt.offset, receipt.epoch
            self.count += 1
            self._acknowledged.set()
        finally:
            self.in_flight -= 1
            call.ended_at = time.monotonic()
