"""Kill the hub under load and judge what is left: python -m tests.chaos [--rounds 20] [--quick]."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
from pathlib import Path

from tests.chaos import mishaps
from tests.chaos.slow_disk import SlowDisk
from tests.chaos.summary import verdict
from tests.chaos.trial import Plan, run
from tests.chaos.writers import CLIENTS, WRITERS

QUICK_ROUNDS = 3


def main(arguments: list[str] | None = None) -> int:
    """Carry out one trial; 0 = every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="kills of the hub; default 20")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds")
    parser.add_argument("--seed", type=int, help="repeat the choices of an earlier trial")
    options = parser.parse_args(arguments)
    seed = secrets.randbelow(1_000_000) if options.seed is None else options.seed
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        plan = Plan(
            QUICK_ROUNDS if options.quick else options.rounds,
            seed,
            mishaps=mishaps.ALL,
            disk=SlowDisk(Path(folder, "disk")),
        )
        print(
            f"{WRITERS} publishers on {CLIENTS} clients, {plan.topics} topics, 7 readers, "
            f"3 workers, 4 members, {plan.rounds} kills, seed {seed}",
            flush=True,
        )
        try:
            trial = asyncio.run(run(plan, Path(folder), lambda line: print(line, flush=True)))
        except BaseException:
            print(f"the hub's last words:\n{(Path(folder) / 'hub.log').read_text()[-4000:]}")
            raise
    kept, report = verdict(trial)
    print(report)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
