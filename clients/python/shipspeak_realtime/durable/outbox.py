"""The async face of a durable outbox."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from shipspeak_realtime.durable.store import OutboxFile
from shipspeak_realtime.errors import OutboxError, OutboxFullError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shipspeak_realtime.durable.rows import NewRow, OutboxState, RefusedDraft

MAX_DRAFTS = 100_000
MAX_BYTES = 256 * 1024 * 1024

P = ParamSpec("P")
T = TypeVar("T")


class SqliteOutbox:
    """Drafts on disk until the hub has stored them, through restarts of both sides.

    ::

        outbox = SqliteOutbox("news.db")
        async with RealtimeClient("127.0.0.1:50051", outbox=outbox) as hub:
            await hub.publish_soon("meeting/42", UploadProgress(sent_bytes=1))

    Several processes may give the same file: one of them sends for all, and another takes over
    when it ends. The file belongs on a local disk, and to one hub and one account.

    Args:
        path: of the file; made with the first client that opens it, readable by its owner only.
        max_drafts: bound of the number of drafts in the file.
        max_bytes: bound of the sum of their serialized sizes.
        on_refused: called, in the client's loop, with each draft that the hub refused for good; it
            stays in the file until `retry` or `discard`. Such a refusal is logged in any case.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_drafts: int = MAX_DRAFTS,
        max_bytes: int = MAX_BYTES,
        on_refused: Callable[[RefusedDraft], None] | None = None,
    ) -> None:
        self.path = Path(path).expanduser()
        self.on_refused = on_refused
        self.added = asyncio.Event()
        self._bounds = max_drafts, max_bytes
        self._file: OutboxFile | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._waiting: list[tuple[NewRow, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def state(self) -> OutboxState:
        """How full it is."""
        return await self.run(OutboxFile.state)

    async def refused(self, limit: int = 100) -> Sequence[RefusedDraft]:
        """Drafts that the hub refused for good, oldest first."""
        return await self.run(OutboxFile.refused, limit)

    async def retry(self, ids: Sequence[str]) -> int:
        """Send refused drafts again, behind all that waits now; gives how many there were."""
        count = await self.run(OutboxFile.retry, ids)
        self.added.set()
        return count

    async def discard(self, ids: Sequence[str]) -> int:
        """Drop refused drafts; gives how many there were."""
        return await self.run(OutboxFile.discard, ids)

    async def open(self) -> None:
        """Open the file; a client does it at its `async with`.

        Raises:
            OutboxError: it cannot be opened, or is no outbox.
        """
        if self._thread is not None:
            message = f"the outbox {self.path} is open in another client; make one for each"
            raise OutboxError(message, reason="OUTBOX_IN_USE")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="outbox")
        try:
            loop = asyncio.get_running_loop()
            self._file = await loop.run_in_executor(self._thread, self._open)
        except BaseException as error:
            self._thread.shutdown(wait=False)
            self._thread = None
            if isinstance(error, OSError | sqlite3.Error):
                raise _failed(self.path, error) from error
            raise

    async def close(self) -> None:
        """Write down what waits for that, and close the file; safe to repeat."""
        if self._file is None or self._thread is None:
            return
        while self._writer is not None:
            await asyncio.wait({self._writer})
        file, thread = self._file, self._thread
        self._file = self._thread = None
        await asyncio.get_running_loop().run_in_executor(thread, file.close)
        thread.shutdown()

    async def add(self, row: NewRow) -> None:
        """Keep a draft; returns once it is on disk. Calls that meet share a commit.

        Raises:
            OutboxFullError: a bound is reached; nothing was kept.
            OutboxError: the file cannot be written.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, done))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name=f"outbox {self.path}")
        await done

    async def run(
        self,
        method: Callable[Concatenate[OutboxFile, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a method of the file in its thread.

        Raises:
            OutboxError: the outbox is closed, or the file cannot be used.
        """
        file, thread = self._file, self._thread
        if file is None or thread is None:
            message = f"the outbox {self.path} is not open; a client opens it"
            raise OutboxError(message, reason="OUTBOX_CLOSED")
        try:
            return await asyncio.get_running_loop().run_in_executor(
                thread, lambda: method(file, *args, **kwargs)
            )
        except sqlite3.Error as error:
            raise _failed(self.path, error) from error

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._commit(batch)
        finally:
            self._writer = None

    async def _commit(self, batch: list[tuple[NewRow, asyncio.Future[None]]]) -> None:
        error: Exception | None = None
        taken: list[bool] = []
        try:
            taken = await self.run(OutboxFile.add, [row for row, _ in batch])
        except OutboxError as failure:
            error = failure
        for place, (row, done) in enumerate(batch):
            if done.done():
                continue
            if error is not None:
                done.set_exception(error)
            elif taken[place]:
                done.set_result(None)
            else:
                message = f"the outbox {self.path} is full"
                done.set_exception(OutboxFullError(message, topic=row.topic, request_id=row.id))
        self.added.set()

    def _open(self) -> OutboxFile:
        # Drafts are nobody else's to read; SQLite gives its side files the same mode.
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        return OutboxFile(self.path, *self._bounds)


def _failed(path: Path, error: Exception) -> OutboxError:
    return OutboxError(f"the outbox {path} cannot be used: {error}", reason="OUTBOX_FILE")
