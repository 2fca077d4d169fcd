"""An operator who deletes events, purges topics and erases a user while all is in use (E2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from shipspeak.realtime.v1 import admin_service_pb2 as admin
from shipspeak_realtime.transport import bearer
from tests.guarantees.history import Outcome, Publish
from tests.guarantees.removals import Purge, Removal
from tests.simulation.kinds.kind import Kind
from tests.simulation.people import Person

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from tests.simulation.network import Network

PAUSE_SECONDS = 1.5
CALL_SECONDS = 10.0
ERASED = "writer-1"
_WAYS = ("delete",) * 5 + ("purge", "erase")


class Removing(Kind):
    """One operator; what the hub has not confirmed may have happened or not."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self._operator = Person(network, "operator", admin=True)
        self.people = (self._operator,)

    async def run(self) -> None:
        """Until the plan's time is over."""
        while await self.pause(PAUSE_SECONDS):
            stored = [
                each
                for each in self.network.history.publishes
                if each.outcome is Outcome.STORED and each.topic in self.network.plan.topics
            ]
            if stored:
                way = self.network.random.choice(_WAYS)
                await getattr(self, f"_{way}")(stored)

    async def _delete(self, stored: list[Publish]) -> None:
        one = self.network.random.choice(stored[-20:])
        request = admin.DeleteEventRequest(topic=one.topic, event_id=one.id, offset=one.offset)
        if await self._ask("DeleteEvent", request):
            self._gone([one])

    async def _purge(self, stored: list[Publish]) -> None:
        last = self.network.random.choice(stored)
        if await self._ask("PurgeTopic", admin.PurgeTopicRequest(topic=last.topic)):
            purge = Purge(last.topic, last.epoch, last.offset)
            self.network.history.purges.append(purge)

    async def _erase(self, stored: list[Publish]) -> None:
        if await self._ask("EraseUser", admin.EraseUserRequest(user=ERASED)):
            self._gone([each for each in stored if each.client == ERASED])

    def _gone(self, publishes: list[Publish]) -> None:
        done_ms = int(self.network.loop.wall() * 1000)
        self.network.history.removed.extend(
            Removal(each.topic, each.id, done_ms) for each in publishes
        )

    async def _ask(self, method: str, request: Message) -> bool:
        metadata = bearer(await self._operator.token())
        try:
            data = request.SerializeToString()
            await self.network.unary(method, data, CALL_SECONDS, metadata)
        except grpc.aio.AioRpcError:
            return False
        return True
