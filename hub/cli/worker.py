"""A worker: one of several hubs that a supervisor runs on this machine.

It is told what it is by its environment, and holds the other end of a socket: it writes a line each
half second while its loop turns, and one when it serves. When the supervisor is killed the kernel
kills it, too: nobody would look after it, and the next supervisor finds the shards unlocked.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import signal
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from hub.engine.sqlite.peers import PeerPlace

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.settings import Settings

# No setting: nobody but the supervisor sets it.
VARIABLE: Final = "SHIPSPEAK_WORKER"
BEAT_S: Final = 0.5
BEAT: Final = b"beat\n"
READY: Final = b"ready\n"
# In prctl, which is a call of Linux.
_PR_SET_PDEATHSIG: Final = 1


@dataclass(frozen=True, slots=True)
class Post:
    """What a worker is told.

    Attributes:
        worker: its number, from 0.
        workers: how many there are.
        instance: its name.
        run_dir: where the workers meet.
        grpc_port, http_port: of the doors that all share.
        lifeline: number of the file that is its end of the socket.
    """

    worker: int
    workers: int
    instance: str
    run_dir: str
    grpc_port: int
    http_port: int
    lifeline: int

    @classmethod
    def from_environment(cls) -> Self | None:
        """What this process is told; None = it is no worker."""
        told = os.environ.pop(VARIABLE, "")
        return cls(**json.loads(told)) if told else None

    def told(self) -> dict[str, str]:
        """As an environment has it."""
        return {VARIABLE: json.dumps(asdict(self))}

    @property
    def name(self) -> str:
        """In the log."""
        return f"w{self.worker}"

    @property
    def place(self) -> PeerPlace:
        """Among the others."""
        return PeerPlace(self.worker, self.workers, self.instance, Path(self.run_dir))

    def settings(self, given: Settings) -> Settings:
        """Those of all, for this one: the supervisor has the free ports and the ready file."""
        return given.model_copy(
            update={
                "grpc_port": self.grpc_port,
                "http_port": self.http_port,
                "ready_file": None,
                "workers": self.workers,
            }
        )


class Lifeline:
    """The worker's end of the socket.

    Args:
        post: names the file.
        on_lost: called when the supervisor is gone.
    """

    def __init__(self, post: Post, on_lost: Callable[[], None]) -> None:
        self._socket = socket.socket(fileno=post.lifeline)
        self._socket.setblocking(False)  # noqa: FBT003 - the standard library's own signature
        self._on_lost = on_lost
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to beat, and end with the supervisor from now on."""
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._beat()), loop.create_task(self._watch())]

    async def ready(self) -> None:
        """Say that the hub serves."""
        await self._say(READY)

    def stop(self) -> None:
        """Beat no more."""
        for task in self._tasks:
            task.cancel()

    async def _beat(self) -> None:
        while True:
            await self._say(BEAT)
            await asyncio.sleep(BEAT_S)

    async def _say(self, line: bytes) -> None:
        try:
            await asyncio.get_running_loop().sock_sendall(self._socket, line)
        except OSError:
            self._on_lost()

    async def _watch(self) -> None:
        try:
            while await asyncio.get_running_loop().sock_recv(self._socket, 64):
                pass
        except OSError:
            pass
        self._on_lost()
