from __future__ import annotations

import asyncio
import base64

import pytest

from hub.telemetry.metrics import Metrics
from tests.wire.scripted import ScriptedServer
from web_bridge.cors import CorsPolicy
from web_bridge.framing import data_frame
from web_bridge.push import PushSink, SharedFraming
from web_bridge.response import ResponseHead
from web_bridge.status import OK
from web_bridge.stepping import transmitter

HEAD = ResponseHead(
    text=False,
    cors=lambda exposed: CorsPolicy([]).response_headers([], exposed),
    text_header_bytes=2048,
)

FIGURE = Metrics().transports.of("grpc-web")


def make_sink(
    server: ScriptedServer, framing: SharedFraming | None = None, **options: float
) -> PushSink:
    framing = framing or SharedFraming(FIGURE, text=False)
    return PushSink(transmitter(server.send), framing, HEAD, **options)  # type: ignore[arg-type]


async def turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_sinks_of_one_mode_share_the_message_of_a_frame() -> None:
    framing = SharedFraming(FIGURE, text=True)
    servers = [ScriptedServer("/x") for _ in range(3)]
    sinks = [make_sink(server, framing) for server in servers]
    for event in (b"one", b"two"):
        frame = bytes(bytearray(event))
        for sink in sinks:
            sink.send(frame)
        first = servers[0].sent[-1]
        assert all(server.sent[-1] is first for server in servers)
        assert first["body"] == base64.b64encode(data_frame(event))


async def test_first_frame_follows_the_headers_and_costs_no_task() -> None:
    server = ScriptedServer("/x")
    sink = make_sink(server)
    before = len(asyncio.all_tasks())
    sink.send(b"a")
    sink.send(b"b")
    assert len(asyncio.all_tasks()) == before
    assert [message["type"] for message in server.sent][:1] == ["http.response.start"]
    assert server.answer().messages() == [b"a", b"b"]


async def test_not_writable_while_a_send_is_in_flight() -> None:
    server = ScriptedServer("/x")
    sink = make_sink(server)
    calls: list[bool] = []
    sink.on_writable = lambda: calls.append(sink.writable)
    sink.send(b"a")
    server.hold(0)
    sink.send(b"b")
    with pytest.raises(RuntimeError):
        sink.send(b"c")
    server.release()
    assert calls == []
    await turns()
    assert calls == [True]
    sink.send(b"c")
    assert server.answer().messages() == [b"a", b"b", b"c"]


async def test_headers_that_wait_keep_the_first_frame_behind_them() -> None:
    server = ScriptedServer("/x")
    server.hold(0)
    sink = make_sink(server)
    sink.send(b"a")
    in_flight = not sink.writable
    assert in_flight
    server.release()
    await turns()
    assert sink.writable
    assert server.answer().messages() == [b"a"]


async def test_end_waits_for_the_send_in_flight() -> None:
    server = ScriptedServer("/x")
    sink = make_sink(server)
    sink.send(b"a")
    server.hold(0)
    sink.send(b"b")
    sink.end(OK)
    sink.close(None)
    sink.send(b"never")
    server.release()
    await turns()
    answer = server.answer()
    assert answer.messages() == [b"a", b"b"]
    assert answer.trailers() == {"grpc-status": "0"}


async def test_reader_that_does_not_read_is_cut_after_the_end() -> None:
    server = ScriptedServer("/x")
    cut = asyncio.Event()
    framing = SharedFraming(FIGURE, text=False)
    sink = PushSink(transmitter(server.send), framing, HEAD, abort=cut.set, linger_seconds=0.01)
    server.hold(0)
    sink.send(b"a")
    sink.end(OK)
    await asyncio.wait_for(cut.wait(), 1)
    sink.gone()


async def test_nothing_is_sent_after_the_client_left() -> None:
    server = ScriptedServer("/x")
    sink = make_sink(server)
    sink.send(b"a")
    server.hold(0)
    sink.send(b"b")
    sent = list(server.sent)
    sink.gone()
    assert not sink.writable
    server.release()
    sink.end(OK)
    await turns()
    assert server.sent == sent


async def test_failing_send_ends_the_sink_and_raises_nothing() -> None:
    async def broken(message: object) -> None:
        raise OSError("broken")

    cut = asyncio.Event()
    sink = PushSink(
        transmitter(broken),
        SharedFraming(FIGURE, text=False),
        HEAD,
        abort=cut.set,
    )
    sink.send(b"a")
    assert not sink.writable
    assert cut.is_set()
