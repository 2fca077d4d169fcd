"""The noise floor: a bare ping-pong over loopback between two processes, and what others take.

Where the ping-pong alone is slow, or others have much of the machine during a run, the run proves
nothing.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from statistics import quantiles

from benchmarks import procstat

VOID_ABOVE_MS = 20.0
# Of all CPUs, during a run: of two, half of one. A ping-pong hardly notices them, since who has
# slept is let run first; a hub that works does.
VOID_ABOVE_SHARE = 0.25

_BYTES = 64
_PERCENT = 100


@dataclass(frozen=True, slots=True)
class Noise:
    """Round trips of the ping-pong.

    Attributes:
        p50_ms: median.
        p99_ms: 99th percentile.
        rounds: how many were made.
    """

    p50_ms: float
    p99_ms: float
    rounds: int

    @property
    def void(self) -> bool:
        """Whether figures taken now would say nothing."""
        return self.p99_ms > VOID_ABOVE_MS


class Others:
    """Who else works on this machine, from now on.

    The hub and all other children that a run starts are ours; they count once they have ended.
    """

    def __init__(self) -> None:
        self._busy, self._own = procstat.machine_seconds(), _own_seconds()
        self._at = time.monotonic()

    def share(self) -> float:
        """What they have taken of all CPUs so far, 0 to 1."""
        busy = procstat.machine_seconds() - self._busy - (_own_seconds() - self._own)
        elapsed = time.monotonic() - self._at
        return max(0.0, busy / (elapsed * (os.cpu_count() or 1)))


def _own_seconds() -> float:
    return sum(os.times()[:4])


def measure(seconds: float = 1.0) -> Noise:
    """Plays ping-pong for so many seconds, and as many rounds as a percentile needs."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        command = [sys.executable, "-m", "benchmarks.noise", str(port)]
        with subprocess.Popen(command) as partner, door.accept()[0] as peer:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            trips = _play(peer, seconds)
            peer.shutdown(socket.SHUT_WR)
            partner.wait()
    cuts = quantiles(trips, n=_PERCENT)
    return Noise(cuts[_PERCENT // 2 - 1] * 1e3, cuts[_PERCENT - 2] * 1e3, len(trips))


def _play(peer: socket.socket, seconds: float) -> list[float]:
    trips: list[float] = []
    end = time.perf_counter() + seconds
    before = time.perf_counter()
    while before < end or len(trips) < _PERCENT:
        peer.sendall(bytes(_BYTES))
        peer.recv(_BYTES, socket.MSG_WAITALL)
        after = time.perf_counter()
        trips.append(after - before)
        before = after
    return trips


def _echo(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := peer.recv(_BYTES, socket.MSG_WAITALL):
            peer.sendall(data)


if __name__ == "__main__":
    _echo(int(sys.argv[1]))
