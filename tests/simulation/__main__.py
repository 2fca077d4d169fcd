"""Simulate: python -m tests.simulation --seeds 2000 | --seed 17 [--trace] [--mutation NAME].

A seed that fails is printed with what was wrong; the same seed fails in the same way again.
With --bound the run fails, too, when the seeds took more of the processors than they may.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import queue
import subprocess
import sys
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING

from tests.simulation.cost import Cost
from tests.simulation.mutations import MUTATIONS
from tests.simulation.trial import one
from tests.simulation.world import Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SHOWN = 5
# Of allocations between two looks for cycles: a seed makes few, and what was imported stays.
GC_ALLOCATIONS = 50_000


def main(arguments: list[str] | None = None) -> int:
    """Run seeds; 0 = every promise was kept in every one."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000, help="how many; default 2000")
    parser.add_argument("--first", type=int, default=0, help="the first of them; default 0")
    parser.add_argument("--seed", type=int, help="only this one, with the hash of its trace")
    parser.add_argument("--trace", action="store_true", help="print the trace of --seed")
    parser.add_argument("--mutation", default="", choices=MUTATIONS, help="plant a known bug")
    parser.add_argument(
        "--processes", type=int, default=len(os.sched_getaffinity(0)), help="side by side"
    )
    parser.add_argument(
        "--bound", action="store_true", help="fail when it costs more than a run may"
    )
    parser.add_argument("--step", type=int, help=argparse.SUPPRESS)  # I am one of those processes
    options = parser.parse_args(arguments)
    if options.seed is not None:
        result = one(options.seed, keep=options.trace, mutation=options.mutation)
        sys.stdout.writelines(result.lines)
        print(f"trace {result.digest}")
        return _tell([result])
    end = options.first + options.seeds
    if options.step is not None:
        gc.freeze()
        gc.set_threshold(GC_ALLOCATIONS)
        for seed in range(options.first, end, options.step):
            print(json.dumps(asdict(one(seed, mutation=options.mutation))), flush=True)
        return 0
    cost = Cost.begin()
    status = _tell(_side_by_side(options))
    cost.end(options.seeds, options.processes)
    print(cost)
    return 1 if options.bound and not cost.within else status


def _side_by_side(options: argparse.Namespace) -> Iterator[Result]:
    """Results of all seeds, spread over processes in which nothing else has happened."""
    count = min(options.processes, options.seeds)
    command = [sys.executable, "-m", "tests.simulation", "--step", str(count)]
    if options.mutation:
        command += ["--mutation", options.mutation]
    processes = [
        subprocess.Popen(
            [*command, "--first", str(options.first + i), "--seeds", str(options.seeds - i)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for i in range(count)
    ]
    results: queue.SimpleQueue[Result | None] = queue.SimpleQueue()

    def listen(process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            results.put(Result(**json.loads(line)))
        results.put(None)

    listeners = [threading.Thread(target=listen, args=(process,)) for process in processes]
    try:
        for listener in listeners:
            listener.start()
        for _ in listeners:
            while (result := results.get()) is not None:
                yield result
        if any(process.wait() for process in processes):
            raise SystemExit("a process broke down")
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _tell(results: Iterable[Result]) -> int:
    seeds = publishes = deliveries = 0
    failed = []
    for result in results:
        seeds += 1
        publishes += result.publishes
        deliveries += result.deliveries
        if result.wrong:
            failed.append(result.seed)
            for words in result.wrong[:SHOWN]:
                print(f"seed {result.seed}: {words}", flush=True)
    print(f"{seeds} seeds, {publishes} publish calls, {deliveries} events handed to readers")
    if failed:
        print(f"NOT every promise was kept: seeds {', '.join(map(str, sorted(failed)))}")
        print(f"again, with its trace: make simulate SEED={min(failed)}")
        return 1
    print("every promise was kept")
    return 0


if __name__ == "__main__":
    sys.exit(main())
