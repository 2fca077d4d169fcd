"""Who uses the hub: publishers and readers by the real SDK, on virtual time."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from typing import TYPE_CHECKING

from google.protobuf import any_pb2

from hub.auth.tokens import mint
from shipspeak.realtime.v1 import event_pb2
from shipspeak_realtime import DeadlineError, RealtimeClient, RealtimeError
from shipspeak_realtime import Outcome as SdkOutcome
from tests.chaos.recorder import Recorder
from tests.guarantees.history import Outcome, Publish
from tests.guarantees.rights import EVERYWHERE, Right
from tests.simulation.hub import SECRET
from tests.simulation.loop import VirtualClock
from tests.simulation.network import Client, Network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shipspeak_realtime import Event
    from shipspeak_realtime.start import Start
    from tests.simulation.plan import Reading

PUBLISH_SECONDS = 60.0
# One publish in so many is said again with the same id.
REPEAT_ONE_IN = 12
MORTAL_ONE_IN = 4
_PRIORITIES = (
    event_pb2.PRIORITY_CRITICAL,
    event_pb2.PRIORITY_HIGH,
    event_pb2.PRIORITY_NORMAL,
    event_pb2.PRIORITY_LOW,
)
# Two of these fill a window, so that slow readers have something to be held back for.
BIG = (20_000, 60_000)
_KEYS = ("", "", "a", "b")
_ISSUER, _AUDIENCE = "shipspeak", "shipspeak-realtime"


class Person:
    """A client of the hub with tokens of its own.

    Args:
        network: where it lives.
        name: of the client and of its user.
        token_seconds: lifetime of its tokens.
        token_kept: the part of that after which it asks for a new one; at the end at once.
        user: whose client it is; empty = its name is its user's.
        admin: it may do what operators do.
    """

    def __init__(
        self,
        network: Network,
        name: str,
        token_seconds: float = 3600.0,
        token_kept: float = 0.5,
        *,
        user: str = "",
        admin: bool = False,
    ) -> None:
        self.network, self.name = network, name
        self.client = Client(name, self.claimed)
        self._user, self._admin = user or name, admin
        self._token_seconds, self._kept_seconds = token_seconds, token_seconds * token_kept
        self._token, self._renew_at, self._ends_at = "", 0.0, 0.0

    def claimed(self, topics: list[str], as_of_ms: int) -> None:
        """The hub said how far its stream is complete."""

    async def token(self) -> str:
        """The token that it keeps, or a new one; some keep one for longer than it lives.

        What each token gives is written down; as its user has others, by their union.
        """
        await asyncio.sleep(self.network.delay())
        now = self.network.loop.time()
        end = self._renew_at if not self.network.calm else min(self._renew_at, self._ends_at)
        if now >= end:
            self._token, self._renew_at = self._mint(), now + self._kept_seconds
            self._ends_at = now + self._token_seconds
        return self._token

    def _mint(self) -> str:
        now = self.network.loop.wall()
        begin, end = int(now * 1000), int(now + self._token_seconds) * 1000
        self.network.history.rights.extend(
            Right(self.name, action, EVERYWHERE, begin, end) for action in ("publish", "subscribe")
        )
        return mint(
            SECRET,
            subject=self._user,
            issuer=_ISSUER,
            audience=_AUDIENCE,
            lifetime=self._token_seconds,
            publish=[EVERYWHERE],
            subscribe=[EVERYWHERE],
            presence=[EVERYWHERE],
            work=[EVERYWHERE],
            admin=self._admin,
            clock=self.network.loop.wall,
        )

    def sdk(self) -> RealtimeClient:
        """The SDK; its channel is found by the name."""
        return RealtimeClient(
            self.name,
            token=self.token,
            client_id=self.name,
            device_id=self.name,
            clock=VirtualClock(self.network.loop),
            random=self.network.random.random,
        )


class Writer(Person):
    """Publishes on any topic, several calls at a time, and writes down how each ended.

    Args:
        network: where it lives.
        name: of the client.
        topics: of the events; none = those of the plan.
        pace: seconds between two calls, on average; 0 = the plan's.
    """

    def __init__(
        self, network: Network, name: str, topics: Sequence[str] = (), pace: float = 0.0
    ) -> None:
        super().__init__(network, name, *network.plan.writers_token)
        self._publishes = network.history.publishes
        self._topics = topics or network.plan.topics
        self._pace = pace or network.plan.pace
        self._sequences: Counter[str] = Counter()
        self._made = 0

    async def run(self) -> None:
        """Publish until the plan's time is over; returns when every call has ended."""
        plan, random = self.network.plan, self.network.random
        async with self.sdk() as client, asyncio.TaskGroup() as group:
            while self.network.loop.time() < plan.seconds:
                group.create_task(self._say(client, random.choice(self._topics)))
                await asyncio.sleep(random.uniform(0, 2 * self._pace))
        async with self.sdk() as client:
            # The last word of each topic: who has it has had time for everything before it.
            for topic in self._topics:
                await self._publish(client, topic, self._new_id())

    def _new_id(self) -> str:
        self._made += 1
        return f"{self.name}-{self._made}"

    async def _say(self, client: RealtimeClient, topic: str) -> None:
        event_id = self._new_id()
        stored = await self._publish(client, topic, event_id)
        # What ended otherwise says nothing of where a repeat may stand.
        if stored and self.network.random.randrange(REPEAT_ONE_IN) == 0:
            await self._publish(client, topic, event_id)

    async def _publish(self, client: RealtimeClient, topic: str, event_id: str) -> bool:
        random, loop = self.network.random, self.network.loop
        self._sequences[topic] += 1
        call = Publish(self.name, topic, event_id, self._sequences[topic], loop.time())
        self._publishes.append(call)
        big = random.random() < self.network.plan.big
        payload = any_pb2.Any(
            type_url="simulation/x", value=bytes(random.randrange(*BIG) if big else 20)
        )
        mortal = random.randrange(MORTAL_ONE_IN) == 0
        try:
            receipt = await client.publish(
                topic,
                payload,
                id=event_id,
                priority=random.choice(_PRIORITIES),
                key=random.choice(_KEYS),
                ttl=random.choice((0.02, 0.3, 2.0)) if mortal else None,
                timeout=PUBLISH_SECONDS,
            )
        except DeadlineError:
            call.outcome = Outcome.UNKNOWN
        except RealtimeError as error:
            call.outcome = Outcome.UNKNOWN if error.may_be_stored else Outcome.REFUSED
            call.reason = error.reason or str(error)
        else:
            assert receipt.outcome is SdkOutcome.STORED, receipt
            call.outcome, call.duplicate = Outcome.STORED, receipt.duplicate
            call.offset, call.epoch = receipt.offset, receipt.epoch
        call.ended_at = loop.time()
        self.network.trace(f"{self.name} {event_id} {call.outcome.value} {call.offset}")
        return call.outcome is Outcome.STORED


class Reader(Person, ABC):
    """Reads all topics and has a recorder.

    Args:
        network: where it lives.
        reading: how it reads.
        topics: which; none = those of the plan.
        user: whose client it is; empty = its name is its user's.
    """

    def __init__(
        self, network: Network, reading: Reading, topics: Sequence[str] = (), user: str = ""
    ) -> None:
        tokens = reading.token_seconds, reading.token_kept
        super().__init__(network, reading.name, *tokens, user=user)
        self.reading, self.topics = reading, topics or network.plan.topics
        self.recorder = Recorder(
            reading.name,
            self.topics,
            network.loop.time,
            from_latest=reading.start == "latest",
        )

    @abstractmethod
    async def run(self) -> None:
        """Read until cancelled."""

    def claimed(self, topics: list[str], as_of_ms: int) -> None:
        """Write the claim down."""
        self.recorder.claimed(topics, as_of_ms)


class SdkReader(Reader):
    """One SDK client for the whole time: its own reconnects are what is tried."""

    async def run(self) -> None:
        """Read until cancelled."""
        async with self.sdk() as client, asyncio.TaskGroup() as group:
            for topic in self.topics:
                group.create_task(self._read(client, topic))

    def use(self, client: RealtimeClient, event: Event) -> None:
        """The application has an event."""

    async def _read(self, client: RealtimeClient, topic: str) -> None:
        reading, loop = self.reading, self.network.loop
        kind = topic.partition("/")[0]
        namespace = next(n for n in self.network.plan.namespaces if n.name == kind)
        conflate = reading.conflate and namespace.conflation
        if conflate:
            self.recorder.subscriber.conflates.add(topic)
        start: Start = "latest" if reading.start == "latest" else "earliest"
        if reading.start == "snapshot" and namespace.conflation:
            start = "snapshot"
            self.recorder.subscriber.snapshots[topic] = None
        subscription = client.subscribe(
            topic,
            start=start,
            conflate=conflate,
            queue_events=8 if reading.pause or reading.stall[1] > reading.stall[0] else 1000,
        )
        subscription._receiver = self.recorder.receivers[topic]
        async for event in subscription:
            self.recorder.handed_over(event)
            self.use(client, event)
            begin, end = reading.stall
            if begin <= loop.time() < end:
                await asyncio.sleep(end - loop.time())
            if reading.pause and not self.network.calm:
                await asyncio.sleep(reading.pause * self.network.random.random())
