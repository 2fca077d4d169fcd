"""The publishing of one topic: one batch in flight, so that the log has the caller's order (G3)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import frame_pb2
from shipspeak_realtime.contents import duration, timestamp
from shipspeak_realtime.errors import (
    AuthError,
    DeadlineError,
    NetworkError,
    ProtocolError,
    RealtimeError,
    ServerError,
)
from shipspeak_realtime.outbox import BATCH_DRAFTS, Entry, take_batch
from shipspeak_realtime.receipts import Outcome, Receipt
from shipspeak_realtime.wire import from_frame

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from shipspeak.realtime.v1 import event_pb2
    from shipspeak_realtime.backoff import Backoff
    from shipspeak_realtime.clock import Clock
    from shipspeak_realtime.stats import Stats

    Send = Callable[[frame_pb2.PublishRequest], Awaitable[Sequence[frame_pb2.PublishResult]]]
    Pause = Callable[[float], Awaitable[None]]

_DONE = {outcome.value for outcome in Outcome}
_AGAIN = (frame_pb2.OUTCOME_NOT_ATTEMPTED, frame_pb2.OUTCOME_UNKNOWN)


class Lane:
    """Drafts of one topic, in order.

    Args:
        send: one Publish call; raises RealtimeError.
        pause: waits so many seconds, or less when another topic got through.
        backoff: of this topic.
        clock: time.
        stats: counts.
    """

    def __init__(
        self, send: Send, pause: Pause, backoff: Backoff, clock: Clock, stats: Stats
    ) -> None:
        self._send, self._pause, self._backoff = send, pause, backoff
        self._clock, self._stats = clock, stats
        self._waiting: deque[Entry] = deque()
        # So many entries go alone: a whole batch was refused, and one of them is to blame.
        self._alone = 0

    def add(self, entry: Entry) -> None:
        """Queue a draft."""
        self._waiting.append(entry)

    async def work(self) -> None:
        """Publish until nothing waits."""
        while batch := self._next_batch():
            delay = await self._publish(batch)
            if delay is None:
                self._backoff.reset()
            else:
                await self._pause(delay)

    def abandon(self, error: RealtimeError) -> None:
        """Fail all that still waits."""
        for entry in self._waiting:
            _reject(entry, error)

    def _next_batch(self) -> list[Entry]:
        now = self._clock.now()
        for entry in self._waiting:
            if entry.expires_at is not None and entry.expires_at <= now:
                entry.receipt.cancel()
        while self._waiting and self._waiting[0].receipt.done():
            self._waiting.popleft()
        if any(entry.receipt.done() for entry in self._waiting):
            self._waiting = deque(e for e in self._waiting if not e.receipt.done())
        return take_batch(self._waiting, 1 if self._alone else BATCH_DRAFTS)

    async def _publish(self, batch: list[Entry]) -> float | None:
        """Send a batch; gives the seconds to wait before what is left, None = it went well."""
        self._alone = max(0, self._alone - 1)
        together = batch[0].group is not None
        request = frame_pb2.PublishRequest(
            drafts=[self._prepare(entry) for entry in batch], all_or_nothing=together
        )
        try:
            results = await self._send(request)
        except RealtimeError as error:
            return self._failed(batch, error)
        if len(results) != len(batch):
            message = f"{len(results)} results for {len(batch)} drafts"
            return self._failed(batch, ProtocolError(message))
        refusal = _refusal(batch, results) if together else None
        if refusal is not None:
            _reject_all(batch, refusal)
            return None
        delays = [self._settle(*pair) for pair in zip(batch, results, strict=True)]
        again = [delay for delay in delays if delay is not None]
        if any(result.outcome == frame_pb2.OUTCOME_UNKNOWN for result in results):
            # One failed try, however many drafts it left in doubt.
            again.append(self._backoff.retry())
        return max(again) if again else None

    def _prepare(self, entry: Entry) -> event_pb2.Draft:
        now = self._clock.now()
        if entry.expires_at is not None:
            # The hub counts from when it takes the draft.
            entry.draft.ttl.CopyFrom(duration(entry.expires_at - now))
        if entry.first_sent is None:
            entry.first_sent = now
        else:
            # Lets the hub look beyond its memory of ids.
            entry.draft.first_sent_at.CopyFrom(timestamp(entry.first_sent))
            self._stats.publish_retries += 1
        return entry.draft

    def _failed(self, batch: list[Entry], error: RealtimeError) -> float | None:
        """The whole call failed."""
        for entry in batch:
            entry.last_error = error
        if _worth_repeating(error):
            if error.retry_after is None:
                for entry in batch:
                    entry.in_doubt = True
            if error.retry_after is not None:
                return self._backoff.hint(error.retry_after)
            return self._backoff.retry()
        if isinstance(error, AuthError):
            return self._unauthorized(batch, error)
        if error.retryable and not error.reason and all(entry.durable for entry in batch):
            # Something on the way: the order of what waits on disk holds.
            return self._backoff.retry()
        if len(batch) > 1 and batch[0].group is None:
            self._alone = len(batch)
            return None
        error.topic = error.topic or batch[0].draft.topic
        if len(batch) == 1:
            error.request_id = batch[0].draft.id
        _reject_all(batch, error)
        return None

    def _unauthorized(self, batch: list[Entry], error: AuthError) -> float | None:
        """No token that the hub takes. Who waits on disk goes on waiting for one."""
        hasty = [entry for entry in batch if not entry.durable]
        if hasty:
            error.topic = error.topic or hasty[0].draft.topic
            if len(hasty) == 1:
                error.request_id = hasty[0].draft.id
            _reject_all(hasty, error)
        return self._backoff.retry() if len(hasty) < len(batch) else None

    def _settle(self, entry: Entry, result: frame_pb2.PublishResult) -> float | None:
        """One draft has its answer; gives the seconds to wait when it must be sent again."""
        if result.outcome in _DONE:
            self._stats.published += 1
            if not entry.receipt.done():
                entry.receipt.set_result(_receipt(entry, result))
            return None
        if result.outcome in _AGAIN:
            # NOT_ATTEMPTED waits for what went before it; UNKNOWN is the whole batch's failure.
            entry.in_doubt |= result.outcome == frame_pb2.OUTCOME_UNKNOWN
            return 0.0
        error = from_frame(result.error, request_id=entry.draft.id)
        error.topic = error.topic or entry.draft.topic
        entry.last_error = error
        if error.retry_after is not None:
            return self._backoff.hint(error.retry_after)
        _reject_all([entry], error)
        return None


def _refusal(
    batch: Sequence[Entry], results: Sequence[frame_pb2.PublishResult]
) -> RealtimeError | None:
    """Why a batch of all or nothing was refused for good; None = it was stored, or goes again."""
    for entry, result in zip(batch, results, strict=True):
        if result.outcome not in _DONE and result.outcome not in _AGAIN:
            error = from_frame(result.error, request_id=entry.draft.id)
            error.topic = error.topic or entry.draft.topic
            if error.retry_after is None:
                return error
    return None


def _worth_repeating(error: RealtimeError) -> bool:
    if error.retry_after is not None:
        return True
    if isinstance(error, ServerError):
        # Without a reason it is the transport's: a stream cut by a dying process ends as INTERNAL.
        return not error.reason
    return isinstance(error, NetworkError | DeadlineError)


def _reject_all(batch: Sequence[Entry], error: RealtimeError) -> None:
    """Tell each that it was refused, and whether a try before may have been taken (G6)."""
    error.may_be_stored = any(entry.in_doubt for entry in batch)
    for entry in batch:
        _reject(entry, error)


def _reject(entry: Entry, error: RealtimeError) -> None:
    if not entry.receipt.done():
        entry.receipt.set_exception(error)


def _receipt(entry: Entry, result: frame_pb2.PublishResult) -> Receipt:
    return Receipt(
        entry.draft.topic,
        entry.draft.id,
        Outcome(result.outcome),
        result.epoch,
        result.offset,
        result.duplicate,
    )
