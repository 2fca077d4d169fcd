"""Publishing many drafts: fed into the outbox as room appears, told as one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from shipspeak_realtime.errors import DeadlineError, RealtimeError
from shipspeak_realtime.publish import no_receipt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shipspeak.realtime.v1 import event_pb2
    from shipspeak_realtime.outbox import Entry
    from shipspeak_realtime.publish import Publisher
    from shipspeak_realtime.receipts import Receipt


async def publish_many(
    publisher: Publisher,
    drafts: Iterable[event_pb2.Draft],
    timeout: float | None,  # noqa: ASYNC109 - the error must say what became of the drafts
    *,
    all_or_nothing: bool = False,
) -> list[Receipt]:
    """Publish drafts, in order within each topic; gives their receipts in the drafts' order.

    Args:
        publisher: of the client.
        drafts: with ids; owned by this call. They are taken as room appears.
        timeout: seconds for all of them; None = for ever.
        all_or_nothing: all are stored or none; they name one topic.

    Raises:
        RealtimeError: the first failure, in the order of the drafts, once all have ended.
    """
    batch = _Batch(publisher)
    try:
        async with asyncio.timeout(timeout):
            if all_or_nothing:
                batch.feed_together(list(drafts))
            else:
                await batch.feed(drafts)
            await batch.settle()
    except TimeoutError as error:
        raise batch.first_failure(timeout) from error
    finally:
        batch.give_up()
    return [receipt.result() for receipt in batch.receipts]


class _Batch:
    """The drafts of one call.

    Attributes:
        receipts: of those that were taken, in their order.
    """

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self.receipts: list[asyncio.Future[Receipt]] = []
        # Only what waits: a receipt is small, the draft that it is for may not be.
        self._queued: dict[asyncio.Future[Receipt], Entry] = {}
        self._unsent: event_pb2.Draft | None = None

    async def feed(self, drafts: Iterable[event_pb2.Draft]) -> None:
        """Queue all drafts; a draft that cannot be queued has failed and stops no other."""
        for draft in drafts:
            self._unsent = draft
            try:
                entry = await self._publisher.enqueue(draft)
            except RealtimeError as error:
                receipt: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
                receipt.set_exception(error)
            else:
                receipt = self._wait_for(entry)
            self.receipts.append(receipt)
            self._unsent = None

    def feed_together(self, drafts: Sequence[event_pb2.Draft]) -> None:
        """Queue drafts that are stored all or none; raises what keeps them from being queued."""
        entries = self._publisher.enqueue_together(drafts)
        self.receipts = [self._wait_for(entry) for entry in entries]

    def _wait_for(self, entry: Entry) -> asyncio.Future[Receipt]:
        self._queued[entry.receipt] = entry
        entry.receipt.add_done_callback(self._queued.pop)
        return entry.receipt

    async def settle(self) -> None:
        """Return when each has a receipt.

        Raises:
            RealtimeError: the first failure, once all have ended.
        """
        if self.receipts:
            # Unlike gather it cancels none when the time is over: first_failure still asks them.
            await asyncio.wait(self.receipts)
        for receipt in self.receipts:
            receipt.result()

    def first_failure(self, timeout: float | None) -> BaseException:
        """What to raise when the time is over."""
        for receipt in self.receipts:
            if not receipt.done():
                return no_receipt(self._queued[receipt], timeout)
            if (error := receipt.exception()) is not None:
                return error
        unsent = self._unsent
        return DeadlineError(
            f"no room in the outbox within {timeout:g} s: this draft and later ones were not sent",
            topic=unsent.topic if unsent else "",
            request_id=unsent.id if unsent else "",
        )

    def give_up(self) -> None:
        """Wait for none of them any more; errors that nobody asked for are not worth a warning."""
        for receipt in self.receipts:
            if not receipt.cancel() and not receipt.cancelled():
                receipt.exception()
