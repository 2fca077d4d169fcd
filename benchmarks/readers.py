"""The readers of a crowd that stop, and those in their place in the run to compare with.

Those that stop are stock grpcio sessions with a window that give signs of life and take nothing, as
an application does that has stopped reading.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final, Self

import grpc.aio

from benchmarks import loop
from benchmarks.generator import Generator, GeneratorError
from benchmarks.workload import PROTOCOL_VERSION, SERVICE, Workload
from shipspeak.realtime.v1 import frame_pb2

if TYPE_CHECKING:
    from types import TracebackType

    from benchmarks.servers import Server

WINDOW_BYTES: Final = 262_144
SDK: Final = "bench/stopped"
_SIGN_OF_LIFE_SECONDS: Final = 5.0
_OPEN_AT_ONCE: Final = 32
_TIMEOUT: Final = 60.0


class Reading:
    """The others, in the run in which nobody stops."""

    def __init__(self, server: Server, workload: Workload) -> None:
        self._server, self._workload = server, workload
        self._generator = Generator()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._generator.__exit__(kind, error, trace)

    def open(self, count: int, _topic: str) -> None:
        """Subscribe."""
        port = self._server.grpc_port
        connected = self._generator.subscribe(self._workload, port, count, timeout=_TIMEOUT)
        if connected.ready < count:
            raise GeneratorError(f"{connected.ready} of {count} came up: {connected.failure}")
        self._count = count

    def deliveries(self) -> int:
        """Events received so far."""
        return self._generator.total().deliveries

    def catch_up(self, events: int) -> int:
        """How many have everything."""
        counts = self._generator.wait(events * self._count, _TIMEOUT)
        return self._count if counts.deliveries == events * self._count else 0


class Stopped:
    """Sessions that take nothing until they catch up."""

    def __init__(self, server: Server) -> None:
        self._target = f"127.0.0.1:{server.grpc_port}"
        self._channels: list[grpc.aio.Channel] = []
        self._calls: list[Any] = []
        self._begin = 0
        self._alive: asyncio.Task[None] | None = None
        self._reads_on = asyncio.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        loop.run(self._close(), _TIMEOUT)

    def open(self, count: int, topic: str) -> None:
        """Subscribe, and read no further than the answer."""
        loop.run(self._open(count, topic), _TIMEOUT)

    def deliveries(self) -> int:
        """They take nothing."""
        return 0

    def catch_up(self, events: int) -> int:
        """Read on; how many got every event, once and in order."""
        return sum(loop.run(self._catch_up(events), 3 * _TIMEOUT))

    async def _open(self, count: int, topic: str) -> None:
        gate = asyncio.Semaphore(_OPEN_AT_ONCE)

        async def one() -> None:
            async with gate:
                # A channel of its own each: else they would share one connection.
                options = [("grpc.use_local_subchannel_pool", 1)]
                channel = grpc.aio.insecure_channel(self._target, options=options)
                method: Any = channel.stream_stream(f"{SERVICE}/Connect")
                call = method()
                hello = frame_pb2.Hello(
                    protocol_version=PROTOCOL_VERSION,
                    sdk=SDK,
                    window_bytes=WINDOW_BYTES,
                )
                subscribe = frame_pb2.Subscribe(topic=topic, at=frame_pb2.START_LATEST)
                await call.write(_frame(request_id=1, hello=hello))
                await call.write(_frame(request_id=2, subscribe=subscribe))
                frame = frame_pb2.ServerFrame()
                while not frame.HasField("subscribed"):
                    frame = frame_pb2.ServerFrame.FromString(await call.read())
                self._begin = frame.subscribed.position.handled_offset
                self._channels.append(channel)
                self._calls.append(call)

        await asyncio.gather(*(one() for _ in range(count)))
        self._alive = asyncio.create_task(self._stay_alive())

    async def _stay_alive(self) -> None:
        while not self._reads_on.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._reads_on.wait(), _SIGN_OF_LIFE_SECONDS)
                return
            window = _frame(window=frame_pb2.Window())
            await asyncio.gather(*(call.write(window) for call in self._calls))

    async def _catch_up(self, events: int) -> list[bool]:
        # Its own reports are signs of life from here on; a call takes one write at a time.
        self._reads_on.set()
        if self._alive is not None:
            await self._alive
        async with asyncio.timeout(2 * _TIMEOUT):
            return await asyncio.gather(
                *(_read_all(call, self._begin, events) for call in self._calls)
            )

    async def _close(self) -> None:
        self._reads_on.set()
        if self._alive is not None:
            await self._alive
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*(channel.close() for channel in self._channels))


async def _read_all(call: Any, begin: int, events: int) -> bool:
    handled, position, got = 0, begin, 0
    while position < begin + events:
        data = await call.read()
        frame = frame_pb2.ServerFrame.FromString(data)
        for run in frame.runs:
            if run.after_offset != position or run.conflated or run.expired:
                return False
            got += len(run.events)
            position = run.through_offset
        if frame.runs:
            handled += len(data)
            await call.write(_frame(window=frame_pb2.Window(handled_bytes=handled)))
    return got == events


def _frame(**fields: Any) -> bytes:
    return frame_pb2.ClientFrame(**fields).SerializeToString()
