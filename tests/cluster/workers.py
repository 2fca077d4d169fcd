"""The workers of a hub that a test has started: who they are, and what is done to them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from tests.support.hub_process import HubProcess

if TYPE_CHECKING:
    from pathlib import Path

WORKERS = 3
HEARTBEAT_SECONDS = 1.0
# Each worker imports everything anew, and all of them at once.
START_SECONDS = 120.0


def make_hub(folder: Path, *options: str, env: dict[str, str] | None = None) -> HubProcess:
    """A hub of several workers, not started."""
    return HubProcess(
        folder,
        *("--workers", str(WORKERS), "--heartbeat", str(HEARTBEAT_SECONDS), "--log-json"),
        *options,
        env=env,
        start_seconds=START_SECONDS,
    )


class RunningWorkers:
    """Reads the supervisor's log.

    Args:
        hub: that runs.
    """

    def __init__(self, hub: HubProcess) -> None:
        self._hub = hub

    def said(self, event: str) -> list[dict[str, Any]]:
        """What the supervisor has logged of that kind, over all its starts."""
        lines = []
        for line in self._hub.log.splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and entry.get("event") == event:
                lines.append(entry)
        return lines

    def pids(self) -> dict[str, int]:
        """The process that each worker is now, by the worker's name."""
        return {entry["name"]: entry["pid"] for entry in self.said("worker_started")}

    def named(self, instance: str) -> str:
        """The worker that an instance is."""
        names = {entry["instance"]: entry["name"] for entry in self.said("worker_started")}
        found: str = names[instance]
        return found

    def starts(self) -> Counter[str]:
        """How often each worker has come to serve."""
        return Counter(entry["name"] for entry in self.said("worker_ready"))

    def kill(self, name: str) -> None:
        """Kill -9 one worker."""
        os.kill(self.pids()[name], signal.SIGKILL)

    def freeze(self, name: str) -> None:
        """Stop a worker where it stands: it keeps its locks and its connections."""
        os.kill(self.pids()[name], signal.SIGSTOP)

    async def serving(self, starts: Counter[str]) -> None:
        """Wait until every worker has come to serve as often as that.

        Raises:
            TimeoutError: it did not.
        """
        until = time.monotonic() + START_SECONDS
        while any(self.starts()[name] < count for name, count in starts.items()):
            if time.monotonic() > until:
                raise TimeoutError(f"{starts} wanted, {self.starts()} there; {self._hub.log}")
            await asyncio.sleep(0.05)
