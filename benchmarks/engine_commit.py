"""What a durable publish costs: events per second and commit times of the SQLite engine.

Part 1 asks what the fsync streams of several shard files cost: the same load on 1 file and on 4,
with 1, 16, 64 and 256 calls in flight. Part 2 asks whether checkpoints show in the commits: the
same load with the checkpointer and with SQLite's automatic checkpoint inside commits. Rounds are
interleaved, so that a slow moment of the machine hits all rows; figures are medians with the lowest
and the highest.

    python benchmarks/engine_commit.py [--seconds 2] [--rounds 3] [--directory DIR]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from hub.engine.contract import Stored
from hub.engine.sqlite import SqliteEngine
from hub.model.events import NORMAL, Append

TOPICS = 100
BODY = bytes(256)
AUTOMATIC_PAGES = 1000  # SQLite's default


@dataclass
class Figures:
    """One run: throughput, and what its callers and its commits waited."""

    events_per_s: float
    answers_ms: list[float]
    commits_ms: list[float]
    cpu_us: float


@dataclass
class Load:
    """Publishers that each keep one call in flight until the time is up."""

    engine: SqliteEngine
    in_flight: int
    seconds: float
    answers_ms: list[float] = field(default_factory=list)

    async def run(self) -> tuple[float, float]:
        """Returns the seconds and the CPU seconds that it took."""
        began, cpu = time.perf_counter(), time.process_time()
        end = began + self.seconds
        await asyncio.gather(*(self._publisher(number, end) for number in range(self.in_flight)))
        return time.perf_counter() - began, time.process_time() - cpu

    async def _publisher(self, number: int, end: float) -> None:
        n = number
        while (sent := time.perf_counter()) < end:
            n += 1
            draft = Append(
                topic=f"meeting/{n % TOPICS}",
                event_id=str(uuid.uuid4()),
                publisher="bench",
                body=BODY,
                priority=NORMAL,
                key="",
                published_ms=time.time_ns() // 1_000_000,
            )
            (result,) = await self.engine.publish([draft])
            assert isinstance(result, Stored), result
            self.answers_ms.append((time.perf_counter() - sent) * 1000)


async def measure(
    directory: Path, shards: int, in_flight: int, seconds: float, *, automatic: bool = False
) -> Figures:
    """Run the load on a new store in ``directory``."""
    commits_ms: list[float] = []
    engine = SqliteEngine(
        directory,
        shards=shards,
        on_commit=lambda _shard, _events, took: commits_ms.append(took * 1000),
    )
    await engine.start()
    if automatic:
        checkpoint_in_commits(engine)
    load = Load(engine, in_flight, seconds)
    took, cpu = await load.run()
    await engine.stop()
    events = len(load.answers_ms)
    return Figures(events / took, load.answers_ms, commits_ms, cpu / events * 1e6)


def checkpoint_in_commits(engine: SqliteEngine) -> None:
    """Put the engine back to what SQLite does by itself, for comparison."""
    assert engine._checkpointer is not None  # noqa: SLF001
    engine._checkpointer.stop()  # noqa: SLF001
    engine._checkpointer = None  # noqa: SLF001
    for shard in engine._shards:  # noqa: SLF001
        assert shard._thread is not None  # noqa: SLF001
        shard._thread.writer.connection.execute(  # noqa: SLF001
            f"PRAGMA wal_autocheckpoint={AUTOMATIC_PAGES}"
        ).fetchone()


def percentile(values: list[float], share: float) -> float:
    """The value that ``share`` of the values do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def row(name: str, runs: list[Figures]) -> str:
    """One line of a table."""
    rates = sorted(run.events_per_s for run in runs)
    commits = [ms for run in runs for ms in run.commits_ms]
    answers = [ms for run in runs for ms in run.answers_ms]
    per_commit = len(answers) / len(commits)
    return (
        f"| {name} | {statistics.median(rates):,.0f} ({rates[0]:,.0f}-{rates[-1]:,.0f}) "
        f"| {statistics.median(run.cpu_us for run in runs):.0f} | {per_commit:.1f} "
        f"| {percentile(commits, 0.5):.2f} | {percentile(commits, 0.99):.2f} | {max(commits):.1f} "
        f"| {percentile(answers, 0.5):.2f} | {percentile(answers, 0.99):.2f} |"
    )


HEADER = (
    "| run | events/s median (min-max) | CPU us/event | events/commit | commit p50 ms | p99 | max "
    "| answer p50 ms | p99 |\n|---|---|---|---|---|---|---|---|---|"
)


async def compare(
    cases: dict[str, tuple[int, int, bool]], rounds: int, seconds: float, base: Path | None
) -> None:
    """Measure cases of (shards, in flight, automatic checkpoints), and print a table."""
    runs: dict[str, list[Figures]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, (shards, in_flight, automatic) in cases.items():
            with tempfile.TemporaryDirectory(dir=base) as directory:
                figures = await measure(
                    Path(directory) / "data", shards, in_flight, seconds, automatic=automatic
                )
                runs[name].append(figures)
    print(HEADER)
    for name, figures_of in runs.items():
        print(row(name, figures_of))


def main() -> None:
    """Run both parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one run of part 1")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--directory", type=Path, default=None, help="where the stores are made")
    options = parser.parse_args()

    print(f"{len(BODY)} B bodies, {TOPICS} topics, random ids, synchronous=FULL\n")
    shards = {
        f"{count} file(s), {in_flight} in flight": (count, in_flight, False)
        for in_flight in (1, 16, 64, 256)
        for count in (1, 4)
    }
    asyncio.run(compare(shards, options.rounds, options.seconds, options.directory))
    print("\nCheckpoints (1 file, 64 in flight, runs three times as long)\n")
    checkpoints = {
        "beside the commits": (1, 64, False),
        f"inside commits, each {AUTOMATIC_PAGES} pages": (1, 64, True),
    }
    asyncio.run(compare(checkpoints, options.rounds, options.seconds * 3, options.directory))


if __name__ == "__main__":
    main()
