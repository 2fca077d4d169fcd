"""Attack a hub for as long as it takes to judge what bystanders notice: python -m tests.attacks."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from benchmarks import noise
from tests.attacks.scene import Scene
from tests.attacks.table import TABLE
from tests.attacks.trial import Judged, Trial

VOID = 2


def main(arguments: list[str] | None = None) -> int:
    """Try the rows; 0 = all were met, 1 = one was not, 2 = the machine is too busy to tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks", description=__doc__)
    parser.add_argument("--rows", default="", help="only rows whose name holds this")
    options = parser.parse_args(arguments)
    rows = [attack for attack in TABLE if options.rows in attack.name]
    if not rows:
        parser.error(f"no row's name holds {options.rows!r}")
    print(f"{len(rows)} attacks of {len(TABLE)}; their answers, and 100 bystanders", flush=True)
    before = noise.measure()
    with tempfile.TemporaryDirectory(prefix="attacks-") as folder, Scene(Path(folder)) as scene:
        trial = Trial(scene, lambda line: print(line, flush=True))
        judged = asyncio.run(trial.run(rows))
        broken = scene.crowd.whole()
    after = noise.measure()
    return _verdict(judged, broken, trial, (before, after))


def _verdict(
    judged: list[Judged], broken: list[str], trial: Trial, floors: tuple[noise.Noise, ...]
) -> int:
    for words in broken:
        print(f"WRONG over the whole run: {words}")
    wrong = [row for row in judged if row.wrong]
    slow = [row for row in judged if row.slow]
    floor = max(one.p99_ms for one in floors)
    calm = sorted(trial.calm_medians)
    print(
        f"{len(judged)} attacks: {len(wrong)} answered wrongly, {len(slow)} felt by bystanders; "
        f"noise floor {floor:.1f} ms (p99 of a bare ping-pong), "
        f"medians of calm stretches {calm[0]:.1f} to {calm[-1]:.1f} ms"
    )
    if wrong or broken:
        return 1
    if slow and any(one.void for one in floors):
        print(
            f"VOID: the noise floor is over {noise.VOID_ABOVE_MS:.0f} ms, so latencies tell nothing"
        )
        return VOID
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
