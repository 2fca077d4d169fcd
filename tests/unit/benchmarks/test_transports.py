"""The generator's two parsers: markers cut anywhere, control frames answered, endings noticed."""

from __future__ import annotations

import asyncio

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    DataReceived,
    PingAckReceived,
    RequestReceived,
    SettingsAcknowledged,
    WindowUpdated,
)

from benchmarks.generator import Connected, Counts, Generator
from benchmarks.tutorial_hub import welcome
from benchmarks.wire import grpc_message, split_messages
from benchmarks.workload import Workload, content
from shipspeak.realtime.v1 import event_pb2, frame_pb2, realtime_service_pb2
from tests.unit.benchmarks.doctored import raw_server

_WORKLOAD = Workload("signal/test")
_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
# Ids that begin like a marker, so that the scan has to give up half-way.
_DECOY = "@TS=@TS=0000000000000000000@SEQ="


def _message(sequence: int) -> bytes:
    event = event_pb2.Event(id=_DECOY, content=content(1, sequence, 64))
    run = event_pb2.TopicRun(topic=_WORKLOAD.topic, events=[event])
    return grpc_message(frame_pb2.ServerFrame(runs=[run]).SerializeToString())


def _greeting() -> bytes:
    subscribed = frame_pb2.ServerFrame(subscribed=frame_pb2.Subscribed(topic=_WORKLOAD.topic))
    frames = (frame_pb2.ServerFrame(welcome=welcome()), subscribed)
    return b"".join(grpc_message(frame.SerializeToString()) for frame in frames)


def _chunks(data: bytes, size: int) -> bytes:
    parts = (data[at : at + size] for at in range(0, len(data), size))
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)


def _listen(port: int, deliveries: int, *, browser: bool = True) -> tuple[Connected, Counts]:
    with Generator() as generator:
        connected = generator.subscribe(_WORKLOAD, port, 1, browser=browser, timeout=20)
        return connected, generator.wait(deliveries)


def _listen_to_the_end(port: int, deliveries: int) -> Counts:
    with Generator() as generator:
        generator.subscribe(_WORKLOAD, port, 1, timeout=20)
        generator.wait(deliveries)
        while not generator.total().failed:  # the test's own time is the limit
            pass
        return generator.total()


@pytest.mark.parametrize("size", [1, 2, 7, 41, 42, 43, 100, 5000])
@pytest.mark.parametrize("read_apart", [False, True])
async def test_markers_are_found_wherever_chunks_and_reads_cut_them(size, read_apart):
    events = 20
    body = _greeting() + b"".join(map(_message, range(events)))

    async def talk(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        answer = _HEAD + _chunks(body, size)
        writer.transport.set_write_buffer_limits(0)
        step = 97 if read_apart else len(answer)
        for at in range(0, len(answer), step):
            writer.write(answer[at : at + step])
            await writer.drain()

    async with raw_server(talk) as port:
        connected, counts = await asyncio.to_thread(_listen, port, events)
    assert connected.ready == 1
    assert (counts.deliveries, counts.faults) == (events, 0)


async def test_the_request_is_what_a_browser_sends():
    requests: asyncio.Queue[bytes] = asyncio.Queue()

    async def talk(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        requests.put_nowait(head)
        requests.put_nowait(await reader.readexactly(size))
        writer.write(_HEAD + _chunks(_greeting(), 100))

    async with raw_server(talk) as port:
        await asyncio.to_thread(_listen, port, 0)
    head, body = await requests.get(), await requests.get()
    path = b"POST /shipspeak.realtime.v1.RealtimeService/Listen HTTP/1.1\r\n"
    assert head.startswith(path)
    assert b"Content-Type: application/grpc-web+proto\r\n" in head
    (message,) = split_messages(body)
    request = realtime_service_pb2.ListenRequest.FromString(message)
    assert request.subscriptions[0].topic == _WORKLOAD.topic


async def test_a_connection_is_ready_after_welcome_and_subscribed_only():
    async def talk(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        only_welcome = frame_pb2.ServerFrame(welcome=welcome()).SerializeToString()
        writer.write(_HEAD + _chunks(grpc_message(only_welcome), 3))

    def listen(port: int) -> Connected:
        with Generator() as generator:
            return generator.subscribe(_WORKLOAD, port, 1, browser=True, timeout=2)

    async with raw_server(talk) as port:
        connected = await asyncio.to_thread(listen, port)
    assert (connected.ready, connected.failed) == (0, 0)
    (first,) = split_messages(connected.first_payload)
    assert frame_pb2.ServerFrame.FromString(first).HasField("welcome")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", "status is not 200"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "not chunked"),
        (_HEAD + b"zz\r\n", "bad chunk size"),
        (_HEAD + b"0\r\n\r\n", "response ended"),
    ],
)
async def test_an_answer_that_is_no_stream_is_a_failure(answer, reason):
    async def talk(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)

    async with raw_server(talk) as port:
        connected, counts = await asyncio.to_thread(_listen, port, 0)
    assert connected.ready == 0
    assert counts.failed == 1
    assert reason in connected.failure


class _H2Server:
    """A strict HTTP/2 server that keeps what the generator says."""

    def __init__(self, ending: str = "") -> None:
        self.connection = H2Connection(H2Configuration(client_side=False))
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.acknowledged: list[str] = []
        self._ending = ending

    async def talk(self, reader, writer):
        self.connection.initiate_connection()
        while data := await reader.read(65_536):
            for event in self.connection.receive_data(data):
                self._handle(event)
            writer.write(self.connection.data_to_send())
            await writer.drain()

    def _handle(self, event: object) -> None:
        if isinstance(event, RequestReceived):
            self.headers = dict(event.headers)
        elif isinstance(event, DataReceived):
            self.body += event.data
            self._answer()
        elif isinstance(event, SettingsAcknowledged | PingAckReceived):
            self.acknowledged.append(type(event).__name__)
        elif isinstance(event, WindowUpdated):
            self.acknowledged.append(f"window {event.stream_id} {event.delta}")

    def _answer(self) -> None:
        h2 = self.connection
        h2.send_headers(1, [(":status", "200"), ("content-type", "application/grpc")])
        h2.ping(b"12345678")
        body = _greeting() + b"".join(map(_message, range(5)))
        for at in range(0, len(body), 50):
            h2.send_data(1, body[at : at + 50], pad_length=at % 100 or None)
        if self._ending == "trailers":
            h2.send_headers(1, [("grpc-status", "14")], end_stream=True)
        elif self._ending == "RST_STREAM":
            h2.reset_stream(1)
        elif self._ending == "GOAWAY":
            h2.close_connection()


async def test_http2_is_spoken_as_a_strict_server_wants_it():
    server = _H2Server()
    async with raw_server(server.talk) as port:
        connected, counts = await asyncio.to_thread(_listen, port, 5, browser=False)
    assert connected.ready == 1
    assert (counts.deliveries, counts.faults) == (5, 0)
    assert server.headers[b":path"].endswith(b"/Connect")
    assert server.headers[b"te"] == b"trailers"
    hello, subscribe = map(frame_pb2.ClientFrame.FromString, split_messages(server.body))
    assert hello.hello.protocol_version == 1
    assert subscribe.subscribe.topic == _WORKLOAD.topic
    assert "SettingsAcknowledged" in server.acknowledged
    assert "PingAckReceived" in server.acknowledged
    assert f"window 0 {2**31 - 1 - 65_535}" in server.acknowledged


@pytest.mark.parametrize("ending", ["trailers", "RST_STREAM", "GOAWAY"])
async def test_the_end_of_an_http2_stream_is_a_failure(ending):
    server = _H2Server(ending)
    async with raw_server(server.talk) as port:
        counts = await asyncio.to_thread(_listen_to_the_end, port, 5)
    assert counts.deliveries == 5
    assert counts.failed == 1
    assert ending in counts.failure
