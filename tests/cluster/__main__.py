"""The long form: 20 strokes at three workers under load, and how long nothing came.

Usage: python -m tests.cluster [--rounds N] [--seed N]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.cluster.summary import gap_figures, verdict
from tests.cluster.trial import Plan, run


def main() -> int:
    """The exit status: 0 when every promise was kept and no silence was too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(rounds=chosen.rounds, seed=chosen.seed)
        trial = asyncio.run(run(plan, Path(folder), lambda line: print(line, flush=True)))
    kept, report = verdict(trial)
    short, figures = gap_figures(trial)
    print(report)
    print(figures)
    return 0 if kept and short else 1


if __name__ == "__main__":
    sys.exit(main())
