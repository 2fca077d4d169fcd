"""Sends what waits in a durable outbox, in order within each topic, for as long as it takes."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import event_pb2
from shipspeak_realtime.durable.lock import SenderLock
from shipspeak_realtime.durable.rows import RefusedDraft, Row
from shipspeak_realtime.durable.store import OutboxFile
from shipspeak_realtime.errors import ClosedError, OutboxError, RealtimeError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from shipspeak_realtime.clock import Clock
    from shipspeak_realtime.durable.outbox import SqliteOutbox
    from shipspeak_realtime.publish import Publisher
    from shipspeak_realtime.receipts import Receipt

_log = logging.getLogger("shipspeak_realtime")

# Drafts of other processes are looked for so often, and so is the end of the one that sends; a
# client's own drafts wake it at once.
LOOK_SECONDS = 0.25
RETRY_SECONDS = 1.0
# Drafts read from the file and not settled yet.
WINDOW = 1_000
BATCH = 250


class Drainer:
    """One client's part in emptying an outbox: sends once no other one does.

    Args:
        outbox: open.
        publisher: repeats until the hub has answered.
        clock: time.
    """

    def __init__(self, outbox: SqliteOutbox, publisher: Publisher, clock: Clock) -> None:
        self._outbox, self._publisher, self._clock = outbox, publisher, clock
        self._lock = SenderLock(outbox.path)
        self._sent: dict[int, Row] = {}
        self._after = 0
        # Rows from here on are read again; only the sender moves its place.
        self._back: int | None = None
        self._finished: list[tuple[Row, asyncio.Future[Receipt]]] = []
        self._news = asyncio.Event()
        self._room = asyncio.Event()

    async def run(self) -> None:
        """Drain until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for step in (self._send, self._settle):
                    group.create_task(self._forever(step), name=f"outbox {step.__name__}")
        finally:
            self._lock.release()

    async def _forever(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await step()
            except OutboxError as error:
                _log.warning("%s; trying again", error)
                await self._clock.sleep(RETRY_SECONDS)
            except Exception:  # noqa: BLE001 - logged; a fault must not end all publishing
                _log.exception("sending from the outbox %s failed; trying again", self._outbox.path)
                await self._clock.sleep(RETRY_SECONDS)

    async def _send(self) -> None:
        """Hand over the next drafts, or wait for some."""
        while not self._lock.take():
            await self._clock.sleep(LOOK_SECONDS)
        self._outbox.added.clear()
        if self._back is not None:
            self._after, self._back = min(self._after, self._back - 1), None
        rows: list[Row] = []
        if len(self._sent) < WINDOW:
            now = self._clock.now()
            rows = await self._outbox.run(OutboxFile.take, self._after, BATCH, now)
        if not rows:
            await self._look_again()
        for row in rows:
            self._after = row.seq
            if row.seq not in self._sent:
                await self._hand_over(row)

    async def _look_again(self) -> None:
        """Wait for a draft of this process, for room, or for the time to look for others'."""
        full = len(self._sent) >= WINDOW
        self._room.clear()
        wake = asyncio.ensure_future((self._room if full else self._outbox.added).wait())
        sleep = asyncio.ensure_future(self._clock.sleep(LOOK_SECONDS))
        try:
            await asyncio.wait({wake, sleep}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            wake.cancel()
            sleep.cancel()

    async def _hand_over(self, row: Row) -> None:
        draft = event_pb2.Draft.FromString(row.body)
        if row.expires_at is not None:
            left = row.expires_at - self._clock.now()
            if left <= 0:
                _log.info("a draft to %s waited longer than its ttl: dropped", row.topic)
                await self._outbox.run(OutboxFile.remove, [row.seq])
                return
        self._sent[row.seq] = row
        try:
            entry = await self._publisher.enqueue(
                draft, durable=True, first_sent=row.first_sent_at, expires_at=row.expires_at
            )
        except BaseException:
            self._again(row)
            raise
        entry.receipt.add_done_callback(lambda receipt: self._finish(row, receipt))

    def _finish(self, row: Row, receipt: asyncio.Future[Receipt]) -> None:
        self._finished.append((row, receipt))
        self._news.set()

    def _again(self, row: Row) -> None:
        """Read a row again, in its place."""
        self._sent.pop(row.seq, None)
        self._back = row.seq if self._back is None else min(self._back, row.seq)

    async def _settle(self) -> None:
        """Write down what became of the drafts that were handed over."""
        await self._news.wait()
        self._news.clear()
        finished, self._finished = self._finished, []
        stored: list[Row] = []
        refused: list[tuple[Row, str]] = []
        for row, receipt in finished:
            error = _error(receipt)
            if error is None:
                stored.append(row)
            elif _is_final(error):
                refused.append((row, str(error)))
            else:
                self._again(row)
        now = self._clock.now()
        try:
            await self._outbox.run(OutboxFile.remove, [row.seq for row in stored])
            await self._outbox.run(OutboxFile.refuse, [(row.seq, why) for row, why in refused], now)
        except OutboxError:
            # Sent once more, a draft is stored once: the hub knows its id.
            for row in (*stored, *(row for row, _ in refused)):
                self._again(row)
            raise
        for row in (*stored, *(row for row, _ in refused)):
            self._sent.pop(row.seq, None)
        self._room.set()
        for row, why in refused:
            _log.error("the hub refused draft %s for good; it is kept aside: %s", row.id, why)
            self._tell(RefusedDraft(event_pb2.Draft.FromString(row.body), why, now))

    def _tell(self, refused: RefusedDraft) -> None:
        if self._outbox.on_refused is None:
            return
        try:
            self._outbox.on_refused(refused)
        except Exception:  # noqa: BLE001 - the application's own; logged
            _log.exception("on_refused failed")


def _error(receipt: asyncio.Future[Receipt]) -> BaseException | None:
    return asyncio.CancelledError() if receipt.cancelled() else receipt.exception()


def _is_final(error: BaseException) -> bool:
    """Whether the hub has refused it; all else is a matter of time, or a fault on this side."""
    if not isinstance(error, RealtimeError) or isinstance(error, ClosedError):
        return False
    return bool(error.reason) or (type(error) is not RealtimeError and not error.retryable)
