"""A client with no manners of its own: it says over gRPC exactly what the test tells it to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
from google.rpc import error_details_pb2, status_pb2

from shipspeak.realtime.v1 import admin_service_pb2, event_pb2, frame_pb2, realtime_service_pb2

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

SERVICE = "shipspeak.realtime.v1.RealtimeService"
ADMIN = "shipspeak.realtime.v1.AdminService"
SECONDS = 30.0
Metadata = tuple[tuple[str, str], ...]


def hello(**changes: Any) -> frame_pb2.Hello:
    """A good Hello, with changes."""
    return frame_pb2.Hello(**{"protocol_version": 1, "client_id": "raw", **changes})


GOOD = hello()


def bearer(token: str) -> Metadata:
    """Metadata with a token."""
    return (("authorization", f"Bearer {token}"),)


def draft(topic: str, number: int, **changes: Any) -> event_pb2.Draft:
    """A small draft with the id e<number>."""
    made = event_pb2.Draft(id=f"e{number}", topic=topic, **changes)
    if not made.content.WhichOneof("payload"):
        made.content.metrics.metrics.add(name="n", value=number)
    return made


def refusal(error: grpc.aio.AioRpcError) -> tuple[grpc.StatusCode, str]:
    """(code, reason) of a failed call; the reason is empty where it has no details."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            assert isinstance(value, bytes)
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info):
                    assert info.domain == "shipspeak.realtime"
                    return error.code(), info.reason
    return error.code(), ""


class Stream:
    """Connect or Listen: frames in order, each within a time."""

    def __init__(self, call: Any) -> None:
        self._call = call

    async def send(self, **frame: Any) -> None:
        """Send a ClientFrame."""
        await self.send_bytes(frame_pb2.ClientFrame(**frame).SerializeToString())

    async def send_bytes(self, data: bytes) -> None:
        """Send anything."""
        await self._call.write(data)

    def cancel(self) -> None:
        """Leave without a word."""
        self._call.cancel()

    async def read(self, seconds: float = SECONDS) -> frame_pb2.ServerFrame:
        """The next frame.

        Raises:
            EOFError: the stream has ended with OK.
            grpc.aio.AioRpcError: it has ended with another status.
        """
        data = await asyncio.wait_for(self._call.read(), seconds)
        if data is grpc.aio.EOF:
            raise EOFError
        return frame_pb2.ServerFrame.FromString(data)

    async def until(
        self, wanted: Callable[[frame_pb2.ServerFrame], object], seconds: float = SECONDS
    ) -> frame_pb2.ServerFrame:
        """The next frame that is wanted; others are dropped."""
        async with asyncio.timeout(seconds):
            while True:
                frame = await self.read()
                if wanted(frame):
                    return frame

    async def control(self, kind: str, seconds: float = SECONDS) -> Any:
        """The next control frame of a kind."""
        frame = await self.until(lambda frame: frame.WhichOneof("control") == kind, seconds)
        return getattr(frame, kind)

    async def events(self, count: int, seconds: float = SECONDS) -> list[event_pb2.Event]:
        """The next events, exactly so many."""
        events: list[event_pb2.Event] = []
        while len(events) < count:
            frame = await self.until(lambda frame: frame.runs, seconds)
            events += [event for run in frame.runs for event in run.events]
        assert len(events) == count
        return events

    async def end(self, seconds: float = SECONDS) -> tuple[grpc.StatusCode, str]:
        """Read to the end; (code, reason)."""
        async with asyncio.timeout(seconds):
            try:
                while True:
                    await self.read()
            except EOFError:
                return grpc.StatusCode.OK, ""
            except grpc.aio.AioRpcError as error:
                return refusal(error)

    async def half_close(self) -> None:
        """Say no more."""
        await self._call.done_writing()

    async def publish(self, *drafts: event_pb2.Draft) -> list[frame_pb2.PublishResult]:
        """Publish on the stream and wait for the answer."""
        await self.send(request_id=900, publish=frame_pb2.PublishRequest(drafts=drafts))
        return list((await self.control("published")).results)

    async def subscribe(self, topic: str, **start: Any) -> frame_pb2.Subscribed:
        """Subscribe and wait for the verdict."""
        await self.send(request_id=901, subscribe=frame_pb2.Subscribe(topic=topic, **start))
        subscribed: frame_pb2.Subscribed = await self.control("subscribed")
        assert subscribed.topic == topic
        return subscribed


class RawClient:
    """One channel to a hub.

    Args:
        target: host:port of the gRPC door.
        token: sent with each call, unless the call has metadata of its own.
        alone: on a connection of its own, which it shares with no other client of the process.
    """

    def __init__(self, target: str, token: str = "", *, alone: bool = False) -> None:
        options = [("grpc.use_local_subchannel_pool", 1)] if alone else None
        self.channel = grpc.aio.insecure_channel(target, options=options)
        self._metadata: Metadata = bearer(token) if token else ()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.channel.close()

    def connect(self, metadata: Metadata | None = None) -> Stream:
        """A Connect stream; nothing is said on it yet."""
        method: Any = self.channel.stream_stream(f"/{SERVICE}/Connect")
        return Stream(method(metadata=self._metadata if metadata is None else metadata))

    async def session(self, **changes: Any) -> tuple[Stream, frame_pb2.Welcome]:
        """A Connect stream that has been welcomed."""
        stream = self.connect()
        await stream.send(hello=hello(**changes))
        return stream, (await stream.read()).welcome

    def listen(self, *subscriptions: frame_pb2.Subscribe, hello: frame_pb2.Hello = GOOD) -> Stream:
        """A Listen stream."""
        request = realtime_service_pb2.ListenRequest(hello=hello, subscriptions=subscriptions)
        return self.listen_bytes(request.SerializeToString())

    def listen_bytes(self, request: bytes) -> Stream:
        """A Listen stream on any request."""
        method: Any = self.channel.unary_stream(f"/{SERVICE}/Listen")
        return Stream(method(request, metadata=self._metadata))

    async def call(self, name: str, request: Any, metadata: Metadata | None = None) -> Any:
        """A unary call with a message, or with any bytes."""
        data = request if isinstance(request, bytes) else request.SerializeToString()
        method: Any = self.channel.unary_unary(f"/{SERVICE}/{name}")
        metadata = self._metadata if metadata is None else metadata
        answer = await method(data, metadata=metadata, timeout=60)
        kind = getattr(realtime_service_pb2, f"{name}Response")
        return kind.FromString(answer)

    async def admin(self, name: str, request: Any) -> Any:
        """A unary call of the admin service."""
        method: Any = self.channel.unary_unary(f"/{ADMIN}/{name}")
        answer = await method(request.SerializeToString(), metadata=self._metadata, timeout=60)
        return getattr(admin_service_pb2, f"{name}Response").FromString(answer)

    async def refused(
        self, name: str, request: Any, metadata: Metadata | None = None
    ) -> tuple[grpc.StatusCode, str]:
        """(code, reason) of a unary call that must fail."""
        try:
            answer = await self.call(name, request, metadata)
        except grpc.aio.AioRpcError as error:
            return refusal(error)
        raise AssertionError(f"{name} was not refused: {answer}")

    async def publish(self, *drafts: event_pb2.Draft) -> list[frame_pb2.PublishResult]:
        """Publish by the unary call."""
        answer = await self.call("Publish", frame_pb2.PublishRequest(drafts=drafts))
        return list(answer.results)

    async def poll(
        self,
        *subscriptions: frame_pb2.Subscribe,
        hello: frame_pb2.Hello = GOOD,
        **changes: Any,
    ) -> realtime_service_pb2.PollResponse:
        """One poll."""
        request = realtime_service_pb2.PollRequest(
            hello=hello, subscriptions=subscriptions, **changes
        )
        answer: realtime_service_pb2.PollResponse = await self.call("Poll", request)
        return answer
