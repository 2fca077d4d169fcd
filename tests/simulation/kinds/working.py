"""A work subscription: members who acknowledge, put back, reject, hold on, and are cut off (E1)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import event_pb2
from shipspeak_realtime import RealtimeError
from tests.guarantees.works import Handout, Letter
from tests.simulation.kinds.kind import Kind
from tests.simulation.kinds.watched import Watched
from tests.simulation.people import Person, Writer

if TYPE_CHECKING:
    from shipspeak.realtime.v1 import frame_pb2
    from shipspeak_realtime import Delivery, RealtimeClient
    from tests.simulation.link import Link
    from tests.simulation.network import Network

WORK = "simulate"
TOPICS = ("work/1", "work/2")
LETTERS = "dead/work"
MEMBERS = 3
EVENTS = 16
LEASE_SECONDS = 10.0
# One event in so many is put back by everybody, until it is dead.
POISON_ONE_IN = 11
_WAYS = ("ack",) * 8 + ("hold", "nack", "nack", "reject", "extend", "leave", "outlast")
_MANY = 1 << 30


class Working(Kind):
    """Members with one publisher; what was handed out is noted where the hub hands it over."""

    topics = (*TOPICS, LETTERS)

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.ordered = network.random.random() < 0.3
        self.members = [Member(self, f"worker-{number}") for number in range(MEMBERS)]
        pace = network.plan.seconds / EVENTS
        self._writer = Writer(network, "work-writer", TOPICS, pace)
        self.people = (*self.members, self._writer)
        self.handouts: dict[str, Handout] = {}

    async def begin(self) -> None:
        """Members are there before the first event, so that they are owed all of them."""
        self.tasks = [asyncio.ensure_future(member.run()) for member in self.members]
        network = self.network
        await self.until(lambda: network.hub is not None and network.hub.has_work(WORK))

    async def run(self) -> None:
        """Publish; then wait until all that is owed has come to an end."""
        await self._writer.run()
        await self.until(self._is_done)
        # What came back without an answer may come again.
        await asyncio.sleep(LEASE_SECONDS / 4)
        await self.until(self._is_done)

    def _is_done(self) -> bool:
        hub = self.network.hub
        if hub is None or any(task.done() for task in self.tasks):
            return hub is not None
        over = {(one.topic, one.offset) for one in self.handouts.values() if one.is_over}
        over |= {(one.topic, one.offset) for one in self._letters()}
        return all(
            (topic, event.offset) in over or event.expires_ms
            for topic in TOPICS
            for event in hub.engine.reader(topic).read(topic, 0, _MANY, _MANY).events
        )

    def _letters(self) -> list[Letter]:
        hub = self.network.hub
        assert hub is not None
        page = hub.engine.reader(LETTERS).read(LETTERS, 0, _MANY, _MANY)
        return [_letter(event.data) for event in page.events]

    def finish(self) -> None:
        """Write down what was handed out, what was owed, and the dead letters."""
        works, logs = self.network.history.works, self.network.history.logs
        works.handouts = [one for one in self.handouts.values() if one.taken]
        works.owed = {(WORK, topic): logs[topic].head for topic in TOPICS}
        works.letters = self._letters()


class _Handing(Watched):
    """Notes each delivery when the hub gives it to the transport of a member."""

    def __init__(self, working: Working, name: str) -> None:
        self._working, self._name = working, name

    def given(self, link: Link, frame: frame_pb2.ServerFrame) -> None:
        """Some are handed out."""
        now = link.network.loop.time()
        for each in frame.deliveries.deliveries:
            self._working.handouts[each.delivery_id] = Handout(
                each.work,
                each.topic,
                each.event.offset,
                each.event.id,
                each.attempt,
                self._name,
                now,
                taken=False,
            )


class Member(Person):
    """Works on one event after the other, in all the ways that there are."""

    def __init__(self, working: Working, name: str) -> None:
        super().__init__(working.network, name)
        self._working = working
        self.client.watch = _Handing(working, name)

    async def run(self) -> None:
        """Work until cancelled."""
        random = self.network.random
        async with self.sdk() as client:
            work = client.work(
                WORK,
                "work/*",
                max_outstanding=random.choice((1, 1, 3)),
                ack_deadline=LEASE_SECONDS,
                ordered=self._working.ordered,
            )
            async for delivery in work:
                handout = self._working.handouts[delivery.id]
                handout.taken = True
                await self._settle(client, delivery, handout)

    async def _settle(self, client: RealtimeClient, delivery: Delivery, handout: Handout) -> None:
        random, calm = self.network.random, self.network.calm
        way = random.choice(_WAYS)
        if not int(handout.id.rpartition("-")[2]) % POISON_ONE_IN:
            way = "nack"
        elif calm and way not in ("nack", "reject"):
            way = "ack"
        if way == "outlast" and random.randrange(3):
            way = "ack"  # to outlast a lease takes long
        delay = random.choice((0.0, 0.3, 2.0)) if way == "nack" else 0.0
        try:
            match way:
                case "leave":
                    return self._break_off()
                case "extend":
                    await delivery.extend(LEASE_SECONDS)
                case "hold":
                    await asyncio.sleep(random.uniform(0.2, 2.0))
                case "outlast":
                    await asyncio.sleep(LEASE_SECONDS + 1)
                case _:
                    pass
            await self._say(delivery, handout, way, delay)
        except RealtimeError:
            return None  # the hub or the way to it was gone, or the lease is

    async def _say(self, delivery: Delivery, handout: Handout, way: str, delay: float) -> None:
        now = self.network.loop.time
        handout.said, handout.said_at, handout.delay = way, now(), delay
        if way == "nack":
            await delivery.nack(delay)
            handout.returned_at = now()
        elif way == "reject":
            await delivery.reject()
            handout.rejected_at = now()
        else:
            handout.said = "ack"
            await delivery.ack()
            handout.confirmed_at = now()

    def _break_off(self) -> None:
        """Its connection breaks with the event in its hands, or falls silent."""
        for link in self.network.open_links():
            if link.client is self.client:
                if self.network.random.random() < 0.5:
                    link.cut()
                else:
                    link.hush()


def _letter(data: bytes) -> Letter:
    content = event_pb2.Event.FromString(data).content
    original = event_pb2.Event()
    content.other.Unpack(original)
    said = content.attributes
    return Letter(
        said["work"],
        said["topic"],
        int(said["offset"]),
        original.id,
        int(said["attempts"]),
        said["reason"],
    )
