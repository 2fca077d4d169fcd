"""An urgent event behind a slow reader that is saturated with others, with the window and without.

The reader takes bytes at a fixed rate from a topic that always has more. Without a window the
transports swallow megabytes ahead of it, and an urgent event of another topic waits behind them.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from statistics import quantiles
from typing import TYPE_CHECKING, Any, Final

import grpc.aio

from benchmarks import loop
from benchmarks.generator import GeneratorError
from benchmarks.workload import DURABLE_TOPIC, MARKER, PROTOCOL_VERSION, SERVICE, Workload
from shipspeak.realtime.v1 import event_pb2, frame_pb2

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from benchmarks.measure import Figures
    from benchmarks.servers import Server

WINDOW_BYTES: Final = 262_144
# What may lie ahead of an urgent event: a window, and the frame that passed it, of two chunks.
AHEAD_LIMIT: Final = WINDOW_BYTES + 2 * 65_536
_REPORT_BYTES: Final = 65_536
_BULK: Final = Workload(f"{DURABLE_TOPIC}/bulk", payload_bytes=10_000, run_id="bulk")
_URGENT: Final = Workload(f"{DURABLE_TOPIC}/urgent", run_id="urgent")
_BATCH: Final = 80
_SWALLOWED_BYTES: Final = 12_000_000  # more than transports take ahead of a reader
_PERCENT: Final = 100


def measure(server: Server, *, window_bytes: int, rate: float, seconds: float) -> Figures:
    """Latency of urgent events, ten a second, from the publish to the reader's hands.

    Args:
        server: the hub.
        window_bytes: that the reader asks for and reports; 0 = it reports nothing.
        rate: bytes per second that the reader takes.
        seconds: how long.
    """
    return loop.run(_measure(server, window_bytes, rate, seconds), 300 + seconds)


async def _measure(server: Server, window_bytes: int, rate: float, seconds: float) -> Figures:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        await _fill(channel, int(rate * seconds) + _SWALLOWED_BYTES)
        reader = _SlowReader(window_bytes, rate)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.grpc_port}") as own:
            reading = asyncio.create_task(reader.read(own))
            await _while_it_reads(reading, reader.ready.wait())
            sent = await _publish_urgent(channel, seconds, reader)
            # What was swallowed before it comes first: a late one is a figure, not a failure.
            await _while_it_reads(reading, reader.has(sent))
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading
    cuts = quantiles(reader.latencies, n=_PERCENT)
    return {
        "urgent p50 ms": cuts[_PERCENT // 2 - 1] * 1e3,
        "urgent p99 ms": cuts[_PERCENT - 2] * 1e3,
        "urgent max ms": max(reader.latencies) * 1e3,
        "max KB ahead": reader.most_ahead() / 1e3,
        "urgent events": float(sent),
        "bulk MB read": reader.bytes / 1e6,
    }


async def _while_it_reads(reading: asyncio.Task[None], awaited: Coroutine[Any, Any, Any]) -> None:
    """Wait for what the reader brings; its own failure is told instead of a silence."""
    waiting = asyncio.ensure_future(awaited)
    await asyncio.wait({reading, waiting}, timeout=60, return_when=asyncio.FIRST_COMPLETED)
    if waiting.done():
        await waiting
        return
    waiting.cancel()
    if reading.done():
        await reading
    raise GeneratorError("the slow reader did not get what it was to get")


class _SlowReader:
    """A session that takes so many bytes a second."""

    def __init__(self, window_bytes: int, rate: float) -> None:
        self.latencies: list[float] = []
        self._taken_at: dict[int, int] = {}
        self._answered_at: dict[int, int] = {}
        self.bytes = 0
        self.ready = asyncio.Event()
        self._arrived = asyncio.Condition()
        self._window_bytes, self._rate = window_bytes, rate
        self._reported = 0

    async def has(self, count: int) -> None:
        """Return when so many urgent events have come."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.latencies) >= count)

    def answered(self, sequence: int) -> None:
        """The hub has answered an urgent publish: what it sends from now on comes behind it."""
        self._answered_at[sequence] = self.bytes

    def most_ahead(self) -> int:
        """Bytes that came between an answer and its event, at most.

        Unlike the time that they took, they are the hub's doing on any machine.
        """
        return max(at - self._answered_at[number] for number, at in self._taken_at.items())

    async def read(self, channel: grpc.aio.Channel) -> None:
        """Subscribe, then read slowly for ever."""
        method: Any = channel.stream_stream(f"{SERVICE}/Connect")
        call = method()
        hello = frame_pb2.Hello(
            protocol_version=PROTOCOL_VERSION, sdk="bench/1", window_bytes=self._window_bytes
        )
        bulk = frame_pb2.Subscribe(topic=_BULK.topic, at=frame_pb2.START_EARLIEST)
        for frame in (
            frame_pb2.ClientFrame(request_id=1, hello=hello),
            frame_pb2.ClientFrame(request_id=2, subscribe=_URGENT.subscribe()),
            frame_pb2.ClientFrame(request_id=3, subscribe=bulk),
        ):
            await call.write(frame.SerializeToString())
        free_at = time.monotonic()
        while True:
            data = await call.read()
            if data is grpc.aio.EOF:
                raise GeneratorError(f"the reader's stream ended: {await call.code()}")
            await self._take(data)
            # As a slow network would: the next bytes are not there before these have passed.
            free_at = max(free_at, time.monotonic()) + len(data) / self._rate
            await asyncio.sleep(free_at - time.monotonic())
            await self._report(call)

    async def _take(self, data: bytes) -> None:
        frame = frame_pb2.ServerFrame.FromString(data)
        if not frame.runs:
            return
        self.ready.set()
        self.bytes += len(data)
        now_ns = time.monotonic_ns()
        for run in frame.runs:
            if run.topic == _URGENT.topic:
                found = [MARKER.match(event.content.other.value) for event in run.events]
                self.latencies += [(now_ns - int(one[1])) / 1e9 for one in found if one]
                self._taken_at.update((int(one[2]), self.bytes) for one in found if one)
        async with self._arrived:
            self._arrived.notify_all()

    async def _report(self, call: Any) -> None:
        if self._window_bytes and self.bytes - self._reported >= _REPORT_BYTES:
            self._reported = self.bytes
            window = frame_pb2.Window(handled_bytes=self.bytes)
            await call.write(frame_pb2.ClientFrame(window=window).SerializeToString())


async def _publish_urgent(channel: grpc.aio.Channel, seconds: float, reader: _SlowReader) -> int:
    end, sent = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        draft = _URGENT.draft(time.monotonic_ns(), sent)
        draft.content.priority = event_pb2.PRIORITY_CRITICAL
        await _publish(channel, [draft])
        reader.answered(sent)
        sent += 1
        await asyncio.sleep(0.1)
    return sent


async def _fill(channel: grpc.aio.Channel, total: int) -> None:
    count = total // _BULK.payload_bytes
    for first in range(0, count, _BATCH):
        numbers = range(first, min(count, first + _BATCH))
        await _publish(channel, [_BULK.draft(0, number) for number in numbers])


async def _publish(channel: grpc.aio.Channel, drafts: list[event_pb2.Draft]) -> None:
    method: Any = channel.unary_unary(f"{SERVICE}/Publish")
    await method(frame_pb2.PublishRequest(drafts=drafts).SerializeToString(), timeout=30)
