"""An inbox on two devices: read, dismissed, withdrawn, and what the first word withdraws (E4)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from google.protobuf import any_pb2

from shipspeak.realtime.v1 import event_pb2
from shipspeak_realtime import DeadlineError, RealtimeError
from tests.guarantees import inbox
from tests.guarantees.history import Outcome, Publish
from tests.guarantees.removals import Removal
from tests.simulation.kinds.kind import Kind
from tests.simulation.people import PUBLISH_SECONDS, Person, SdkReader
from tests.simulation.plan import Reading

if TYPE_CHECKING:
    from shipspeak_realtime import Event, RealtimeClient
    from shipspeak_realtime import Receipt as SdkReceipt
    from tests.simulation.network import Network

USER = "alice"
TOPIC = f"user/{USER}"
DEVICES = ("alice-phone", "alice-desk")
DESK = "desk"
PAUSE_SECONDS = 1.2
_MANY = 1 << 30


class Receiving(Kind):
    """A publisher, and two devices that read the inbox and speak of what is in it."""

    topics = (TOPIC,)

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self._desk = _Desk(self)
        self.people = (self._desk,)
        self.readers = self._devices = [_Device(self, name) for name in DEVICES]
        self.over = False

    async def run(self) -> None:
        """Until the publisher has ended and every word has been said."""
        await self._desk.run()
        await self.calm()
        await self.until(self._is_said)
        self.over = True

    def _is_said(self) -> bool:
        """Both devices have read everything, and have said what they had to say."""
        hub = self.network.hub
        if hub is None:
            return False
        head = hub.engine.reader(TOPIC).head(TOPIC)
        heads = {TOPIC: (head.epoch, head.head)}
        return not any(one.speaking or one.recorder.behind(heads) for one in self._devices)

    async def say(
        self,
        client: RealtimeClient,
        device: str,
        state: int,
        event: Event | SdkReceipt,
    ) -> None:
        """Say something of an event, and write down what the hub made of it."""
        network = self.network
        said = inbox.Said(event.topic, event.id, event.offset, state, device)
        network.history.inbox.said.append(said)
        try:
            if state == inbox.WITHDRAWN:
                await client.withdraw(event)
            else:
                tell = client.mark_read if state == inbox.READ else client.dismiss
                (said.first,) = await tell(event)
        except RealtimeError:
            return  # refused, as of an event that is gone with its log, or not known
        said.done_at = network.loop.time()
        gone = (event.topic, event.id) in network.history.inbox.until_acknowledged
        if gone or state == inbox.WITHDRAWN:
            done_ms = int(network.loop.wall() * 1000)
            network.history.removed.append(Removal(event.topic, event.id, done_ms))

    def finish(self) -> None:
        """Write down the receipts of the log."""
        hub = self.network.hub
        assert hub is not None
        for stored in hub.engine.reader(TOPIC).read(TOPIC, 0, _MANY, _MANY).events:
            event = event_pb2.Event.FromString(stored.data)
            if event.content.HasField("receipt"):
                receipt = event.content.receipt
                device = receipt.device_id or event.publisher
                self.network.history.inbox.receipts.append(
                    inbox.Receipt(
                        TOPIC,
                        stored.offset,
                        receipt.event_id,
                        receipt.offset,
                        receipt.state,
                        device,
                    )
                )


class _Desk(Person):
    """Publishes into the inbox, and takes some of it back."""

    def __init__(self, receiving: Receiving) -> None:
        super().__init__(receiving.network, DESK)
        self._receiving, self._made = receiving, 0

    async def run(self) -> None:
        """Until the plan's time is over."""
        async with self.sdk() as client, asyncio.TaskGroup() as group:
            while await self._receiving.pause(PAUSE_SECONDS):
                group.create_task(self._one(client))
        async with self.sdk() as client:
            await self._publish(client, until_acknowledged=False)

    async def _one(self, client: RealtimeClient) -> None:
        random = self.network.random
        receipt = await self._publish(client, until_acknowledged=random.random() < 0.3)
        if receipt is not None and random.random() < 0.25:
            await asyncio.sleep(random.uniform(0, 2))
            await self._receiving.say(client, DESK, inbox.WITHDRAWN, receipt)

    async def _publish(
        self, client: RealtimeClient, *, until_acknowledged: bool
    ) -> SdkReceipt | None:
        history, loop = self.network.history, self.network.loop
        self._made += 1
        call = Publish(DESK, TOPIC, f"{DESK}-{self._made}", self._made, loop.time())
        history.publishes.append(call)
        if until_acknowledged:
            history.inbox.until_acknowledged.add((TOPIC, call.id))
        receipt = None
        try:
            receipt = await client.publish(
                TOPIC,
                any_pb2.Any(type_url="simulation/x", value=b"news"),
                id=call.id,
                until_acknowledged=until_acknowledged,
                timeout=PUBLISH_SECONDS,
            )
        except DeadlineError:
            call.outcome = Outcome.UNKNOWN
        except RealtimeError as error:
            call.outcome = Outcome.UNKNOWN if error.may_be_stored else Outcome.REFUSED
            call.reason = error.reason or str(error)
        else:
            call.outcome, call.duplicate = Outcome.STORED, receipt.duplicate
            call.offset, call.epoch = receipt.offset, receipt.epoch
        call.ended_at = loop.time()
        return receipt


class _Device(SdkReader):
    """Reads the inbox and speaks of what it got.

    Attributes:
        speaking: what is being said, or is going to be.
    """

    def __init__(self, receiving: Receiving, name: str) -> None:
        reading = Reading(name, "connect", "earliest", 0.0, (0.0, 0.0), False, 3600.0, 0.5, 0.0)
        super().__init__(receiving.network, reading, (TOPIC,), USER)
        self._receiving = receiving
        self.speaking: set[asyncio.Task[None]] = set()

    def use(self, client: RealtimeClient, event: Event) -> None:
        """Speak of most events after a while."""
        random = self.network.random
        if not self._receiving.over and event.id.startswith(DESK) and random.random() < 0.7:
            task = asyncio.ensure_future(self._speak(client, event))
            self.speaking.add(task)
            task.add_done_callback(self.speaking.discard)

    async def _speak(self, client: RealtimeClient, event: Event) -> None:
        random = self.network.random
        await asyncio.sleep(random.uniform(0, 1.0))
        state = random.choice((inbox.READ, inbox.DISMISSED))
        await self._receiving.say(client, self.name, state, event)
