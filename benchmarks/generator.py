"""Builds the load generator and drives it: one command a line in, one JSON object a line out."""

from __future__ import annotations

import hashlib
import json
import selectors
import subprocess
import uuid
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

from benchmarks.workload import ACK_TAG, READY_MESSAGES, Workload

if TYPE_CHECKING:
    from types import TracebackType

_SOURCES = Path(__file__).parent / "loadgen"
_BUILD = Path(__file__).parent / "build"
_FLAGS = ("-O2", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror")
_ANSWER_SLACK = 10.0


class GeneratorError(Exception):
    """The generator refused a command, could not be built, or did not answer."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What the generator saw in a window or in the whole run.

    Attributes:
        seconds: length of the window.
        deliveries: events received, over all connections.
        received_bytes: received from the sockets, framing included.
        reads: system calls that received them.
        published: events sent.
        acks: publishes answered.
        lost: holes in a connection's sequence that were never filled.
        duplicates: numbers that came again.
        disorder: numbers that came late.
        failed: connections that ended or were refused.
        cpu_seconds: the generator's own.
        cpu_us_per_delivery: the same per delivery, in microseconds.
        p50_us: median of the time from intended send to receipt, microseconds.
        p99_us: 99th percentile of it.
        max_us: largest.
        complete: nothing published is still missing; False also when the command ran out of time.
        first_ack: beginning of what the publisher's stream received after it was ready.
        failure: why the first failed connection failed; empty when none did.
    """

    seconds: float
    deliveries: int
    received_bytes: int
    reads: int
    published: int
    acks: int
    lost: int
    duplicates: int
    disorder: int
    failed: int
    cpu_seconds: float
    cpu_us_per_delivery: float
    p50_us: float
    p99_us: float
    max_us: float
    complete: bool = True
    first_ack: bytes = b""
    failure: str = ""

    @property
    def faults(self) -> int:
        """Lost, doubled and reordered events and failed connections together."""
        return self.lost + self.duplicates + self.disorder + self.failed


@dataclass(frozen=True, slots=True)
class Connected:
    """How the connections came up.

    Attributes:
        connections: asked for.
        ready: that received Welcome and Subscribed.
        failed: that did not.
        seconds: from the first connect to the last ready connection.
        first_payload: beginning of what the first connection received.
        failure: why the first failed connection failed.
    """

    connections: int
    ready: int
    failed: int
    seconds: float
    first_payload: bytes = b""
    failure: str = ""


def build() -> Path:
    """Compiles the generator unless this very source was compiled before; returns the program.

    Raises:
        GeneratorError: there is no compiler, or it refused the source.
    """
    sources = sorted(_SOURCES.glob("*.[ch]"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    program = _BUILD / f"loadgen-{digest}"
    if program.exists():
        return program
    _BUILD.mkdir(exist_ok=True)
    # A name of its own: threads and processes may build at the same time.
    fresh = program.with_suffix(f".{uuid.uuid4().hex}")
    command = [
        "cc",
        *_FLAGS,
        "-o",
        str(fresh),
        *(str(path) for path in sources if path.suffix == ".c"),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise GeneratorError(
            "the load generator needs a C compiler; install `cc` (gcc or clang)"
        ) from error
    if done.returncode:
        raise GeneratorError(f"{' '.join(command)} failed:\n{done.stderr}")
    fresh.replace(program)
    return program


class Generator:
    """One generator process. Use as a context manager; all methods block."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [str(build())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise GeneratorError("the generator has no pipes")
        self._input, self._output = self._process.stdin, self._process.stdout
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._output, selectors.EVENT_READ)

    def __enter__(self) -> Self:
        """The generator."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends the process."""
        self._selector.close()
        self._input.close()  # it quits when its parent is gone
        self._process.wait(timeout=_ANSWER_SLACK)
        self._output.close()

    def subscribe(
        self,
        workload: Workload,
        port: int,
        connections: int,
        *,
        browser: bool = False,
        timeout: float = 30,
    ) -> Connected:
        """Opens subscribers, each on a connection of its own, 64 at a time.

        Args:
            workload: what to subscribe.
            port: of the gRPC door, or of the browsers' door.
            connections: how many.
            browser: Listen by grpc-web over HTTP/1.1 instead of Connect.
            timeout: seconds until those still missing are left out of ``ready``.
        """
        call = workload.listen_call(port) if browser else workload.connect_call(port)
        wire = "h1" if browser else "h2"
        size = f"count={connections} inflight=64 ready={READY_MESSAGES}"
        self._ask(f"SUBSCRIBERS wire={wire} port={port} {size} hex={call.hex()}")
        answer = self._ask(f"CONNECT timeout_ms={int(timeout * 1000)}", timeout)
        return Connected(**_only(Connected, answer))  # type: ignore[arg-type]

    def open_publisher(self, workload: Workload, port: int) -> None:
        """Opens the publishing stream on the gRPC door.

        Raises:
            GeneratorError: the stream was refused.
        """
        call, template = workload.publisher_call(port), workload.template()
        self._ask(f"PUBLISHER port={port} ready=1 ack={ACK_TAG} hex={call.hex()}")
        places = f"id={template.id_at} width={template.id_width} marker={template.marker_at}"
        self._ask(f"TEMPLATE {places} hex={template.frame.hex()}")

    def start_closed_loop(self, window: int, count: int | None = None) -> None:
        """Publishes with ``window`` events in flight.

        In flight: not yet delivered to every subscriber, or not yet answered.
        """
        limit = "" if count is None else f" count={count}"
        self._ask(f"START window={window}{limit}")

    def start_paced(self, events_per_second: float, count: int | None = None) -> None:
        """Publishes at a fixed rate; latency counts from the intended send."""
        limit = "" if count is None else f" count={count}"
        self._ask(f"START interval_ns={round(1e9 / events_per_second)}{limit}")

    def mark(self) -> Counts:
        """What happened since the last mark, or since the start; begins a new window."""
        return _counts(self._ask("MARK"))

    def stop(self, timeout: float = 20) -> Counts:
        """Stops publishing, waits for what is in flight, returns the counts of the whole run."""
        return _counts(self._ask(f"STOP timeout_ms={int(timeout * 1000)}", timeout))

    def wait(self, deliveries: int, timeout: float = 20) -> Counts:
        """Waits until so many deliveries have arrived in the whole run."""
        return _counts(
            self._ask(f"WAIT deliveries={deliveries} timeout_ms={int(timeout * 1000)}", timeout)
        )

    def total(self) -> Counts:
        """The counts of the whole run so far."""
        return _counts(self._ask("REPORT"))

    def _ask(self, command: str, timeout: float = 10) -> dict[str, object]:
        self._input.write(command + "\n")
        self._input.flush()
        name = command.split(" ", 1)[0]
        if not self._selector.select(timeout + _ANSWER_SLACK):
            raise GeneratorError(f"no answer to {name} within {timeout + _ANSWER_SLACK} s")
        line = self._output.readline()
        if not line:
            raise GeneratorError(
                f"the generator ended during {name}, status {self._process.wait()}"
            )
        answer = cast("dict[str, object]", json.loads(line))
        if answer["answer"] == "error":
            raise GeneratorError(f"{name}: {answer['error']}{_cause(answer)}")
        return answer


def _cause(answer: dict[str, object]) -> str:
    if "failure" not in answer:
        return ""
    text = bytes.fromhex(str(answer.get("failure_bytes", ""))).decode("latin-1")
    readable = "".join(char if char.isprintable() else "." for char in text)
    return f"{answer['failure']} {readable}".rstrip()


def _only(kind: type, answer: dict[str, object]) -> dict[str, object]:
    known = {field.name for field in fields(kind)}
    values = {name: value for name, value in answer.items() if name in known}
    for name in known & {"first_ack", "first_payload"} & values.keys():
        values[name] = bytes.fromhex(str(values[name]))
    values["failure"] = _cause(answer)
    return values


def _counts(answer: dict[str, object]) -> Counts:
    return Counts(**_only(Counts, answer))  # type: ignore[arg-type]
