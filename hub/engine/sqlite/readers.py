"""A few threads that read, so that a catch-up read never holds the event loop or a commit."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

import structlog

from hub.engine.sqlite.failures import faulty, is_storage_failure, shard_unavailable, storage_failed
from hub.engine.sqlite.reader import ShardReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_logger: Final = structlog.get_logger(__name__)

READ_THREADS: Final = 2

_T = TypeVar("_T")


class ReaderPool:
    """Runs reads in threads of its own; each thread has a connection per shard.

    Args:
        paths: of the shard files.
        threads: how many.
    """

    def __init__(self, paths: Sequence[Path], threads: int = READ_THREADS) -> None:
        self._paths = paths
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="reader")
        self._local = threading.local()
        self._all_lock = threading.Lock()
        self._all: set[ShardReader] = set()
        self._closed = False

    async def run(self, shard: int, topic: str, call: Callable[[ShardReader], _T]) -> _T:
        """Run ``call`` with a reader of the shard.

        Raises:
            Unavailable: STORAGE_FAILED when the file cannot be read, SHARD_UNAVAILABLE after
            ``close``.
            Internal: an unknown failure, logged.
        """
        if self._closed:
            raise shard_unavailable(shard, "it is not open here; try again", topic=topic)
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._pool, self._call, shard, call)
        except sqlite3.Error as error:
            _logger.exception("read_failed", shard=shard, topic=topic)
            if is_storage_failure(error):
                raise storage_failed(shard, error, topic=topic) from error
            raise faulty(shard, topic=topic) from error

    def refuse(self) -> None:
        """Start nothing new."""
        self._closed = True

    def close(self) -> None:
        """Wait for running reads, then close every connection. Blocks; not on the loop."""
        self._closed = True
        self._pool.shutdown(wait=True)
        for reader in self._all:
            reader.close()

    def _call(self, shard: int, call: Callable[[ShardReader], _T]) -> _T:
        readers: dict[int, ShardReader] | None = getattr(self._local, "readers", None)
        if readers is None:
            readers = self._local.readers = {}
        reader = readers.get(shard)
        if reader is None:
            reader = readers[shard] = ShardReader(self._paths[shard])
            with self._all_lock:
                self._all.add(reader)
        try:
            return call(reader)
        except sqlite3.Error:
            # The connection may be part of the trouble; the next read makes a new one.
            del readers[shard]
            with self._all_lock:
                self._all.discard(reader)
            reader.close()
            raise
