"""The room on a real engine, with members that keep what they are given and a clock to turn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hub.engine.sqlite import SqliteEngine
from hub.model.events import NORMAL, Append
from hub.telemetry.metrics import Metrics
from hub.work.acks import Ack
from hub.work.room import WorkRoom
from shipspeak.realtime.v1 import event_pb2, frame_pb2
from tests.support.manual_clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hub.errors import HubError

TOPIC = "meeting/1"


class FakeMember:
    """A session, as the room sees it."""

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self.rights_until = math.inf
        self.deliveries: list[frame_pb2.Delivery] = []
        self.closed: list[frame_pb2.WorkClosed] = []
        self.given = 0
        self.taken = 0
        self.live_for: set[str] = set()

    @property
    def work(self) -> FakeMember:
        """Its work side: it has room for everything, and takes it at once."""
        return self

    def join(
        self, work: str, on_room: Callable[[], None], on_overdue: Callable[[int], None]
    ) -> None:
        pass

    def leave(self, work: str) -> None:
        pass

    def room_for(self, _work: str) -> int:
        return 1 << 40

    def claim(self, work: str, size: int) -> None:
        pass

    def send(self, _work: str, frame: bytes, _until: float) -> None:
        self.given += 1
        self.taken += 1
        self.deliveries += frame_pb2.ServerFrame.FromString(frame).deliveries.deliveries

    def send_control(self, frame: bytes) -> None:
        self.closed.append(frame_pb2.ServerFrame.FromString(frame).work_closed)

    @property
    def ids(self) -> list[tuple[str, int]]:
        return [(one.event.id, one.attempt) for one in self.deliveries]


class WorkBench:
    """A room with one work subscription, `analyse`, over meeting/*."""

    def __init__(self, folder: Path, max_attempts: int = 3) -> None:
        self.clock = ManualClock()
        self.engine = SqliteEngine(
            folder, clock=lambda: int(self.clock() * 1000), round_interval_s=0.02
        )
        self.metrics = Metrics()
        self.room = WorkRoom(self.engine.work, self.engine, self.clock, self.metrics, max_attempts)

    async def start(self, *, ordered: bool = False) -> None:
        await self.engine.start()
        await self.room.start()
        await self.room.coordinator.ensure("analyse", "meeting/*", ordered=ordered)

    async def stop(self) -> None:
        await self.room.stop()
        await self.engine.stop()

    def join(self, name: str, *, outstanding: int = 16, lease: float = 30.0) -> FakeMember:
        member = FakeMember(name)
        self.room.coordinator.join(
            "analyse", member, name, max_outstanding=outstanding, lease_seconds=lease
        )
        return member

    async def publish(self, *ids: str, topic: str = TOPIC, expires_in: float = 0.0) -> None:
        """Also wakes the queue, as any news does."""
        now_ms = int(self.clock() * 1000)
        expires_ms = now_ms + int(expires_in * 1000) if expires_in else 0
        bodies = [event_pb2.Event(id=one, publisher="p").SerializeToString() for one in ids]
        await self.engine.publish(
            [
                Append(topic, one, "p", body, NORMAL, "", now_ms, expires_ms)
                for one, body in zip(ids, bodies, strict=True)
            ]
        )

    async def say(
        self,
        member: FakeMember,
        delivery: frame_pb2.Delivery,
        verb: frame_pb2.Verb.ValueType = frame_pb2.VERB_ACK,
        delay: float = 0.0,
    ) -> HubError | None:
        (answer,) = await self.room.coordinator.acknowledge(
            [Ack(delivery.delivery_id, verb, delay)], member.session_id
        )
        return answer

    async def letters(self, namespace: str = "meeting") -> list[event_pb2.Event]:
        page = await self.engine.read(f"dead/{namespace}", 0, max_events=100, max_bytes=1 << 20)
        return [event_pb2.Event.FromString(stored.data) for stored in page.events]
