"""Publishing: drafts in, receipts out, through restarts of the hub."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from shipspeak_realtime.backoff import Backoff
from shipspeak_realtime.errors import (
    ClosedError,
    DeadlineError,
    InvalidRequestError,
    RealtimeError,
)
from shipspeak_realtime.lane import Lane
from shipspeak_realtime.outbox import Entry, Outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shipspeak.realtime.v1 import event_pb2, frame_pb2
    from shipspeak_realtime.clock import Clock
    from shipspeak_realtime.receipts import Receipt
    from shipspeak_realtime.stats import Stats
    from shipspeak_realtime.unary import UnaryCalls

_log = logging.getLogger("shipspeak_realtime")


class Publisher:
    """All publishing of one client: a lane for each topic that has something to send."""

    def __init__(
        self, calls: UnaryCalls, clock: Clock, stats: Stats, random: Callable[[], float]
    ) -> None:
        self._calls, self._clock, self._stats, self._random = calls, clock, stats, random
        self._outbox = Outbox()
        self._lanes: dict[str, Lane] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._got_through = asyncio.Event()
        self._closed = False

    async def publish(self, draft: event_pb2.Draft, timeout: float | None) -> Receipt:  # noqa: ASYNC109 - the deadline is part of the promise: the error must say what became of the draft
        """Publish one draft, with repeats for as long as the deadline allows.

        Raises:
            DeadlineError: it may or may not be stored; publish again with the same id.
            OutboxFullError: too much waits already.
            RealtimeError: the hub's refusal.
        """
        self._check_open(draft)
        entry = self._outbox.admit(draft)
        self._enqueue(entry)
        try:
            async with asyncio.timeout(timeout):
                return await entry.receipt
        except TimeoutError as error:
            raise no_receipt(entry, timeout) from entry.last_error or error

    async def enqueue(
        self,
        draft: event_pb2.Draft,
        *,
        durable: bool = False,
        first_sent: float | None = None,
        expires_at: float | None = None,
    ) -> Entry:
        """Queue a draft as soon as there is room; its receipt is for the caller to wait for.

        Args:
            draft: what to publish.
            durable: it waits on disk: it is tried for as long as the hub does not refuse it.
            first_sent: wall-clock seconds of a first try by an earlier process; None = none was.
            expires_at: wall-clock seconds after which its receipt is cancelled; its ttl ends then.

        Raises:
            OutboxFullError: it is larger than the outbox.
            ClosedError: the client was closed.
        """
        self._check_open(draft)
        entry = await self._outbox.admit_in_turn(draft)
        try:
            # The wait for room may have ended because of close.
            self._check_open(draft)
        except ClosedError:
            self._outbox.release(entry)
            raise
        entry.durable, entry.first_sent, entry.expires_at = durable, first_sent, expires_at
        self._enqueue(entry)
        return entry

    def enqueue_together(self, drafts: Sequence[event_pb2.Draft]) -> list[Entry]:
        """Queue drafts of one topic that are stored all or none.

        Raises:
            InvalidRequestError: they name more than one topic.
            OutboxFullError: there is not room for all of them now.
            ClosedError: the client was closed.
        """
        if len({draft.topic for draft in drafts}) > 1:
            message = "drafts that are stored all or none must name one topic"
            raise InvalidRequestError(message, reason="BATCH_TOPICS_MIXED")
        group = object()
        entries: list[Entry] = []
        try:
            for draft in drafts:
                self._check_open(draft)
                entries.append(self._outbox.admit(draft))
        except RealtimeError:
            for entry in entries:
                self._outbox.release(entry)
            raise
        for entry in entries:
            entry.group = group
            self._enqueue(entry)
        return entries

    async def close(self) -> None:
        """Give up on what waits."""
        self._closed = True
        for worker in self._workers.values():
            worker.cancel()
        await asyncio.gather(*self._workers.values(), return_exceptions=True)
        # A worker that was cancelled before its first turn has run none of its lines.
        for topic, lane in self._lanes.items():
            lane.abandon(ClosedError("the client was closed", topic=topic))
        self._lanes.clear()
        self._workers.clear()

    def _check_open(self, draft: event_pb2.Draft) -> None:
        if self._closed:
            message = "the client was closed"
            raise ClosedError(message, topic=draft.topic, request_id=draft.id)

    def _enqueue(self, entry: Entry) -> None:
        """Give an entry to its topic's lane; it leaves the outbox when settled or given up."""
        entry.receipt.add_done_callback(lambda _: self._outbox.release(entry))
        draft = entry.draft
        lane = self._lanes.get(draft.topic)
        if lane is None:
            backoff = Backoff(self._random)
            lane = Lane(self._send, self._pause, backoff, self._clock, self._stats)
            self._lanes[draft.topic] = lane
            self._workers[draft.topic] = asyncio.create_task(
                self._work(draft.topic, lane), name=f"publish {draft.topic}"
            )
        lane.add(entry)

    async def _work(self, topic: str, lane: Lane) -> None:
        error = RealtimeError("the publishing was cancelled", topic=topic)
        try:
            await lane.work()
        except Exception as fault:  # noqa: BLE001 - logged, and told to all who wait
            _log.exception("publishing to %s failed", topic)
            error = RealtimeError(f"a fault of the SDK: {fault!r}", topic=topic)
            error.__cause__ = fault
        finally:
            # No await between the lane's last look and here: nothing can be added to a dead lane.
            del self._lanes[topic], self._workers[topic]
            if self._closed:
                error = ClosedError("the client was closed", topic=topic)
            lane.abandon(error)

    async def _send(self, request: frame_pb2.PublishRequest) -> Sequence[frame_pb2.PublishResult]:
        response = await self._calls.publish(request)
        # The hub is there: topics that wait after a failure need not wait longer.
        self._got_through.set()
        self._got_through = asyncio.Event()
        return response.results

    async def _pause(self, seconds: float) -> None:
        sleep = asyncio.ensure_future(self._clock.sleep(seconds))
        wake = asyncio.ensure_future(self._got_through.wait())
        try:
            await asyncio.wait({sleep, wake}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            wake.cancel()


def no_receipt(entry: Entry, timeout: float | None) -> DeadlineError:
    """The error for a draft that was queued and has no receipt in time."""
    draft = entry.draft
    why = f" (the last try: {entry.last_error})" if entry.last_error else ""
    message = (
        f"no receipt within {timeout:g} s{why}; whether it was stored is not known: "
        f"publish again with id={draft.id!r}"
    )
    return DeadlineError(message, reason="OUTCOME_UNKNOWN", topic=draft.topic, request_id=draft.id)
