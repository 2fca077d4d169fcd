"""Runs several hubs on this machine behind the same ports, and keeps them running.

A worker that ends is started again, later and later when it keeps ending; one whose loop stands
still is killed, since it keeps its shards locked for as long as it lives. SIGTERM is passed on: all
drain, and the supervisor ends when they have.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import structlog

from hub.announce import announce
from hub.cli.ports import Ports, reserve
from hub.cli.worker import READY, Post
from hub.engine.sqlite.files import prepare_directory
from hub.engine.sqlite.opening import check_store
from hub.engine.sqlite.peers import RunLock, prepare_run_directory
from hub.errors import Unavailable
from shipspeak.realtime.v1 import error_reason_pb2

if TYPE_CHECKING:
    from pathlib import Path

    from hub.settings import Settings

log: Final = structlog.get_logger(__name__)

LOOK_S: Final = 0.1
# A loop that has not turned for so long holds up all whose events its shards keep.
FROZEN_S: Final = 5.0
START_S: Final = 90.0
# Between the end of a worker and its next start: the first at once.
LONGEST_PAUSE_S: Final = 10.0
# One that has lived so long has not failed in a row.
SOUND_S: Final = 60.0
# Beyond what draining may take.
END_S: Final = 15.0
# What a supervisor that was killed has left ends within this.
PREDECESSOR_S: Final = 10.0
_OWNED: Final = error_reason_pb2.ERROR_REASON_SHARD_UNAVAILABLE


class WorkerFailed(Exception):
    """A worker could not start; ``status`` is its exit status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"exit status {status}")
        self.status = status


class Worker:
    """One worker, over all its starts.

    Args:
        number: of it.

    Attributes:
        process: the one that runs, or ran last.
        ready: it serves.
        heard: when it was heard last, by the loop's clock.
        next_start: when it may be started again, by the loop's clock.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.process: subprocess.Popen[bytes] | None = None
        self.ready = False
        self.heard = self.started = self.next_start = 0.0
        self.failures = 0
        self._lifeline: socket.socket | None = None

    @property
    def name(self) -> str:
        """In the log."""
        return f"w{self.number}"

    def start(self, post: Post, now: float) -> subprocess.Popen[bytes]:
        """Start its process."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)  # noqa: FBT003 - the standard library's own signature
        told = replace(post, lifeline=theirs.fileno())
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - this program, as it was called
                [sys.executable, "-m", "hub", *sys.argv[1:]],
                env={**os.environ, **told.told()},
                pass_fds=(theirs.fileno(),),
            )
        self.process, self._lifeline, self.ready = process, ours, False
        self.started = self.heard = now
        return process

    def listen(self, now: float) -> None:
        """Take what it has said."""
        if self._lifeline is None:
            return
        try:
            said = self._lifeline.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        if said:
            self.heard = now
            self.ready = self.ready or READY in said

    def ended(self, now: float) -> int | None:
        """Its exit status, once; None = it runs, or is not started."""
        if self.process is None or self.process.poll() is None:
            return None
        status, self.process = self.process.returncode, None
        if self._lifeline is not None:
            self._lifeline.close()
            self._lifeline = None
        self.failures = 0 if now - self.started >= SOUND_S else self.failures + 1
        pause = 0.0 if self.failures <= 1 else 0.25 * 2.0 ** min(self.failures - 1, 10)
        self.next_start = now + min(pause, LONGEST_PAUSE_S)
        return status

    def frozen(self, now: float) -> bool:
        """Whether its loop stands still, or it does not come to serve."""
        if self.process is None:
            return False
        return now - self.heard >= (FROZEN_S if self.ready else START_S)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)


class Supervisor:
    """Runs ``settings.workers`` hubs.

    Args:
        settings: of all of them.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._workers = [Worker(number) for number in range(settings.workers)]
        self._stopping = asyncio.Event()
        self._served = False
        self._took_over = False

    async def run(self) -> int:
        """Serve until SIGTERM or SIGINT, then drain; the exit status.

        Raises:
            OSError: a port cannot be had.
            HubError: the store cannot be used.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        settings = self._settings
        prepare_directory(settings.data_dir)
        self._took_over = (self._run_dir / "key").exists()
        with reserve(settings) as ports, RunLock(self._run_dir):
            await self._check_store()
            prepare_run_directory(self._run_dir)
            try:
                await self._watch(ports)
            except WorkerFailed as failed:
                await self._end()
                return failed.status
            await self._end()
            (self._run_dir / "key").unlink()
        if settings.ready_file is not None:
            settings.ready_file.unlink(missing_ok=True)
        log.info("all_stopped")
        return 0

    @property
    def _run_dir(self) -> Path:
        return (self._settings.data_dir / "run").absolute()

    async def _check_store(self) -> None:
        """Make or check the files; workers of a supervisor that was killed may still hold them."""
        loop, settings = asyncio.get_running_loop(), self._settings
        until = loop.time() + PREDECESSOR_S
        while True:
            try:
                await asyncio.to_thread(
                    check_store,
                    settings.data_dir,
                    settings.shards,
                    int(time.time() * 1000),
                    accept_lost=settings.accept_lost_shards,
                )
            except Unavailable as error:
                if error.reason != _OWNED or not self._took_over or loop.time() >= until:
                    raise
                await asyncio.sleep(LOOK_S)
            else:
                return

    async def _watch(self, ports: Ports) -> None:
        """Start workers and look after them until a signal comes."""
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            now = loop.time()
            for worker in self._workers:
                self._look_after(worker, ports, now)
            if not self._served and all(worker.ready for worker in self._workers):
                self._served = True
                announce(self._settings, "all workers", ports.grpc, ports.http)
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._stopping.wait()
            except TimeoutError:
                continue

    def _look_after(self, worker: Worker, ports: Ports, now: float) -> None:
        was_ready = worker.ready
        worker.listen(now)
        status = worker.ended(now)
        if worker.ready and not was_ready:
            log.info("worker_ready", name=worker.name)
        if status is not None:
            if not self._served and not was_ready and status > 0:
                raise WorkerFailed(status)
            log.warning("worker_ended", name=worker.name, status=status)
        if worker.frozen(now):
            log.error("worker_frozen", name=worker.name, silent_s=now - worker.heard)
            worker.send(signal.SIGKILL)
            worker.heard = now
        if worker.process is None and now >= worker.next_start:
            post = Post(
                worker.number,
                len(self._workers),
                secrets.token_hex(6),
                str(self._run_dir),
                ports.grpc,
                ports.http,
                -1,
            )
            process = worker.start(post, now)
            log.info("worker_started", name=worker.name, instance=post.instance, pid=process.pid)

    async def _end(self) -> None:
        """Drain all, wait for them, and end those that do not end."""
        loop = asyncio.get_running_loop()
        running = [worker for worker in self._workers if worker.process is not None]
        for worker in running:
            worker.send(signal.SIGTERM)
        until = loop.time() + self._settings.drain_spread + self._settings.drain_grace + END_S
        while any(worker.process is not None for worker in running) and loop.time() < until:
            await asyncio.sleep(LOOK_S)
            for worker in running:
                now = loop.time()
                worker.listen(now)
                worker.ended(now)
                if worker.frozen(now):
                    worker.send(signal.SIGKILL)
        for worker in running:
            if worker.process is not None:
                log.error("worker_killed", name=worker.name, why="it did not end")
                worker.process.kill()
                await asyncio.to_thread(worker.process.wait)
