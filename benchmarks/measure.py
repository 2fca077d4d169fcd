"""One measurement of one hub: a dictionary of figures by name.

Server CPU is that of the hub's process and its descendants over a steady window; the publisher and
all subscribers live in the generator, whose own CPU is reported beside it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from benchmarks import procstat, publisher
from benchmarks.generator import Counts, Generator, GeneratorError
from benchmarks.wire import split_messages
from benchmarks.workload import DURABLE_TOPIC, Workload
from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2, realtime_service_pb2_grpc

if TYPE_CHECKING:
    from benchmarks.servers import Server

Figures = dict[str, float]

PACED_EVENTS_PER_SECOND = 10.0
SATURATED_WINDOW = 64
IN_FLIGHT = (1, 64, 256)
CLIENT_TOPICS = 100

_ANSWERED = (frame_pb2.OUTCOME_STORED, frame_pb2.OUTCOME_ACCEPTED)
_US = 1e6


@dataclass(frozen=True, slots=True)
class Timing:
    """Lengths of the phases, in seconds.

    Attributes:
        warm: before each window.
        window: what is measured.
        paced: the window at 10 events per second.
    """

    warm: float = 1.0
    window: float = 3.0
    paced: float = 5.0


def fan_out(
    server: Server, workload: Workload, connections: int, timing: Timing, *, browser: bool
) -> Figures:
    """Connections, then one in flight, then 64 in flight, then 10 events per second.

    Raises:
        GeneratorError: a connection or the publisher was refused, or a publish was.
    """
    with Generator() as generator:
        figures = _connect(generator, server, workload, connections, browser=browser)
        generator.open_publisher(workload, server.grpc_port)
        generator.start_closed_loop(1)
        one = _window(generator, server, timing.warm, timing.window)
        generator.stop()
        generator.start_closed_loop(SATURATED_WINDOW)
        full = _window(generator, server, timing.warm, timing.window)
        generator.stop()
        generator.start_paced(PACED_EVENTS_PER_SECOND)
        paced = _window(generator, server, timing.warm, timing.paced)
        total = generator.stop()
    _check_answers(total)
    return {
        **figures,
        "w1 us": one.us,
        "w1 deliveries/s": one.rate,
        "w1 bytes": one.counts.received_bytes / max(1, one.counts.deliveries),
        "w1 generator us": one.counts.cpu_us_per_delivery,
        "w64 us": full.us,
        "w64 deliveries/s": full.rate,
        "w64 events/read": full.counts.deliveries / max(1, full.counts.reads),
        "w64 bytes": full.counts.received_bytes / max(1, full.counts.deliveries),
        "paced us": paced.us,
        "paced p50 ms": paced.counts.p50_us / 1e3,
        "paced p99 ms": paced.counts.p99_us / 1e3,
        "faults": float(total.faults + (not total.complete)),
    }


def ingest(server: Server, timing: Timing) -> Figures:
    """Durable publishes per second with nobody subscribed.

    "raw": the generator, one draft a request, one topic. "client": the stock grpcio client,
    requests of up to 64 drafts over 100 topics.

    Raises:
        GeneratorError: a publish was refused, or the log does not hold what was acknowledged.
        PublishRefusedError: from the client.
    """
    figures: Figures = {}
    for in_flight in IN_FLIGHT:
        workload = Workload(f"{DURABLE_TOPIC}/{in_flight}")
        with Generator() as generator:
            generator.open_publisher(workload, server.grpc_port)
            generator.start_closed_loop(in_flight)
            window = _window(generator, server, timing.warm, timing.window)
            total = generator.stop()
        _check_answers(total)
        _check_log(server, workload.topic, total)
        name = f"raw {in_flight}"
        figures[f"{name} publishes/s"] = window.counts.acks / window.counts.seconds
        figures[f"{name} us"] = window.cpu * _US / max(1, window.counts.acks)
        figures |= _client_ingest(server, in_flight, timing)
    return figures


def _client_ingest(server: Server, in_flight: int, timing: Timing) -> Figures:
    topics = tuple(f"{DURABLE_TOPIC}/{in_flight}/{number}" for number in range(CLIENT_TOPICS))
    batch = min(in_flight, SATURATED_WINDOW)
    plan = publisher.Plan(server.grpc_port, topics, in_flight, batch, timing.window)
    before = procstat.cpu_seconds(server.pid)
    outcome = publisher.run_apart(plan)
    cpu = procstat.cpu_seconds(server.pid) - before
    name = f"client {in_flight}"
    return {
        f"{name} publishes/s": outcome.published / outcome.seconds,
        f"{name} us": cpu * _US / outcome.published,
        f"{name} p50 ms": outcome.p50_ms,
        f"{name} p99 ms": outcome.p99_ms,
    }


@dataclass(frozen=True, slots=True)
class _Window:
    counts: Counts
    cpu: float

    @property
    def us(self) -> float:
        """Server CPU per delivery, microseconds."""
        return self.cpu * _US / max(1, self.counts.deliveries)

    @property
    def rate(self) -> float:
        """Deliveries per second."""
        return self.counts.deliveries / self.counts.seconds


def _connect(
    generator: Generator, server: Server, workload: Workload, connections: int, *, browser: bool
) -> Figures:
    rss, cpu = procstat.rss_bytes(server.pid), procstat.cpu_seconds(server.pid)
    port = server.http_port if browser else server.grpc_port
    connected = generator.subscribe(workload, port, connections, browser=browser)
    if connected.ready < connections:
        message = f"{connected.ready} of {connections} connections came up: {connected.failure}"
        raise GeneratorError(message)
    _check_verdict(connected.first_payload)
    return {
        "connect s": connected.seconds,
        "connect cpu s": procstat.cpu_seconds(server.pid) - cpu,
        "KB/connection": (procstat.rss_bytes(server.pid) - rss) / connections / 1e3,
    }


def _window(generator: Generator, server: Server, warm: float, seconds: float) -> _Window:
    time.sleep(warm)
    generator.mark()
    before = procstat.cpu_seconds(server.pid)
    time.sleep(seconds)
    counts = generator.mark()
    return _Window(counts, procstat.cpu_seconds(server.pid) - before)


def _check_verdict(first_payload: bytes) -> None:
    frames = [frame_pb2.ServerFrame.FromString(body) for body in split_messages(first_payload)]
    if [frame.WhichOneof("control") for frame in frames[:2]] != ["welcome", "subscribed"]:
        raise GeneratorError(f"not Welcome and Subscribed but {frames}")


def _check_answers(total: Counts) -> None:
    for body in split_messages(total.first_ack):
        frame = frame_pb2.ServerFrame.FromString(body)
        refused = [result for result in frame.published.results if result.outcome not in _ANSWERED]
        if refused:
            raise GeneratorError(f"a publish was refused: {refused[0]}")


def _check_log(server: Server, topic: str, total: Counts) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        stub = realtime_service_pb2_grpc.RealtimeServiceStub(channel)
        history = stub.ReadHistory(realtime_service_pb2.ReadHistoryRequest(topic=topic, limit=1))
    if history.head != total.acks:
        raise GeneratorError(
            f"{total.acks} acknowledged, but the head of {topic} is {history.head}"
        )
