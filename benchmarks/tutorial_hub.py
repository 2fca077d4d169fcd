"""The hub of a tutorial: what one gets by following the gRPC documentation's asyncio examples.

One ``asyncio.Queue`` per subscriber, one message per event, encoded for each subscriber by the
generated serializer. It speaks the same contract, as far as the benchmark needs it, so that the
same generator reads it. It stores nothing and checks nothing.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, TypeAlias

from google.protobuf.timestamp_pb2 import Timestamp

from shipspeak.realtime.v1 import (
    event_pb2,
    frame_pb2,
    realtime_service_pb2,
    realtime_service_pb2_grpc,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import grpc.aio

    # The stubs call every method abstract; at run time those left out answer UNIMPLEMENTED.
    _Servicer = object
else:
    _Servicer = realtime_service_pb2_grpc.RealtimeServiceServicer

Queue: TypeAlias = "asyncio.Queue[frame_pb2.ServerFrame]"


class TutorialHub(_Servicer):
    """Topics in memory, a queue per subscriber."""

    def __init__(self) -> None:
        self._queues: dict[str, set[Queue]] = defaultdict(set)

    def subscribe(self, queue: Queue, topic: str, request_id: int) -> None:
        """Events of the topic go into the queue from now on."""
        self._queues[topic].add(queue)
        answer = frame_pb2.Subscribed(
            request_id=request_id, topic=topic, verdict=frame_pb2.VERDICT_LIVE
        )
        queue.put_nowait(frame_pb2.ServerFrame(subscribed=answer))

    def forget(self, queue: Queue) -> None:
        """Removes a subscriber that left."""
        for queues in self._queues.values():
            queues.discard(queue)

    def deliver(self, topic: str, event: event_pb2.Event) -> None:
        """Puts one event into the queue of each subscriber of the topic."""
        frame = frame_pb2.ServerFrame(runs=[event_pb2.TopicRun(topic=topic, events=[event])])
        for queue in self._queues[topic]:
            queue.put_nowait(frame)

    def publish(self, request: frame_pb2.PublishRequest) -> list[frame_pb2.PublishResult]:
        """Delivers the drafts; the results say ACCEPTED."""
        results = []
        now = Timestamp()
        now.GetCurrentTime()
        for draft in request.drafts:
            event = event_pb2.Event(id=draft.id, content=draft.content, published_at=now)
            self.deliver(draft.topic, event)
            results.append(frame_pb2.PublishResult(id=draft.id, outcome=frame_pb2.OUTCOME_ACCEPTED))
        return results

    def _handle(self, frame: frame_pb2.ClientFrame, queue: Queue) -> None:
        if frame.HasField("hello"):
            queue.put_nowait(frame_pb2.ServerFrame(welcome=welcome()))
        elif frame.HasField("subscribe"):
            self.subscribe(queue, frame.subscribe.topic, frame.request_id)
        elif frame.HasField("publish"):
            published = frame_pb2.Published(
                request_id=frame.request_id, results=self.publish(frame.publish)
            )
            queue.put_nowait(frame_pb2.ServerFrame(published=published))

    async def _read(self, frames: AsyncIterator[frame_pb2.ClientFrame], queue: Queue) -> None:
        async for frame in frames:
            self._handle(frame, queue)

    async def Connect(  # noqa: N802
        self,
        request_iterator: AsyncIterator[frame_pb2.ClientFrame],
        context: grpc.aio.ServicerContext[frame_pb2.ClientFrame, frame_pb2.ServerFrame],  # noqa: ARG002
    ) -> AsyncIterator[frame_pb2.ServerFrame]:
        """Reads in one task and yields from the queue."""
        queue: Queue = asyncio.Queue()
        reader = asyncio.create_task(self._read(request_iterator, queue))
        try:
            while True:
                yield await queue.get()
        finally:
            reader.cancel()
            self.forget(queue)

    async def Publish(  # noqa: N802
        self,
        request: frame_pb2.PublishRequest,
        context: grpc.aio.ServicerContext[  # noqa: ARG002
            frame_pb2.PublishRequest, realtime_service_pb2.PublishResponse
        ],
    ) -> realtime_service_pb2.PublishResponse:
        """Unary publishing."""
        return realtime_service_pb2.PublishResponse(results=self.publish(request))


def welcome() -> frame_pb2.Welcome:
    """The first frame of a session."""
    return frame_pb2.Welcome(session_id="tutorial", protocol_version=1)


def register(hub: TutorialHub, server: grpc.aio.Server) -> None:
    """Adds the hub to a gRPC server."""
    add = realtime_service_pb2_grpc.add_RealtimeServiceServicer_to_server
    add(hub, server)  # type: ignore[arg-type]  # see _Servicer
