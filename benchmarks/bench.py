"""``python -m benchmarks.bench [--quick] [--only NAME]``: our hub beside a tutorial-style one.

Passes are interleaved: in each pass every system is measured within the same minute, each with a
fresh process. Absolute figures belong to the machine; the ratios are what to look at.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from benchmarks import agreement, bars, measure, noise, servers, table
from benchmarks.measure import Figures, Timing
from benchmarks.workload import DURABLE_TOPIC, VOLATILE_TOPIC, Workload

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

System = Literal["tutorial", "ours"]

_QUICK = Timing(warm=0.5, window=1.5, paced=2.0)


@dataclass(frozen=True, slots=True)
class Row:
    """One table.

    Attributes:
        title: what is measured, for the reader.
        systems: the hubs compared.
        bars: limits for ours.
        topic: published to; empty = ingest, without subscribers.
        browser: subscribers use the browsers' door.
    """

    title: str
    systems: tuple[System, ...]
    bars: tuple[bars.Bar, ...]
    topic: str = ""
    browser: bool = False


ROWS = {
    "native": Row(
        "bidi Connect over gRPC, volatile topic (no storage on either side)",
        ("tutorial", "ours"),
        bars.NATIVE,
        VOLATILE_TOPIC,
    ),
    "browser": Row(
        "browser streams: Listen by grpc-web over HTTP/1.1, volatile topic",
        ("tutorial", "ours"),
        bars.BROWSER,
        VOLATILE_TOPIC,
        browser=True,
    ),
    "durable": Row(
        "bidi Connect over gRPC, durable topic (fsynced first; the tutorial stores nothing)",
        ("ours",),
        bars.DURABLE,
        DURABLE_TOPIC,
    ),
    "ingest": Row("durable publishes per second, nobody subscribed", ("ours",), bars.INGEST),
}


@dataclass(frozen=True, slots=True)
class Options:
    """The command line.

    Attributes:
        rows: names of the tables wanted.
        systems: hubs to run.
        passes: how often everything is measured.
        connections: subscribers.
        timing: lengths of the phases.
        data_root: where our hub stores; None = the system's temporary folder.
        strict: a bar that is not met fails the run.
        void_allowed: a void pass is measured all the same, and only its faults are judged: a busy
            machine makes figures worthless, but excuses no lost event.
        arguments: as they were given.
    """

    rows: tuple[str, ...]
    systems: tuple[System, ...]
    passes: int
    connections: int
    timing: Timing
    data_root: Path | None
    strict: bool
    arguments: tuple[str, ...] = ()
    void_allowed: bool = False


def run(options: Options) -> int:
    """Measures and prints; returns the exit status: 0, or 1 with the reasons printed."""
    print(_machine(options))
    results: dict[tuple[str, System], list[Figures]] = defaultdict(list)
    wrong = _agreements(options)
    void = 0
    for number in range(1, options.passes + 1):
        floor = noise.measure()
        print(f"pass {number}: loopback ping-pong {_floor(floor)}", flush=True)
        void += floor.void
        for name in options.rows:
            for system in ROWS[name].systems:
                if system in options.systems and (options.void_allowed or not floor.void):
                    results[name, system].append(_measure(ROWS[name], system, options))
    for name in options.rows:
        if results[name, "tutorial"] or results[name, "ours"]:
            wrong += _print_row(name, results, strict=options.strict and not void)
    if void:
        told = f"{void} of {options.passes} passes were void: the machine is too busy"
        if options.void_allowed:
            print(f"\n{told}; the figures above say nothing, only faults were judged")
        else:
            wrong.append(told)
    for reason in wrong:
        print(f"FAILED: {reason}")
    return 1 if wrong else 0


def _server(
    system: System, options: Options, *, web: bool
) -> AbstractContextManager[servers.Server]:
    if system == "tutorial":
        return servers.tutorial_hub(web=web)
    return servers.our_hub(options.data_root)


def _measure(row: Row, system: System, options: Options) -> Figures:
    print(f"  {row.title}: {system}", flush=True)
    with _server(system, options, web=row.browser) as server:
        if not row.topic:
            return measure.ingest(server, options.timing)
        workload = Workload(row.topic)
        return measure.fan_out(
            server, workload, options.connections, options.timing, browser=row.browser
        )


def _agreements(options: Options) -> list[str]:
    wrong = []
    for system in options.systems:
        for browser in (False, True):
            with _server(system, options, web=browser) as server:
                found = agreement.check(server, Workload(VOLATILE_TOPIC), browser=browser)
            door = "grpc-web" if browser else "gRPC"
            seen = f"{found.generator.deliveries} deliveries on {found.connections} connections"
            what = f"generator ({door}) and stock grpcio client on the {system} hub"
            print(
                f"{what}: {found.published} events, {seen}, client {len(found.client)} in order:"
                f" {'agree' if found.holds else 'DISAGREE'}",
                flush=True,
            )
            if not found.holds:
                wrong.append(f"{what} disagree")
    return wrong


def _print_row(
    name: str, results: dict[tuple[str, System], list[Figures]], *, strict: bool
) -> list[str]:
    row = ROWS[name]
    tutorial, ours = results[name, "tutorial"], results[name, "ours"]
    print(f"\n{name}: {row.title}")
    print("\n".join(table.lines(tutorial, ours, row.bars)))
    wrong = []
    if any(figures.get("faults", 0) > 0 for figures in (*tutorial, *ours)):
        wrong.append(f"{name}: events lost, doubled or reordered, or connections lost")
    if strict:
        wrong += [f"{name}: bar not met: {bar}" for bar in table.unmet(tutorial, ours, row.bars)]
    return wrong


def _machine(options: Options) -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return (
        f"command: python -m benchmarks.bench {shlex.join(options.arguments)}\n"
        f"machine: {os.cpu_count()} cores, {model}, Linux {platform.release()}, "
        f"Python {platform.python_version()}; loopback, no TLS, 256-byte payloads; us = "
        "microseconds of server CPU per delivery (= CPU-seconds per million)"
    )


def _floor(floor: noise.Noise) -> str:
    verdict = "VOID" if floor.void else "sound"
    return f"p50 {floor.p50_ms:.3f} ms, p99 {floor.p99_ms:.3f} ms: {verdict}"


def _options(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="one short pass; when it is void only faults count"
    )
    parser.add_argument("--only", choices=tuple(ROWS), action="append", help="this table only")
    parser.add_argument("--system", choices=("tutorial", "ours"), help="this hub only")
    parser.add_argument("--passes", type=int, help="default 3, or 1 with --quick")
    parser.add_argument("--connections", type=int, default=1000, help="subscribers, default 1000")
    parser.add_argument("--data-root", type=Path, help="folder on the disk to store on")
    parser.add_argument("--strict", action="store_true", help="fail when a bar is not met")
    values = parser.parse_args(arguments)
    return Options(
        rows=tuple(values.only or ROWS),
        systems=(values.system,) if values.system else ("tutorial", "ours"),
        passes=values.passes or (1 if values.quick else 3),
        connections=values.connections,
        timing=_QUICK if values.quick else Timing(),
        data_root=values.data_root,
        strict=values.strict,
        arguments=tuple(arguments),
        void_allowed=values.quick,
    )


if __name__ == "__main__":
    sys.exit(run(_options(sys.argv[1:])))
