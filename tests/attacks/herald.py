"""The bystanders' publisher: one session both ways, opened anew when it breaks; nothing is lost.

Not by the SDK: its calls count in the rate of its address, which is the attackers' address too.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time

import grpc
from google.protobuf import any_pb2

from shipspeak.realtime.v1 import error_reason_pb2, event_pb2, frame_pb2
from tests.guarantees.history import Outcome, Publish
from tests.support.raw_client import RawClient, Stream

NAME = "herald"
# Between two tries to connect.
RETRY_SECONDS = 0.1


class Herald:
    """Publishes one event after the other, and writes down what became of each.

    Attributes:
        publishes: all of them, in order.
    """

    def __init__(self, target: str, token: str) -> None:
        self._target, self._token = target, token
        self.publishes: list[Publish] = []
        self._numbers = itertools.count(1)
        self._ended: dict[int, asyncio.Future[Publish]] = {}
        self._waiting: dict[int, Publish] = {}
        # What the session has to send, in order: a call of gRPC takes one write at a time.
        self._outbox: asyncio.Queue[int] = asyncio.Queue()

    async def publish(self, topic: str) -> Publish:
        """One small event; returns when the hub has said what became of it."""
        number = next(self._numbers)
        event_id = f"b{number}-{secrets.token_hex(3)}"
        call = Publish(NAME, topic, event_id, number, time.monotonic())
        self.publishes.append(call)
        self._waiting[number] = call
        ended: asyncio.Future[Publish] = asyncio.get_running_loop().create_future()
        self._ended[number] = ended
        self._outbox.put_nowait(number)
        return await ended

    async def run(self) -> None:
        """Keep a session open until cancelled."""
        while True:
            try:
                async with RawClient(self._target, self._token) as client:
                    await self._session(client)
            except* (grpc.aio.AioRpcError, EOFError, TimeoutError, asyncio.InvalidStateError):
                await asyncio.sleep(RETRY_SECONDS)

    async def _session(self, client: RawClient) -> None:
        stream, _ = await client.session(client_id=NAME)
        # By the same ids: what was stored already is found again.
        self._outbox = asyncio.Queue()
        for number in self._waiting:
            self._outbox.put_nowait(number)
        async with asyncio.TaskGroup() as both:
            both.create_task(self._write(stream))
            both.create_task(self._read(stream))

    async def _read(self, stream: Stream) -> None:
        while True:
            frame = await stream.read()
            kind = frame.WhichOneof("control")
            if kind == "published":
                self._told(frame.published)
            elif kind == "error":
                raise AssertionError(f"the herald was refused: {frame.error}")

    async def _write(self, stream: Stream) -> None:
        while True:
            number = await self._outbox.get()
            call = self._waiting[number]
            draft = event_pb2.Draft(id=call.id, topic=call.topic)
            draft.content.other.CopyFrom(any_pb2.Any(type_url="attacks/bystander"))
            request = frame_pb2.PublishRequest(drafts=[draft])
            await stream.send(request_id=number, publish=request)

    def _told(self, answer: frame_pb2.Published) -> None:
        call = self._waiting.pop(answer.request_id, None)
        if call is None:
            return
        (result,) = answer.results
        call.ended_at = time.monotonic()
        if result.outcome == frame_pb2.OUTCOME_STORED:
            call.outcome, call.duplicate = Outcome.STORED, result.duplicate
            call.offset, call.epoch = result.offset, result.epoch
        else:
            call.outcome = Outcome.REFUSED
            call.reason = error_reason_pb2.ErrorReason.Name(result.error.reason)
        self._ended.pop(answer.request_id).set_result(call)
