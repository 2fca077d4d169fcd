"""Drafts on their way: bounded, in memory, in order within each topic."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shipspeak_realtime.errors import OutboxFullError

if TYPE_CHECKING:
    from collections import deque

    from shipspeak.realtime.v1 import event_pb2
    from shipspeak_realtime.errors import RealtimeError
    from shipspeak_realtime.receipts import Receipt

MAX_DRAFTS = 10_000
MAX_BYTES = 64 * 1024 * 1024
# The hub's defaults, with room for the batch's own framing.
BATCH_DRAFTS = 500
BATCH_BYTES = 900_000


@dataclass(slots=True, eq=False)
class Entry:
    """One draft and whoever waits for its receipt.

    Attributes:
        draft: what is sent.
        receipt: the answer; done = settled, or given up by its caller.
        size: serialized bytes.
        first_sent: wall-clock seconds of the first try; None = not tried yet.
        last_error: why the last try gave no receipt.
        in_doubt: a try had no answer, so the draft may be stored.
        group: drafts with the same one are stored all or none; None = it stands for itself.
        durable: it waits on disk: only a refusal by the hub's own reason ends it.
        expires_at: wall-clock seconds after which it is given up; None = no end.
    """

    draft: event_pb2.Draft
    receipt: asyncio.Future[Receipt]
    size: int
    first_sent: float | None = None
    last_error: RealtimeError | None = None
    in_doubt: bool = False
    group: object | None = None
    durable: bool = False
    expires_at: float | None = None


@dataclass(slots=True)
class Outbox:
    """How much waits in this process, over all topics.

    Attributes:
        max_drafts: bound of the number.
        max_bytes: bound of the sum of serialized sizes.
    """

    max_drafts: int = MAX_DRAFTS
    max_bytes: int = MAX_BYTES
    _drafts: int = field(default=0, init=False)
    _bytes: int = field(default=0, init=False)
    _released: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    @property
    def drafts(self) -> int:
        """Drafts without a receipt."""
        return self._drafts

    def admit(self, draft: event_pb2.Draft) -> Entry:
        """Take a draft in.

        Raises:
            OutboxFullError: when a bound is reached.
        """
        size = draft.ByteSize()
        if not self._fits(size):
            message = f"{self._drafts} drafts ({self._bytes} bytes) wait to be published already"
            raise OutboxFullError(message, topic=draft.topic, request_id=draft.id)
        self._drafts += 1
        self._bytes += size
        return Entry(draft, asyncio.get_running_loop().create_future(), size)

    async def admit_in_turn(self, draft: event_pb2.Draft) -> Entry:
        """Take a draft in as soon as there is room.

        Raises:
            OutboxFullError: when it does not fit into an empty outbox.
        """
        size = draft.ByteSize()
        while self._drafts and not self._fits(size):
            self._released.clear()
            await self._released.wait()
        return self.admit(draft)

    def release(self, entry: Entry) -> None:
        """Let a settled or given-up draft go; called once for each admitted one."""
        self._drafts -= 1
        self._bytes -= entry.size
        self._released.set()

    def _fits(self, size: int) -> bool:
        return self._drafts < self.max_drafts and self._bytes + size <= self.max_bytes


def take_batch(waiting: deque[Entry], limit: int) -> list[Entry]:
    """The first entries that fit into one batch; at least one where any waits. They stay queued.

    A group goes as a batch of its own, whole.
    """
    batch: list[Entry] = []
    size = 0
    for entry in waiting:
        full = len(batch) >= limit or (batch and size + entry.size > BATCH_BYTES)
        if batch and entry.group is not batch[0].group:
            break
        if entry.group is None and full:
            break
        batch.append(entry)
        size += entry.size
    return batch
