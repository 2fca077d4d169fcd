"""The thread around a writer: commits what waits as one, and posts the outcome to the loop.

No timer forms the batches: while one commit syncs, the next one's drafts gather in the queue.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog

from hub.engine.sqlite.database import BUSY_TIMEOUT_MS

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from hub.engine.sqlite.housekeeping import Housekeeper
    from hub.engine.sqlite.requests import Answer, Outcome, Request
    from hub.engine.sqlite.topics import Trimmed
    from hub.engine.sqlite.writer import ShardWriter

_logger: Final = structlog.get_logger(__name__)

MAX_BATCH_ROWS: Final = 512
MAX_BATCH_BYTES: Final = 4 * 1024 * 1024
# Housekeeping waits for an idle moment, but not longer than this.
OVERDUE_S: Final = 1.0
# Between two tries to empty the write-ahead log after content was removed.
EMPTY_LOG_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request in the queue, and the future that its answer resolves on the loop."""

    request: Request
    answer: asyncio.Future[Answer]


class LoopSide(Protocol):
    """The event loop's side; all methods are called there, in the order of the thread's doings."""

    def handed_over(self, batch: Sequence[Waiting], outcome: Outcome, seconds: float) -> None:
        """Take a finished batch; ``seconds`` is how long judging and committing took."""

    def trimmed(self, trimmed: Sequence[Trimmed]) -> None:
        """Take note of trimmed topics."""

    def serving_changed(self, *, serving: bool) -> None:
        """Take note that the storage failed or works again, outside a batch."""

    def ended(self, in_hand: Sequence[Waiting]) -> None:
        """The thread takes nothing any more; ``in_hand`` is what it could not finish."""


class WriterThread:
    """Runs one shard's writer and housekeeper.

    Attributes:
        waiting: the queue; filled on the loop.
        outstanding_ms: when each batch was begun that the loop has not taken over yet, oldest
            first. The thread appends before the transaction, the loop removes: a commit that is not
            handed over is always in it.
        checkpoint_wanted: set by the checkpointer when it cannot catch up beside the commits.
    """

    def __init__(
        self,
        shard: int,
        writer: ShardWriter,
        housekeeper: Housekeeper,
        loop_side: LoopSide,
        *,
        loop: asyncio.AbstractEventLoop,
        clock: Callable[[], int],
        round_interval_s: float,
    ) -> None:
        self.waiting: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self.outstanding_ms: deque[int] = deque()
        self.checkpoint_wanted = False
        self.writer = writer
        self._shard = shard
        self._housekeeper = housekeeper
        self._loop_side = loop_side
        self._loop = loop
        self._clock = clock
        self._interval_s = round_interval_s
        self._next_round = time.monotonic() + round_interval_s
        self._busy_since: float | None = None
        self._serving = True
        self._stopping = False
        self._removed = False
        self._in_hand: list[Waiting] = []
        self._thread = threading.Thread(target=self._run, name=f"shard-{shard:03d}-writer")

    def start(self) -> None:
        """Begin to take from the queue."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what was put before, then end; blocks until then."""
        self.waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stopping:
                batch = self._take()
                if batch:
                    self._commit(batch)
                if self.checkpoint_wanted:
                    self._guarded(self._checkpoint)
                if self._removed and not batch:
                    self._guarded(self._empty_log)
                self._keep_house(idle=not batch)
        except BaseException:
            _logger.exception("writer_ended", shard=self._shard)
            raise
        finally:
            self._post(self._loop_side.ended, self._in_hand)

    def _take(self) -> list[Waiting]:
        """Wait for the first request (or for housekeeping), then take what has gathered."""
        batch: list[Waiting] = []
        rows = size = 0
        timeout = self._idle_s()
        try:
            item = self.waiting.get(timeout=timeout) if timeout else self.waiting.get_nowait()
            while item is not None:
                batch.append(item)
                weight = item.request.weight
                rows += weight.rows
                size += weight.size
                if rows >= MAX_BATCH_ROWS or size >= MAX_BATCH_BYTES:
                    return batch
                item = self.waiting.get_nowait()
            self._stopping = True
        except queue.Empty:
            pass
        return batch

    def _idle_s(self) -> float:
        if self._serving and self._housekeeper.busy:
            return 0.0
        until_round = max(0.0, self._next_round - time.monotonic())
        return min(EMPTY_LOG_S, until_round) if self._removed else until_round

    def _commit(self, batch: list[Waiting]) -> None:
        self._in_hand = batch
        self.outstanding_ms.append(self._clock())
        began = time.perf_counter()
        outcome = self.writer.commit([waiting.request for waiting in batch])
        seconds = time.perf_counter() - began
        if outcome.failure is not None:
            self._serving = False
        elif outcome.wrote:
            self._serving = True
        self._removed = self._removed or outcome.removed
        self._in_hand = []
        self._post(self._loop_side.handed_over, batch, outcome, seconds)
        self._guarded(lambda: self._housekeeper.note(outcome))

    def _keep_house(self, *, idle: bool) -> None:
        now = time.monotonic()
        if now >= self._next_round:
            self._next_round = now + self._interval_s
            self._guarded(self._look_round)
        if not (self._serving and self._housekeeper.busy):
            self._busy_since = None
            return
        if self._busy_since is None:
            self._busy_since = now
        if idle or now - self._busy_since > OVERDUE_S:
            self._guarded(self._step)

    def _look_round(self) -> None:
        now_ms = self._clock()
        if not self._serving:
            self.writer.probe(now_ms)
            self._set_serving(serving=True)
        self._housekeeper.look_round(now_ms)

    def _step(self) -> None:
        trimmed = self._housekeeper.step(self._clock())
        if trimmed:
            self._post(self._loop_side.trimmed, trimmed)

    def _checkpoint(self) -> None:
        self.checkpoint_wanted = False
        self.writer.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def _empty_log(self) -> None:
        """What was removed still stands in the write-ahead log until that is cut to nothing.

        While a reader is in it, it is tried again later: nothing waits here.
        """
        connection = self.writer.connection
        connection.execute("PRAGMA busy_timeout=0")
        try:
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        finally:
            connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        self._removed = bool(busy)

    def _guarded(self, work: Callable[[], None]) -> None:
        """Run work that nobody waits for; after a failure the shard must prove a write."""
        try:
            work()
        except Exception:
            _logger.exception("housekeeping_failed", shard=self._shard)
            self._set_serving(serving=False)

    def _set_serving(self, *, serving: bool) -> None:
        if serving != self._serving:
            self._serving = serving
            self._post(lambda: self._loop_side.serving_changed(serving=serving))

    def _post(self, call: Callable[..., None], *args: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *args)
        except RuntimeError:
            # The loop was closed without stopping the engine; nobody is left to hear of it.
            _logger.warning("loop_closed", shard=self._shard)
