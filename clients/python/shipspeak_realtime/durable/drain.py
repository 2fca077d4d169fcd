"""Sends what waits in a durable outbox, in order within each topic, for as long as it takes."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import event_pb2
from shipspeak_realtime.contents import duration
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
            draft.ttl.CopyFrom(duration(left))
        self._sent[row.seq] = row
        try:
            entry = await self._publisher.enqueue(draft, durable=True, first_sent=row.first_sent_at)
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
        self._after = min(self._after, row.seq - 1)

    async def _settle(self) -> None:
        """Write down what became of the drafts that were handed over."""
        await self._news.wait()
        self._news.clear()
        finished, self._finished = self._finished, []
        stored = [row for row, receipt in finished if _stored(receipt)]
        try:
            if stored:
                await self._outbox.run(OutboxFile.remove, [row.seq for row in stored])
        except OutboxError:
            # Sent once more, a draft is stored once: the hub knows its id.
            for row, _ in finished:
                self._again(row)
            raise
        for row in stored:
            self._sent.pop(row.seq, None)
        for row, receipt in finished:
            if not _stored(receipt):
                await self._not_stored(row, receipt)
        self._room.set()

    async def _not_stored(self, row: Row, receipt: asyncio.Future[Receipt]) -> None:
        error = None if receipt.cancelled() else receipt.exception()
        if not isinstance(error, RealtimeError) or isinstance(error, ClosedError):
            self._again(row)
            return
        if not error.reason and error.retryable:
            self._again(row)
            return
        now, why = self._clock.now(), str(error)
        try:
            await self._outbox.run(OutboxFile.refuse, row.seq, why, now)
        except OutboxError:
            self._again(row)
            raise
        self._sent.pop(row.seq, None)
        _log.error("the hub refused draft %s for good; it is kept aside: %s", row.id, why)
        self._tell(RefusedDraft(event_pb2.Draft.FromString(row.body), why, now))

    def _tell(self, refused: RefusedDraft) -> None:
        if self._outbox.on_refused is None:
            return
        try:
            self._outbox.on_refused(refused)
        except Exception:  # noqa: BLE001 - the application's own; logged
            _log.exception("on_refused failed")


def _stored(receipt: asyncio.Future[Receipt]) -> bool:
    return not receipt.cancelled() and receipt.exception() is None
