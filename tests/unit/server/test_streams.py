"""The streams of the gRPC door, on a real server and channel: a reader that takes nothing."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, cast

import grpc
import pytest

from hub.rpc.streams import ConnectMethod
from hub.server.stream_sink import GrpcStreamSink
from hub.server.streams import SERVICE, StreamHandlers
from hub.session.manager import STALLED_SECONDS
from shipspeak.realtime.v1 import event_pb2, frame_pb2
from tests.support.listening import ListenBench, listen_request
from tests.support.raw_client import Stream, refusal
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hub.rpc.handlers import Context
    from hub.session.session import Session

BULK = frame_pb2.ServerFrame(error=event_pb2.Error(message="x" * 1_000_000)).SerializeToString()


class _Counted(StreamHandlers):
    """Tells how many handlers are at work."""

    active = 0

    async def listen(self, request: bytes, context: Context) -> None:
        self.active += 1
        try:
            await super().listen(request, context)
        finally:
            self.active -= 1


class _Door:
    """A server with one Listen method, and a client that reads when the test says so."""

    def __init__(self) -> None:
        self.bench = ListenBench()
        connect = ConnectMethod(
            self.bench.sessions, cast("Any", None), self.bench.metrics, self.bench.rates
        )
        self.handlers = _Counted(connect, self.bench.listen, self.bench.metrics)
        self.server = grpc.aio.server()
        streaming = grpc.method_handlers_generic_handler(SERVICE, self.handlers.handlers())
        self.server.add_generic_rpc_handlers((streaming,))
        self.port = self.server.add_insecure_port("127.0.0.1:0")


@pytest.fixture
async def door() -> AsyncIterator[_Door]:
    made = _Door()
    await made.server.start()
    yield made
    await made.server.stop(None)


async def _fill(session: Session) -> None:
    """Send until the transport takes no more."""
    sink = session.sink
    assert isinstance(sink, GrpcStreamSink)
    with contextlib.suppress(TimeoutError):
        while True:
            session.send_control(BULK)
            await asyncio.wait_for(sink.written(), 0.3)


async def test_a_reader_that_takes_nothing_is_cut_off_and_its_handler_ends(
    door: _Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it had not read lies in the transport, and then the status that ended it."""
    monkeypatch.setattr("hub.server.streams.LINGER_SECONDS", 0.05)
    monkeypatch.setattr("hub.server.stream_sink.LINGER_SECONDS", 0.05)
    bench = door.bench
    async with grpc.aio.insecure_channel(f"127.0.0.1:{door.port}") as channel:
        listen: Any = channel.unary_stream(f"/{SERVICE}/Listen")
        call = listen(listen_request(1))
        await call.read()
        await until(lambda: len(bench.sessions) == 1)
        (session,) = bench.sessions
        await _fill(session)
        session.rights_until = bench.clock.now
        bench.sessions.tick()
        assert len(bench.sessions) == 0
        assert door.handlers.active == 1
        bench.clock.advance(STALLED_SECONDS)
        bench.sessions.tick()
        await until(lambda: door.handlers.active == 0)
        ended = await Stream(call).end()
        assert ended == (grpc.StatusCode.UNAUTHENTICATED, "SESSION_EXPIRED")


@pytest.mark.parametrize("method", ["Listen", "Connect"])
async def test_an_unknown_failure_is_internal_and_says_nothing_of_itself(
    door: _Door, method: str
) -> None:
    """As in unary calls: a reason, and no detail of what failed."""

    def fail() -> None:
        raise RuntimeError("inner detail")

    door.bench.sessions._check_room = fail  # type: ignore[method-assign]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{door.port}") as channel:
        open_: Any = channel.unary_stream if method == "Listen" else channel.stream_stream
        arguments = [listen_request(1)] if method == "Listen" else []
        call = open_(f"/{SERVICE}/{method}")(*arguments)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
    assert refusal(caught.value) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert "inner" not in (caught.value.details() or "")
    assert 'rthub_refused_total{reason="INTERNAL"} 1.0' in door.bench.metrics.render()[0].decode()
