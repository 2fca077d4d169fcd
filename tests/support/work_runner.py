"""`rthub work run` as a process, with a shell script as its command."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.until import until

if TYPE_CHECKING:
    from tests.support.hub_process import HubProcess

# Two programs start one after the other in some tests, on a machine that may be very busy.
SECONDS = 120.0
_RTHUB = str(Path(sys.executable).parent / "rthub")
# Notes that it has begun, waits for a file to appear, and ends with the number in it.
WAITING = """
echo "$RTHUB_EVENT_ID $RTHUB_ATTEMPT" >> begun
while [ ! -s end ]; do sleep 0.05; done
exit $(cat end)
"""


class Runner:
    """`rthub work run` with a shell script as its command, in a folder of its own."""

    def __init__(
        self, folder: Path, hub: HubProcess, name: str, script: str, *options: str
    ) -> None:
        self.folder = folder
        self.begun = folder / "begun"
        self.told = folder / "told"
        with self.told.open("ab") as told:
            command = ("--", "/bin/sh", "-c", script)
            self.process = subprocess.Popen(
                [_RTHUB, "work", "run", name, f"meeting/{name}/*", *options, *command],
                cwd=folder,
                env={**os.environ, "RTHUB_SERVER": hub.grpc, "COLUMNS": "200"},
                stdout=told,
                stderr=told,
            )

    def lines(self) -> list[list[str]]:
        """What the commands noted when they began: event and attempt."""
        if not self.begun.exists():
            return []
        return [line.split() for line in self.begun.read_text().splitlines()]

    async def until_begun(self, count: int) -> None:
        await until(lambda: len(self.lines()) >= count, seconds=SECONDS)

    def end_commands(self, status: int) -> None:
        """Let them end, all that come later included."""
        written = self.folder / "written"
        written.write_text(f"{status}\n")
        written.rename(self.folder / "end")

    async def wait(self) -> int:
        return await asyncio.to_thread(self.process.wait, SECONDS)

    def stop(self) -> None:
        """End it, and every command that it has left behind."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.end_commands(1)
