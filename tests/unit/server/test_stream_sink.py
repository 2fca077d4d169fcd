"""The gRPC sink: one writer, one frame in flight, and an end that comes."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from hub.errors import Unavailable
from hub.server.stream_sink import GrpcStreamSink
from hub.telemetry.metrics import Metrics
from shipspeak.realtime.v1 import error_reason_pb2
from tests.support.until import until

ERROR = Unavailable(error_reason_pb2.ERROR_REASON_DRAINING, "going")


class _Context:
    """A call whose writes wait until the test lets them through."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.broken = False

    async def write(self, frame: bytes) -> None:
        await self.flowing.wait()
        if self.broken:
            raise asyncio.InvalidStateError("RPC is done")
        self.written.append(frame)


@pytest.fixture
async def context() -> _Context:
    return _Context()


def _sink(context: _Context) -> GrpcStreamSink:
    return GrpcStreamSink(cast("Any", context), Metrics().transports.of("grpc"))


async def test_one_frame_at_a_time_and_told_when_it_is_written(context: _Context) -> None:
    sink = _sink(context)
    queue = [b"1", b"2", b"3"]

    def more() -> None:
        if queue:
            sink.send(queue.pop(0))
        else:
            sink.close(None)

    sink.on_writable = more
    running = asyncio.ensure_future(sink.run())
    more()
    assert not sink.writable
    await running
    assert context.written == [b"1", b"2", b"3"]
    assert sink.error is None


async def test_closing_lets_the_frame_in_flight_through(context: _Context) -> None:
    sink = _sink(context)
    running = asyncio.ensure_future(sink.run())
    sink.send(b"1")
    sink.close(ERROR)
    sink.close(None)
    await running
    assert context.written == [b"1"]
    assert sink.error is ERROR


async def test_a_call_that_has_ended_ends_the_writer(context: _Context) -> None:
    sink = _sink(context)
    context.broken = True
    running = asyncio.ensure_future(sink.run())
    sink.send(b"1")
    await running
    assert not sink.writable


async def test_an_abandoned_writer_ends(context: _Context) -> None:
    sink = _sink(context)
    running = asyncio.ensure_future(sink.run())
    await asyncio.sleep(0)
    sink.abandon()
    await running


async def test_a_reader_that_comes_back_after_the_close_gets_the_status(context: _Context) -> None:
    sink = _sink(context)
    context.flowing.clear()
    running = asyncio.ensure_future(sink.run())
    sink.send(b"1")
    await asyncio.sleep(0)
    sink.close(ERROR)
    assert not running.done()
    context.flowing.set()
    await running
    assert context.written == [b"1"]
    assert sink.error is ERROR


async def test_who_waits_for_a_frame_to_be_written_is_told(context: _Context) -> None:
    sink = _sink(context)
    running = asyncio.ensure_future(sink.run())
    waiting = asyncio.ensure_future(sink.written())
    await asyncio.sleep(0)
    assert not waiting.done()
    sink.send(b"1")
    await until(waiting.done)
    sink.close(None)
    await running


async def test_a_reader_that_takes_nothing_is_cut_off_after_the_close(
    context: _Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.server.stream_sink.LINGER_SECONDS", 0.01)
    for error in (ERROR, None):
        sink = _sink(context)
        context.flowing.clear()
        running = asyncio.ensure_future(sink.run())
        sink.send(b"1")
        await asyncio.sleep(0)
        sink.close(error)
        await asyncio.wait_for(running, 5)
        assert context.written == []
        assert not sink.writable
        assert sink.error is error or isinstance(sink.error, Unavailable)


async def test_the_calls_own_end_is_passed_on(context: _Context) -> None:
    sink = _sink(context)
    context.flowing.clear()
    running = asyncio.ensure_future(sink.run())
    sink.send(b"1")
    await asyncio.sleep(0)
    sink.close(ERROR)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
