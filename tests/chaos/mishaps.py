"""What a round may do to the hub besides killing it."""

from __future__ import annotations

import asyncio
import resource
from typing import TYPE_CHECKING, Final

from tests.chaos.logs import epochs

if TYPE_CHECKING:
    from collections.abc import Collection
    from random import Random

    from tests.chaos.attendance import Attendance
    from tests.chaos.proxy import FaultProxy
    from tests.chaos.slow_disk import SlowDisk
    from tests.support.hub_process import HubProcess

PAUSE: Final = "stopped"
FULL: Final = "full disk"
SLOW: Final = "slow disk"
HALF_OPEN: Final = "half-open"
STRANDED: Final = "stranded"
ALL: Final = ("", PAUSE, FULL, SLOW, HALF_OPEN, STRANDED)
# Beyond 2.5 heartbeats of 1 s: every client takes the hub for dead.
PAUSE_SECONDS = 3.5
FULL_SECONDS = 1.5
SLOW_SECONDS = 2.0
SLOW_MS = 150
# A file may not grow beyond this: less than any shard file or its log has.
FULL_BYTES = 4096


class Mishaps:
    """All that may happen to one hub while it serves.

    Args:
        hub: that is meant.
        proxy: between it and some of its clients.
        disk: its disk; None = it cannot be slow.
        attendance: is told when somebody falls silent.
        random: of choices.
    """

    def __init__(
        self,
        hub: HubProcess,
        proxy: FaultProxy,
        disk: SlowDisk | None,
        attendance: Attendance,
        random: Random,
    ) -> None:
        self._hub, self._proxy, self._disk, self._random = hub, proxy, disk, random
        self.attendance = attendance

    async def happen(self, mishap: str) -> None:
        """One of ``ALL``; some go on when this returns, so that the kill comes into them."""
        if mishap == PAUSE:
            self.attendance.struck()
            self._hub.pause()
            await asyncio.sleep(PAUSE_SECONDS)
            # A kill of a hub that never woke, or of one that has just read what came meanwhile.
            if self._random.randrange(2):
                self._hub.resume()
                await asyncio.sleep(self._random.uniform(0, 1))
        elif mishap == FULL:
            limit_files(self._hub.pid, FULL_BYTES)
            await asyncio.sleep(FULL_SECONDS)
            if self._random.randrange(2):
                limit_files(self._hub.pid, resource.RLIM_INFINITY)
                await asyncio.sleep(self._random.uniform(0, 1))
        elif mishap == SLOW:
            assert self._disk is not None, "the hub was started without a disk that can be slow"
            self._disk.set(SLOW_MS)
            await asyncio.sleep(SLOW_SECONDS)
        elif mishap:
            self.attendance.struck(far_only=True)
            self._proxy.blackhole() if mishap == HALF_OPEN else self._proxy.strand()
            await asyncio.sleep(PAUSE_SECONDS)
            if mishap == HALF_OPEN:
                self._proxy.cut()
            # Those that were cut off come back, before the kill or with it.
            await asyncio.sleep(self._random.uniform(0, 2))

    def over(self, mishap: str) -> None:
        """What outlives the hub's process ends."""
        if mishap == SLOW and self._disk is not None:
            self._disk.set(0)


def lose_file(hub: HubProcess, topics: Collection[str], spared: Collection[str]) -> dict[str, int]:
    """Take a shard file from a hub that is dead; gives the epochs that went with it.

    Args:
        hub: whose file.
        topics: it holds some of these.
        spared: and none of these: what is to be judged by its log afterwards.
    """
    for path in sorted(hub.data_dir.glob("shard-*.db")):
        lost = epochs(path, topics)
        if lost and not lost.keys() & set(spared):
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            return lost
    raise AssertionError(f"no shard file holds any of the topics without {spared}")


def limit_files(pid: int, soft: int) -> None:
    """No file of a process grows beyond so many bytes."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
