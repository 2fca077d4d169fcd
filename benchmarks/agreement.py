"""Does the generator see what a stock client sees? Both subscribe one topic; all must agree."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from benchmarks.generator import Counts, Generator
from benchmarks.workload import Workload, sequence_of
from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.servers import Server

_CONNECTIONS = 5
_WINDOW = 16
_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Agreement:
    """What both saw of the same events.

    Attributes:
        published: events sent.
        generator: counts of the generator's connections.
        connections: how many those were.
        client: sequence numbers that the stock grpcio client received, in its order.
    """

    published: int
    generator: Counts
    connections: int
    client: list[int]

    @property
    def holds(self) -> bool:
        """Same events, same count, same order, nothing amiss."""
        complete = self.generator.deliveries == self.published * self.connections
        return (
            complete and self.generator.faults == 0 and self.client == list(range(self.published))
        )


def check(
    server: Server, workload: Workload, events: int = 2000, *, browser: bool = False
) -> Agreement:
    """Publishes so many events to a stock client and to five connections of the generator.

    Args:
        server: the hub.
        workload: the topic.
        events: how many.
        browser: the generator listens at the browsers' door; the stock client stays on gRPC.

    Raises:
        TimeoutError: the stock client did not receive that many.
    """
    subscribed = threading.Event()
    with ThreadPoolExecutor(1) as pool, Generator() as generator:
        port = server.http_port if browser else server.grpc_port
        received = pool.submit(_stock_client, server.grpc_port, workload, events, subscribed)
        if not subscribed.wait(_TIMEOUT):
            raise TimeoutError("the stock client could not subscribe")
        generator.subscribe(workload, port, _CONNECTIONS, browser=browser)
        generator.open_publisher(workload, server.grpc_port)
        generator.start_closed_loop(_WINDOW, events)
        counts = generator.wait(events * _CONNECTIONS, _TIMEOUT)
        return Agreement(events, counts, _CONNECTIONS, received.result(_TIMEOUT))


def _stock_client(
    port: int, workload: Workload, events: int, subscribed: threading.Event
) -> list[int]:
    outgoing: queue.SimpleQueue[frame_pb2.ClientFrame | None] = queue.SimpleQueue()
    outgoing.put(frame_pb2.ClientFrame(request_id=1, hello=workload.hello("stock")))
    outgoing.put(frame_pb2.ClientFrame(request_id=2, subscribe=workload.subscribe()))
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = realtime_service_pb2_grpc.RealtimeServiceStub(channel)
        call = stub.Connect(_until_none(outgoing), timeout=_TIMEOUT)
        try:
            return _receive(call, events, subscribed)
        finally:
            outgoing.put(None)
            call.cancel()


def _receive(
    frames: Iterator[frame_pb2.ServerFrame], events: int, subscribed: threading.Event
) -> list[int]:
    received: list[int] = []
    for frame in frames:
        if frame.HasField("subscribed"):
            subscribed.set()
        received.extend(sequence_of(event) for run in frame.runs for event in run.events)
        if len(received) >= events:
            break
    return received


def _until_none(
    outgoing: queue.SimpleQueue[frame_pb2.ClientFrame | None],
) -> Iterator[frame_pb2.ClientFrame]:
    while (frame := outgoing.get()) is not None:
        yield frame
