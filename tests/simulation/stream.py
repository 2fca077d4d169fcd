"""The client's end of a stream: what grpc.aio gives the SDK."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

import grpc

from shipspeak.realtime.v1 import frame_pb2
from shipspeak_realtime.session import SILENT_HEARTBEATS
from shipspeak_realtime.transport import SizedFrame
from tests.guarantees.observed import Watch
from tests.simulation.refusals import refusal, rpc_error

if TYPE_CHECKING:
    from hub.errors import HubError
    from tests.simulation.link import Link

EPSILON = 1e-6


class ClientCall:
    """A stream that can be read, written and given up.

    Attributes:
        unread: bytes on their way or in the buffers, that the client has not read.
    """

    def __init__(self, link: Link) -> None:
        self.unread = 0
        self._link = link
        self._frames: deque[bytes] = deque()
        self._came = asyncio.Event()
        self._ended = False
        self._status: grpc.aio.AioRpcError | None = None
        self._topics: dict[str, None] = {}
        self._welcomed = False
        self._heard_at = link.network.loop.time()
        self._reading = False

    # For the network

    def arrived(self, frame: bytes) -> None:
        """A frame is there."""
        self._frames.append(frame)
        self._came.set()

    def ended(self, error: HubError | None) -> None:
        """The hub has ended the stream, with OK or with a refusal."""
        self._status = None if error is None else refusal(error)
        self._ended = True
        self._came.set()

    def broken(self) -> None:
        """The connection broke."""
        if not self._ended:
            self._status = rpc_error(grpc.StatusCode.UNAVAILABLE, "the connection broke")
            self._ended = True
            self._came.set()

    # For the SDK

    async def read(self) -> Any:
        """The next frame with its size, or grpc.aio.EOF.

        Raises:
            AioRpcError: the stream has failed.
        """
        self._reading = True
        self._heard_at = max(self._heard_at, self._now())
        while not self._frames:
            if self._ended:
                if self._status is not None:
                    raise self._status
                return grpc.aio.EOF
            self._came.clear()
            await self._came.wait()
        data = self._frames.popleft()
        self._reading = False
        self._heard_at = self._now()
        self.unread -= len(data)
        self._link.read_by_client()
        frame = frame_pb2.ServerFrame.FromString(data)
        self._note(frame)
        if self._link.client.watch is not None:
            self._link.client.watch.taken(self._link, frame)
        return SizedFrame(frame, len(data))

    async def write(self, frame: frame_pb2.ClientFrame) -> None:
        """Send a frame.

        Raises:
            InvalidStateError: the stream has ended.
        """
        if self._ended:
            raise asyncio.InvalidStateError("the stream has ended")
        if frame.HasField("unsubscribe"):
            self._topics.pop(frame.unsubscribe.topic, None)
        self._link.up.send(frame.SerializeToString())

    def cancel(self) -> None:
        """Give the stream up."""
        if self._welcomed and self._reading and not self._ended:
            network = self._link.network
            interval, now = network.plan.heartbeat, self._now()
            noticed = now - self._heard_at >= SILENT_HEARTBEATS * interval - EPSILON
            network.history.watches.append(
                Watch("client", "hub", interval, self._heard_at, now, noticed)
            )
        self._ended = True
        self._link.left_by_client()

    async def code(self) -> grpc.StatusCode:
        """Of the end."""
        return grpc.StatusCode.UNAVAILABLE if self._status is None else self._status.code()

    async def details(self) -> str:
        """Of the end."""
        return "" if self._status is None else self._status.details() or ""

    async def initial_metadata(self) -> Any:
        """None is sent."""
        return grpc.aio.Metadata()

    async def trailing_metadata(self) -> Any:
        """Of the end."""
        status = self._status
        return grpc.aio.Metadata() if status is None else status.trailing_metadata()

    def _now(self) -> float:
        return self._link.network.loop.time()

    def _note(self, frame: frame_pb2.ServerFrame) -> None:
        match frame.WhichOneof("control"):
            case "welcome":
                self._welcomed = True
            case "subscribed":
                self._topics[frame.subscribed.topic] = None
            case "heartbeat" if frame.heartbeat.HasField("complete_as_of"):
                as_of_ms = frame.heartbeat.complete_as_of.ToMilliseconds()
                self._link.client.on_claim(list(self._topics), as_of_ms)
            case _:
                pass
