"""Moves pages from the write-ahead logs into the files, beside the commits instead of inside them.

A PASSIVE checkpoint waits for nobody and lets the writer go on. Under steady load the writer adds
pages while one runs, so the log would never be emptied completely and never start over; above
MAX_LOG_PAGES the writer itself is asked to move the small rest between two batches.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import structlog

from hub.engine.sqlite.database import JOURNAL_SIZE_LIMIT, connect_checkpointer
from hub.engine.sqlite.writer import PAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hub.engine.sqlite.thread import WriterThread

_logger: Final = structlog.get_logger(__name__)

CHECKPOINT_PAGES: Final = 16 * 1024 * 1024 // PAGE_BYTES
MAX_LOG_PAGES: Final = JOURNAL_SIZE_LIMIT // PAGE_BYTES
FRAME_BYTES: Final = PAGE_BYTES + 24
LOOK_INTERVAL_S: Final = 0.25
IDLE_S: Final = 1.0


@dataclass(slots=True)
class _Target:
    path: Path
    thread: WriterThread
    connection: sqlite3.Connection
    moved_pages: int = -1  # what a crash left in the log counts as one page
    moved_bytes: int = 0  # how far the log reached at a checkpoint, since it was last cut
    seen_pages: int = -1
    seen_at: float = field(default_factory=time.monotonic)

    def due(self, now: float) -> bool:
        """Whether enough was written, or something was and the shard is idle.

        The writer's count leaves out what it cannot know (bodies that are copied or overwritten,
        what housekeeping removes), so a log that has grown is moved too.
        """
        log_bytes = self.log_bytes()
        self.moved_bytes = min(self.moved_bytes, log_bytes)
        if log_bytes - self.moved_bytes >= CHECKPOINT_PAGES * PAGE_BYTES:
            return True
        written = self.thread.writer.written_pages
        if written != self.seen_pages:
            self.seen_pages, self.seen_at = written, now
        grown = written - self.moved_pages
        return grown >= CHECKPOINT_PAGES or (grown > 0 and now - self.seen_at >= IDLE_S)

    def log_bytes(self) -> int:
        """Size of the write-ahead log's file; 0 = there is none."""
        try:
            return self.path.with_name(f"{self.path.name}-wal").stat().st_size
        except OSError:
            return 0


class Checkpointer:
    """One thread that looks after the logs of all shards of the process."""

    def __init__(self, shards: Sequence[tuple[Path, WriterThread]]) -> None:
        """Open a connection to each file. Raises: sqlite3.Error when one cannot be opened."""
        self._targets: list[_Target] = []
        with ExitStack() as undo:
            for path, thread in shards:
                connection = connect_checkpointer(path)
                undo.callback(connection.close)
                self._targets.append(_Target(path, thread, connection))
            undo.pop_all()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpointer")

    def start(self) -> None:
        """Begin to look at the logs."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close its connections; blocks until then."""
        self._stop.set()
        self._thread.join()
        for target in self._targets:
            target.connection.close()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_INTERVAL_S):
            for target in self._targets:
                if target.due(time.monotonic()):
                    self._checkpoint(target)

    def _checkpoint(self, target: _Target) -> None:
        written = target.thread.writer.written_pages
        try:
            log_pages = self._move(target)
            if log_pages > MAX_LOG_PAGES:
                # A second pass leaves the writer only what came in during it.
                log_pages = self._move(target)
                target.thread.checkpoint_wanted = True
        except sqlite3.Error:
            # The commits are safe in the log; the next look tries again.
            _logger.exception("checkpoint_failed", path=str(target.path))
        else:
            target.moved_pages = written
            # Not the file's size, which has what a commit under way has written, too.
            target.moved_bytes = max(target.moved_bytes, log_pages * FRAME_BYTES)

    def _move(self, target: _Target) -> int:
        """Run one checkpoint; returns the pages in the log."""
        row = target.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return int(row[1])
