"""The worker's program: ``python -m shipspeak_demo.worker``."""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from typing import TYPE_CHECKING

from shipspeak_demo import program
from shipspeak_demo.publishing import FactPublisher, open_hub
from shipspeak_demo.standing import Standings
from shipspeak_demo.store import Database, JobQueue, Meetings, Practices
from shipspeak_demo.worker.lanes import run_lane
from shipspeak_demo.worker.process import Surroundings

if TYPE_CHECKING:
    from shipspeak_demo.settings import Settings


async def work(settings: Settings, speed: float, concurrency: int) -> None:
    """Work until SIGTERM or SIGINT; jobs in hand are given back at their checkpoints."""
    stopped = program.stop_event()
    database = Database(settings.database)
    meetings = Meetings(database, time.time)
    standings = Standings(Practices(database, time.time), meetings, time.time)
    async with open_hub(settings) as hub:
        around = Surroundings(
            queue=JobQueue(database, time.time),
            uploads=settings.uploads,
            publish=FactPublisher(hub, meetings, standings.of),
            clock=time.monotonic,
            wait=asyncio.sleep,
            speed=speed,
            public_url=settings.public_url,
        )
        lanes = [
            asyncio.create_task(run_lane(around, f"worker-{os.getpid()}"))
            for _ in range(concurrency)
        ]
        program.say("shipspeak-demo worker ready")
        await stopped.wait()
        for lane in lanes:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)
    database.close()


def main() -> None:
    """Parse the command line and work."""
    parser = argparse.ArgumentParser(prog="shipspeak_demo.worker", description=__doc__)
    parser.add_argument("--data", help="folder of the database and the uploaded files")
    parser.add_argument(
        "--speed", type=_speed, default=120.0,
        help="times faster than the transcript; 0 = as fast as possible",
    )  # fmt: skip
    parser.add_argument("--concurrency", type=_count, default=4, help="meetings at a time")
    arguments = parser.parse_args()
    settings = program.start(arguments.data)
    asyncio.run(work(settings, arguments.speed, arguments.concurrency))


def _speed(text: str) -> float:
    speed = float(text)
    if not 0 <= speed < float("inf"):
        problem = "a speed is 0 or more"
        raise argparse.ArgumentTypeError(problem)
    return speed


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 64:
        problem = "a count is 1 to 64"
        raise argparse.ArgumentTypeError(problem)
    return count


if __name__ == "__main__":
    main()
