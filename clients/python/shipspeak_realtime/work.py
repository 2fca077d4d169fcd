"""Work: events of a shared queue, each to one member, until it is acknowledged."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Self, TypeAlias

from shipspeak.realtime.v1 import frame_pb2
from shipspeak_realtime.contents import duration
from shipspeak_realtime.delivery import Delivery
from shipspeak_realtime.errors import ClosedError, RealtimeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import timedelta
    from types import TracebackType

    from shipspeak_realtime.clock import Clock
    from shipspeak_realtime.works import Works

_log = logging.getLogger("shipspeak_realtime")

OUTSTANDING = 16
ACK_DEADLINE_SECONDS = 30.0
# A lease is extended when this share of it has passed, so that two extensions may fail.
_EXTEND_AFTER = 1 / 3
_LONGEST_RETRY_SECONDS = 300.0

RetryDelay: TypeAlias = Callable[[int], float]


def retry_delay(attempt: int) -> float:
    """Seconds before an event whose block failed comes again: 1, 4, 16, 64, ... at most 300."""
    return min(_LONGEST_RETRY_SECONDS, 4.0 ** (attempt - 1))


class Work:
    """A membership of a work subscription, kept through reconnects; made by `RealtimeClient.work`.

    Use it as `async for delivery in work`, alone (leaving the loop ends the membership, and what it
    holds goes to other members) or inside `async with work` (leaving the block ends it).

    What waits here and what is worked on inside `async with delivery` keeps its lease for as long
    as the connection stands. After a loss of the connection the hub gives all of it to others;
    `delivery.lost` says so.

    `close`, from any task, ends the loop; a block that runs may end first, and its acknowledgement
    counts.

    Iteration raises the hub's refusal (`RealtimeError`), `AuthError` when no token is accepted, and
    `ClosedError` when the client was closed. Lost connections are not errors.

    Attributes:
        name: of the work subscription.
        pattern: topics that it is about.
    """

    def __init__(
        self,
        name: str,
        pattern: str,
        *,
        max_outstanding: int,
        ack_deadline: timedelta | float,
        ordered: bool,
        retry: RetryDelay,
        clock: Clock,
        on_open: Callable[[Work], Works],
    ) -> None:
        self.name, self.pattern = name, pattern
        self._request = frame_pb2.OpenWork(
            name=name,
            pattern=pattern,
            max_outstanding=max_outstanding,
            ack_deadline=duration(ack_deadline),
            ordered=ordered,
        )
        self._lease = self._request.ack_deadline.ToMilliseconds() / 1000
        self._retry, self._clock, self._on_open = retry, clock, on_open
        self._works: Works | None = None
        self._waiting: deque[Delivery] = deque()
        # Weak: what the application drops without a word is the hub's to hand out again.
        self._held: weakref.WeakValueDictionary[str, Delivery] = weakref.WeakValueDictionary()
        # Id and attempt of the last that the application was given and has not let go. Without a
        # block it may be what ends the loop.
        self._given: tuple[str, int] | None = None
        self._filled = asyncio.Event()
        self._error: RealtimeError | None = None
        self._closed = self._managed = False
        self._keeper: asyncio.Task[None] | None = None

    # For the application

    def __aiter__(self) -> AsyncIterator[Delivery]:
        """Deliveries from here on.

        Raises:
            ClosedError: WORK_CLOSED: the membership has ended.
        """
        self._open()
        return _Deliveries(self, ends_work=not self._managed)

    async def __aenter__(self) -> Self:
        """Take part; the block's end stops it."""
        self._managed = True
        self._open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take no part any more: loops end, and what waits here goes to other members.

        A block that runs may end first, and until then this is still a member. What waits here goes
        to others after that, or when its lease ends.
        """
        if self._closed:
            return
        self._closed = True
        self._waiting.clear()
        self._filled.set()
        self._leave()

    async def next_delivery(self) -> Delivery:
        """The next delivery.

        Raises:
            StopAsyncIteration: the membership was closed.
            RealtimeError: what ended it.
        """
        while not self._waiting:
            if self._error is not None:
                raise self._error
            if self._closed:
                raise StopAsyncIteration
            self._filled.clear()
            await self._filled.wait()
        delivery = self._waiting.popleft()
        self._given = delivery.id, delivery.attempt
        return delivery

    def _open(self) -> None:
        if self._error is not None:
            raise self._error
        if self._closed:
            message = "this membership has ended: call work() again"
            raise ClosedError(message, reason="WORK_CLOSED")
        if self._works is None:
            self._works = self._on_open(self)
            self._keeper = asyncio.create_task(self._keep(), name=f"leases of {self.name}")

    # For the connection

    @property
    def request(self) -> frame_pb2.OpenWork:
        """What to send at the beginning of each session."""
        return self._request

    @property
    def busy(self) -> bool:
        """Whether a block runs."""
        return any(one.in_hand for one in list(self._held.values()))

    def take(self, message: frame_pb2.Delivery, works: Works) -> None:
        """Put a delivery into the queue."""
        if self._closed:
            return  # it goes to other members when the last block has ended
        delivery = Delivery(
            message,
            acknowledge=works.acknowledge,
            on_end=self._let_go,
            retry=self._retry,
            sleep=self._clock.sleep,
        )
        self._held[message.delivery_id] = delivery
        self._waiting.append(delivery)
        self._filled.set()

    def disconnected(self) -> None:
        """The session is over: the hub gives to others what this member held."""
        self._lose()
        self._leave()

    def fail(self, error: RealtimeError) -> None:
        """End with an error."""
        if self._error is None:
            self._error = error
        self._stop()

    def _leave(self) -> None:
        """When it was closed, and no block runs any more."""
        if self._closed and not self.busy:
            given = self._given
            self._stop()
            if self._works is not None:
                if given is not None:
                    self._works.put_back(given[0], self._retry(given[1]))
                self._works.remove(self)

    def _lose(self) -> None:
        for delivery in list(self._held.values()):
            delivery.lose()
        self._held.clear()
        self._waiting.clear()
        self._given = None

    def _stop(self) -> None:
        self._lose()
        self._filled.set()
        if self._keeper is not None:
            self._keeper.cancel()

    def _let_go(self, delivery: Delivery) -> None:
        """Its block has ended, or the hub has answered."""
        if not delivery.to_extend:
            self._held.pop(delivery.id, None)
            if self._given is not None and self._given[0] == delivery.id:
                self._given = None
        self._leave()
        if self._works is not None:
            self._works.ended()

    async def _keep(self) -> None:
        """Extend, in time and together, the leases of what waits and of what is worked on."""
        while True:
            await self._clock.sleep(self._lease * _EXTEND_AFTER)
            waiting = set(map(id, self._waiting))
            kept = [
                delivery
                for delivery in list(self._held.values())
                if delivery.to_extend and (delivery.in_hand or id(delivery) in waiting)
            ]
            outcomes = await asyncio.gather(
                *(delivery.extend() for delivery in kept), return_exceptions=True
            )
            for delivery, outcome in zip(kept, outcomes, strict=True):
                if isinstance(outcome, RealtimeError) and outcome.reason == "DELIVERY_UNKNOWN":
                    # It was settled meanwhile, or the hub took it away.
                    self._forget(delivery)

    def _forget(self, delivery: Delivery) -> None:
        if not delivery.to_extend:
            return
        _log.warning("the lease of %s has passed to another member", delivery)
        delivery.lose()
        self._held.pop(delivery.id, None)
        self._leave()
        if delivery in self._waiting:
            self._waiting.remove(delivery)


class _Deliveries:
    """One loop over a membership.

    A loop that is left by `break` tells nobody. Its iterator goes at that moment, and with it the
    membership, or a forgotten member would hold events that nobody works on.
    """

    def __init__(self, work: Work, *, ends_work: bool) -> None:
        self._work, self._ends = work, ends_work
        self._loop = asyncio.get_running_loop()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Delivery:
        return await self._work.next_delivery()

    def __del__(self) -> None:
        if not self._ends or self._loop.is_closed():
            return
        # It may be collected by another thread, or between two runs of the loop.
        self._loop.call_soon_threadsafe(self._work.close)
