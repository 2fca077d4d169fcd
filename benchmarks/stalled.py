"""Readers that stop: what they cost the others, what they hold, and that they catch up.

They are stock grpcio sessions with a window that give signs of life and take nothing, as an
application does that has stopped reading.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import grpc
import grpc.aio

from benchmarks import loop, procstat
from benchmarks.generator import Generator, GeneratorError
from benchmarks.workload import DURABLE_TOPIC, PROTOCOL_VERSION, SERVICE, Workload
from shipspeak.realtime.v1 import admin_service_pb2, admin_service_pb2_grpc, frame_pb2

if TYPE_CHECKING:
    from types import TracebackType

    from benchmarks.measure import Figures
    from benchmarks.servers import Server

WINDOW_BYTES: Final = 262_144
# One frame may pass the window by its own size: two chunks, or an event of the largest size.
IN_FLIGHT_LIMIT: Final = WINDOW_BYTES + 2 * 65_536
_SIGN_OF_LIFE_SECONDS: Final = 5.0
_OPEN_AT_ONCE: Final = 32
_TIMEOUT: Final = 60.0
_US: Final = 1e6


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who reads.

    Attributes:
        readers: all of them.
        stopped: those that stop, or, in the run to compare with, read like the others.
        burst: events that fill the windows of those that stop.
        per_second: events while it is measured.
        seconds: of measuring; those that stop do so a little longer.
    """

    readers: int = 1000
    stopped: int = 200
    burst: int = 2000
    per_second: float = 20.0
    seconds: float = 10.0


def measure(server: Server, crowd: Crowd, *, stop: bool) -> Figures:
    """One run on a fresh hub: some readers stop, or none does.

    Raises:
        GeneratorError: a reader was refused, or did not get everything in the end.
    """
    workload = Workload(DURABLE_TOPIC)
    others = _Stopped(server) if stop else _Reading(server, workload)
    with Generator() as generator, others:
        healthy = crowd.readers - crowd.stopped
        connected = generator.subscribe(workload, server.grpc_port, healthy, timeout=_TIMEOUT)
        if connected.ready < healthy:
            raise GeneratorError(f"{connected.ready} of {healthy} came up: {connected.failure}")
        others.open(crowd.stopped, workload.topic)
        generator.open_publisher(workload, server.grpc_port)
        generator.start_closed_loop(16, crowd.burst)
        generator.wait(crowd.burst * healthy, _TIMEOUT)
        generator.stop(_TIMEOUT)
        generator.start_paced(crowd.per_second)
        time.sleep(1)
        rss, cpu = procstat.rss_bytes(server.pid), procstat.cpu_seconds(server.pid)
        generator.mark()
        taken = others.deliveries()
        time.sleep(crowd.seconds)
        counts = generator.mark()
        cpu = procstat.cpu_seconds(server.pid) - cpu
        grown = procstat.rss_bytes(server.pid) - rss
        deliveries = counts.deliveries + others.deliveries() - taken
        in_flight = max(in_flight_bytes(server), default=0)
        total = generator.stop(_TIMEOUT)
        caught_up = others.catch_up(total.published)
    if total.faults or not total.complete:
        raise GeneratorError(f"healthy readers: {total}")
    return {
        "p50 ms": counts.p50_us / 1e3,
        "p99 ms": counts.p99_us / 1e3,
        "us": cpu * _US / max(1, deliveries),
        "grown KB/reader": grown / crowd.readers / 1e3,
        "in flight KB": in_flight / 1e3,
        "caught up": float(caught_up),
    }


def in_flight_bytes(server: Server) -> list[int]:
    """What the hub counts as sent and not handled, of each session with a window."""
    found: list[int] = []
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        stub = admin_service_pb2_grpc.AdminServiceStub(channel)
        request = admin_service_pb2.ListSessionsRequest()
        while True:
            answer = stub.ListSessions(request, timeout=_TIMEOUT)
            found += [one.in_flight_bytes for one in answer.sessions if one.sdk == "bench/stopped"]
            if not answer.next_page:
                return found
            request.page.token = answer.next_page


class _Reading:
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


class _Stopped:
    """Sessions that take nothing until they catch up."""

    def __init__(self, server: Server) -> None:
        self._target = f"127.0.0.1:{server.grpc_port}"
        self._channels: list[grpc.aio.Channel] = []
        self._calls: list[Any] = []
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
                    sdk="bench/stopped",
                    window_bytes=WINDOW_BYTES,
                )
                subscribe = frame_pb2.Subscribe(topic=topic, at=frame_pb2.START_LATEST)
                await call.write(_frame(request_id=1, hello=hello))
                await call.write(_frame(request_id=2, subscribe=subscribe))
                while not frame_pb2.ServerFrame.FromString(await call.read()).HasField(
                    "subscribed"
                ):
                    pass
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
            return await asyncio.gather(*(_read_all(call, events) for call in self._calls))

    async def _close(self) -> None:
        self._reads_on.set()
        if self._alive is not None:
            await self._alive
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*(channel.close() for channel in self._channels))


async def _read_all(call: Any, events: int) -> bool:
    handled, position, got = 0, 0, 0
    while position < events:
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
