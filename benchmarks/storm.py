"""A reconnect storm: many clients come back at once and each has missed the same events.

Rings are cold, as after a restart. What the hub must not do is read the log once per client.
"""

from __future__ import annotations

import math
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from benchmarks import procstat, watched_hub
from benchmarks.generator import Generator, GeneratorError
from benchmarks.workload import DURABLE_TOPIC, Workload
from shipspeak.realtime.v1 import (
    event_pb2,
    frame_pb2,
    realtime_service_pb2,
    realtime_service_pb2_grpc,
)

if TYPE_CHECKING:
    from benchmarks.measure import Figures
    from benchmarks.servers import Server

_READS = "rthub_log_reads_total"
_TIMEOUT = 60.0
# What fills a ring, a page of the log, and an event's bytes beside its payload, about.
_RING_BYTES = 131_072
_PAGE_BYTES = 65_536
_BESIDE_BYTES = 128


@dataclass(frozen=True, slots=True)
class Storm:
    """How large it is.

    Attributes:
        clients: that come back.
        topics: that they read, evenly.
        missed: events that each of them has missed.
        payload_bytes: of each event.
    """

    clients: int = 1000
    topics: int = 4
    missed: int = 100
    payload_bytes: int = 256

    @property
    def pages(self) -> int:
        """Reads that one topic may cost: one fills the ring.

        Where it does not hold all: one more proves the cursor, and each page before it is read.
        """
        before = self.missed * (self.payload_bytes + _BESIDE_BYTES) - _RING_BYTES
        return 1 if before <= 0 else 2 + math.ceil(before / _PAGE_BYTES)


@dataclass(frozen=True, slots=True)
class _Returning(Workload):
    """Sessions that resume from a cursor."""

    cursor: bytes = b""

    def subscribe(self) -> frame_pb2.Subscribe:
        """From where the clients were."""
        return frame_pb2.Subscribe(
            topic=self.topic, position=event_pb2.Position(cursor=self.cursor)
        )


def measure(server: Server, storm: Storm, *, missed: bool) -> Figures:
    """One storm on a fresh hub.

    Args:
        server: the hub, which is watched.
        storm: its size.
        missed: the clients have missed events; otherwise the same reconnect with nothing to read.

    Returns:
        "seconds": from the first connect until the last client has everything, by the clients'
        clock; "server s": from the first subscribe that came into the hub to the last byte that a
        transport took, by the hub's; "server cpu s": CPU of the hub meanwhile.

    Raises:
        GeneratorError: a client was refused, or did not get what it had missed.
    """
    topics = [f"{DURABLE_TOPIC}/{number}" for number in range(storm.topics)]
    workloads = [_prepare(server, topic, storm, missed=missed) for topic in topics]
    each = storm.clients // storm.topics
    reads, cpu = log_reads(server), procstat.cpu_seconds(server.pid)
    started = time.monotonic()
    with ThreadPoolExecutor(storm.topics) as pool:
        list(pool.map(lambda one: _return(server, one, each, storm.missed * missed), workloads))
    elapsed = time.monotonic() - started
    return {
        "seconds": elapsed,
        "server s": watched_hub.seconds(server.notes) if server.notes else math.nan,
        "server cpu s": procstat.cpu_seconds(server.pid) - cpu,
        "log reads": log_reads(server) - reads,
    }


def log_reads(server: Server) -> float:
    """Reads of the log so far, as the hub counts them."""
    address = f"http://127.0.0.1:{server.http_port}/metrics"
    with urllib.request.urlopen(address, timeout=_TIMEOUT) as answer:
        text = answer.read().decode()
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(_READS))


def _prepare(server: Server, topic: str, storm: Storm, *, missed: bool) -> _Returning:
    """Store events, and remember the cursor of a client that went before (or behind) them."""
    events = storm.missed
    workload = Workload(topic, storm.payload_bytes)
    drafts = [workload.draft(0, number) for number in range(events + 1)]
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        stub = realtime_service_pb2_grpc.RealtimeServiceStub(channel)
        stub.Publish(frame_pb2.PublishRequest(drafts=drafts[:1]))
        before = _end(stub, topic)
        stub.Publish(frame_pb2.PublishRequest(drafts=drafts[1:]))
        behind = _end(stub, topic)
    return _Returning(topic, cursor=before if missed else behind)


def _end(stub: realtime_service_pb2_grpc.RealtimeServiceStub, topic: str) -> bytes:
    """The cursor behind all that is stored."""
    history = realtime_service_pb2.ReadHistoryRequest(topic=topic)
    while (answer := stub.ReadHistory(history)).more:
        history.position.CopyFrom(answer.next)
    return bytes(answer.next.cursor)


def _return(server: Server, workload: Workload, clients: int, events: int) -> None:
    with Generator() as generator:
        connected = generator.subscribe(workload, server.grpc_port, clients, timeout=_TIMEOUT)
        if connected.ready < clients:
            message = f"{connected.ready} of {clients} clients came back: {connected.failure}"
            raise GeneratorError(message)
        counts = generator.wait(events * clients, _TIMEOUT)
    if counts.deliveries != events * clients or counts.faults:
        raise GeneratorError(f"{events * clients} deliveries expected, {counts}")
