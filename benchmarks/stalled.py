"""Readers that stop: what they cost the others, what they hold, and that they catch up."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import grpc

from benchmarks import procstat, publisher, trend
from benchmarks.generator import Generator, GeneratorError
from benchmarks.publisher import Plan
from benchmarks.readers import SDK, WINDOW_BYTES, Reading, Stopped
from benchmarks.workload import DURABLE_TOPIC, Workload
from shipspeak.realtime.v1 import admin_service_pb2, admin_service_pb2_grpc

if TYPE_CHECKING:
    from benchmarks.measure import Figures
    from benchmarks.servers import Server

# One frame may pass the window by its own size: two chunks, or an event of the largest size.
IN_FLIGHT_LIMIT: Final = WINDOW_BYTES + 2 * 65_536
_TIMEOUT: Final = 60.0
_LOOK_EVERY: Final = 10
# An event with all that a copy of it would hold, about, and the part of the copies that a slope may
# be: resident memory moves by whole pages of an allocator, so that no slope is exactly zero.
_COPY_BYTES: Final = 600
_NOT_ZERO: Final = 0.02
# Full before anything is measured: what grows then is not the rings, and who catches up reads logs.
SMALL_RINGS: Final = {"RTHUB_RING_BYTES": "1048576"}
_US: Final = 1e6


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who reads.

    Attributes:
        readers: all of them.
        stopped: those that stop, or, in the run to compare with, read like the others.
        burst: events that fill the windows of those that stop.
        per_second: events while it is measured; so few that a busy machine sends each by itself,
            or those that read more slowly would cost less for each delivery.
        seconds: of measuring; those that stop do so a little longer.
        warm: seconds in which events are stored before, as many as come: the store's own caches
            are full then and grow no more.
        samples: of memory in that time; a tenth of them of what is in flight, too.
    """

    readers: int = 1000
    stopped: int = 200
    burst: int = 2000
    per_second: float = 10.0
    seconds: float = 60.0
    warm: float = 4.0
    samples: int = 60

    @property
    def growth_limit(self) -> float:
        """Bytes a second that count as none: of what one copy for each that stops would take."""
        return _NOT_ZERO * self.stopped * self.per_second * _COPY_BYTES


def measure(server: Server, crowd: Crowd, *, stop: bool) -> Figures:
    """One run on a fresh hub: some readers stop, or none does.

    Raises:
        GeneratorError: a reader was refused, or did not get everything in the end.
    """
    workload = Workload(DURABLE_TOPIC)
    if crowd.warm:
        plan = Plan(server.grpc_port, (workload.topic,), 256, 64, seconds=crowd.warm)
        publisher.run_apart(plan)
    others = Stopped(server) if stop else Reading(server, workload)
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
        cpu = procstat.cpu_seconds(server.pid)
        generator.mark()
        taken = others.deliveries()
        held = _watch(server, crowd)
        counts = generator.mark()
        cpu = procstat.cpu_seconds(server.pid) - cpu
        deliveries = counts.deliveries + others.deliveries() - taken
        total = generator.stop(_TIMEOUT)
        caught_up = others.catch_up(total.published)
    if total.faults or not total.complete:
        raise GeneratorError(f"healthy readers: {total}")
    return {
        "p50 ms": counts.p50_us / 1e3,
        "p99 ms": counts.p99_us / 1e3,
        "us": cpu * _US / max(1, deliveries),
        "RSS KB/s": trend.slope(held.rss) / 1e3,
        "in flight KB": max(map(max, held.in_flight), default=0) / 1e3,
        "in flight KB/s": held.in_flight_slope / 1e3,
        "caught up": float(caught_up),
    }


@dataclass(slots=True)
class _Held:
    """What was held while it was measured.

    Attributes:
        rss: (seconds, resident bytes of the server).
        in_flight: bytes by session with a window, at each look.
        looked_at: when that was, in seconds.
    """

    rss: list[tuple[float, float]] = field(default_factory=list)
    in_flight: list[list[int]] = field(default_factory=list)
    looked_at: list[float] = field(default_factory=list)

    @property
    def in_flight_slope(self) -> float:
        """Growth of what all sessions have in flight, bytes per second."""
        sums = [float(sum(one)) for one in self.in_flight]
        return trend.slope(list(zip(self.looked_at, sums, strict=True)))


def _watch(server: Server, crowd: Crowd) -> _Held:
    """Look at memory and windows until the time is over; in both runs of a pair alike."""
    held, started = _Held(), time.monotonic()
    for number in range(crowd.samples + 1):
        # Paces the looks: nothing waits for it.
        due = started + crowd.seconds * number / crowd.samples
        time.sleep(max(0.0, due - time.monotonic()))
        now = time.monotonic() - started
        held.rss.append((now, float(procstat.rss_bytes(server.pid))))
        if number % _LOOK_EVERY == 0:
            held.looked_at.append(now)
            held.in_flight.append(in_flight_bytes(server) or [0])
    return held


def in_flight_bytes(server: Server) -> list[int]:
    """What the hub counts as sent and not handled, of each session with a window."""
    found: list[int] = []
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        stub = admin_service_pb2_grpc.AdminServiceStub(channel)
        request = admin_service_pb2.ListSessionsRequest()
        while True:
            answer = stub.ListSessions(request, timeout=_TIMEOUT)
            found += [one.in_flight_bytes for one in answer.sessions if one.sdk == SDK]
            if not answer.next_page:
                return found
            request.page.token = answer.next_page
