"""A member of a work subscription that does exactly what the test tells it to."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from shipspeak.realtime.v1 import frame_pb2

if TYPE_CHECKING:
    from tests.support.raw_client import RawClient, Stream


class Member:
    """A session that takes part in one work subscription."""

    def __init__(self, stream: Stream, name: str) -> None:
        self.stream = stream
        self.name = name
        self._got: list[frame_pb2.Delivery] = []

    @classmethod
    async def join(cls, client: RawClient, name: str, pattern: str, **options: Any) -> Member:
        stream, _ = await client.session(client_id=f"m{secrets.token_hex(3)}")
        member = cls(stream, name)
        await member.open(pattern, **options)
        await stream.control("work_opened")
        return member

    async def open(self, pattern: str, **options: Any) -> None:
        opening = frame_pb2.OpenWork(name=self.name, pattern=pattern, **options)
        await self.stream.send(request_id=1, open_work=opening)

    async def deliveries(self, count: int) -> list[frame_pb2.Delivery]:
        """The next deliveries, exactly so many."""
        while len(self._got) < count:
            self._got += (await self.stream.control("deliveries")).deliveries
        got, self._got = self._got, []
        assert len(got) == count
        return got

    async def say(
        self, verb: frame_pb2.Verb.ValueType, *deliveries: frame_pb2.Delivery, delay: float = 0.0
    ) -> list[int]:
        """Acknowledge, and give the reason of each answer; 0 = committed."""
        request = acks(verb, *deliveries, delay=delay)
        await self.stream.send(request_id=2, acknowledge=request)
        answer = await self._control("acknowledged")
        return [result.error.reason for result in answer.results]

    async def _control(self, kind: str) -> Any:
        """The next control frame of a kind; deliveries before it are kept."""
        while True:
            frame = await self.stream.until(lambda frame: frame.WhichOneof("control"))
            if frame.WhichOneof("control") == kind:
                return getattr(frame, kind)
            self._got += frame.deliveries.deliveries

    async def ack(self, *deliveries: frame_pb2.Delivery) -> None:
        assert await self.say(frame_pb2.VERB_ACK, *deliveries) == [0] * len(deliveries)

    async def quiet(self) -> None:
        """Nothing is on its way: what the hub does before a Pong is before it on the stream."""
        await self.stream.send(ping=frame_pb2.Ping(nonce=7))
        await self._control("pong")
        assert self._got == []

    async def refused(self, pattern: str, **options: Any) -> int:
        await self.open(pattern, **options)
        error = await self.stream.control("error")
        return int(error.reason)

    def die(self) -> None:
        """The connection breaks."""
        self.stream._call.cancel()


def acks(
    verb: frame_pb2.Verb.ValueType, *deliveries: frame_pb2.Delivery, delay: float = 0.0
) -> frame_pb2.AcknowledgeRequest:
    request = frame_pb2.AcknowledgeRequest()
    for delivery in deliveries:
        ack = request.acks.add(delivery_id=delivery.delivery_id, verb=verb)
        ack.delay.FromMilliseconds(int(delay * 1000))
    return request


def ids(deliveries: list[frame_pb2.Delivery]) -> list[tuple[str, int]]:
    return [(delivery.event.id, delivery.attempt) for delivery in deliveries]
