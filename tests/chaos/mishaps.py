"""What a round may do to the hub besides killing it."""

from __future__ import annotations

import asyncio
import resource
from typing import TYPE_CHECKING

from tests.chaos.logs import epochs

if TYPE_CHECKING:
    from collections.abc import Collection

    from tests.support.hub_process import HubProcess

# Beyond 2.5 heartbeats of 1 s: every client takes the hub for dead.
PAUSE_SECONDS = 3.5
FULL_SECONDS = 1.5
# A file may not grow beyond this: less than any shard file or its log has.
FULL_BYTES = 4096


async def pause(hub: HubProcess) -> None:
    """SIGSTOP, long enough to be held for dead, then SIGCONT."""
    hub.pause()
    try:
        await asyncio.sleep(PAUSE_SECONDS)
    finally:
        hub.resume()


async def fill_disk(hub: HubProcess) -> None:
    """No file grows for a while, as on a full disk; root is not needed for it."""
    limit_files(hub.pid, FULL_BYTES)
    try:
        await asyncio.sleep(FULL_SECONDS)
    finally:
        limit_files(hub.pid, resource.RLIM_INFINITY)


def lose_file(hub: HubProcess, topics: Collection[str]) -> dict[str, int]:
    """Take a shard file from a hub that is dead; gives the epochs that went with it."""
    for path in sorted(hub.data_dir.glob("shard-*.db")):
        lost = epochs(path, topics)
        if lost:
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            return lost
    raise AssertionError("no shard file holds any of the topics")


def limit_files(pid: int, soft: int) -> None:
    """No file of a process grows beyond so many bytes."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
