"""One event that this member is to work on."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC
from typing import TYPE_CHECKING, Self

from shipspeak.realtime.v1 import frame_pb2
from shipspeak_realtime.contents import duration
from shipspeak_realtime.errors import InvalidRequestError, RealtimeError
from shipspeak_realtime.events import Event

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime, timedelta
    from types import TracebackType

_log = logging.getLogger("shipspeak_realtime")


class Reject(Exception):
    """Raised in a delivery's block: this event can never be done; it becomes a dead letter."""


class Delivery:
    """An event, leased to this member until it is acknowledged or `deadline` has passed.

    ::

        async for delivery in hub.work("analyse", "meeting/*"):
            async with delivery:
                await analyse(delivery.event)

    The block acknowledges when it ends. When it raises an `Exception`, that is logged and the event
    comes again after a while, until the hub makes it a dead letter; `Reject` makes it one at once.
    The loop goes on. While the block runs, the lease is extended. Without the block: `ack`, `nack`,
    `extend`, `reject`, which return once the hub has committed and raise its refusal:
    DELIVERY_UNKNOWN when the lease has passed to another member.

    Attributes:
        event: the event; its `cursor` is None.
        topic: where it was published.
        attempt: how often the event was handed out, this time included; from 1.
        work: name of the work subscription.
        id: of this delivery.
        lost: the lease has passed to another member: stop working on it.
        settled: it was acknowledged, put back or rejected here.
        in_hand: its block runs, or what it ended with is not yet answered.
    """

    def __init__(
        self,
        message: frame_pb2.Delivery,
        *,
        acknowledge: Callable[[frame_pb2.Acknowledgement], Awaitable[None]],
        on_end: Callable[[Delivery], None],
        retry: Callable[[int], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.event = Event(message.topic, message.event, None)
        self.topic, self.attempt = message.topic, message.attempt
        self.work, self.id = message.work, message.delivery_id
        self.lost = self.settled = False
        self._in_block = self._settling = self._over = False
        self._deadline = message.deadline
        self._acknowledge, self._on_end = acknowledge, on_end
        self._retry, self._sleep = retry, sleep

    def __repr__(self) -> str:
        return f"<delivery of {self.topic}#{self.event.offset}, attempt {self.attempt}>"

    @property
    def in_hand(self) -> bool:
        """See the class."""
        return self._in_block or self._settling

    @property
    def to_extend(self) -> bool:
        """Its lease is to be kept: nothing has been said yet that ends it."""
        return not (self._settling or self.settled or self._over)

    @property
    def deadline(self) -> datetime:
        """End of the lease as it was handed out, by the hub's clock, UTC; see `extend`."""
        return self._deadline.ToDatetime(tzinfo=UTC)

    async def ack(self) -> None:
        """Done: it never comes again."""
        await self._settle(frame_pb2.VERB_ACK)

    async def nack(self, delay: timedelta | float = 0.0) -> None:
        """Not done: it comes again, here or elsewhere, after `delay` (seconds or a timedelta)."""
        await self._settle(frame_pb2.VERB_NACK, delay)

    async def reject(self) -> None:
        """It cannot be done: to the dead letters."""
        await self._settle(frame_pb2.VERB_REJECT)

    async def extend(self, delay: timedelta | float = 0.0) -> None:
        """The lease runs until `delay` from now, at most 600 s; 0 = as long as it was at first."""
        await self._say(frame_pb2.VERB_EXTEND, delay)

    def lose(self) -> None:
        """The lease has passed to another member."""
        self.lost = True

    async def __aenter__(self) -> Self:
        """Work on it: the lease is kept until the block ends."""
        self._in_block = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Acknowledge; after an exception, put it back; after `Reject`, to the dead letters."""
        if isinstance(error, Reject):
            _log.warning("%s is rejected: %s", self, error)
        elif isinstance(error, Exception):
            _log.error("the work on %s failed", self, exc_info=error)
        try:
            if self.settled:
                pass
            elif error is None:
                await self._insist(frame_pb2.VERB_ACK)
            elif isinstance(error, Reject):
                await self._insist(frame_pb2.VERB_REJECT)
            elif isinstance(error, Exception):
                await self._insist(frame_pb2.VERB_NACK, self._retry(self.attempt))
            else:
                await self._put_back()
        except RealtimeError as refusal:
            # It comes again; whoever works on it must bear a repeat anyway.
            _log.warning("%s was not acknowledged: %s", self, refusal)
        finally:
            self._in_block, self._over = False, True
            self._on_end(self)
        return isinstance(error, Exception)

    async def _insist(self, verb: frame_pb2.Verb.ValueType, delay: float = 0.0) -> None:
        """Until the hub has decided: a disk that is full for a while undoes no work."""
        while True:
            try:
                return await self._settle(verb, delay)
            except RealtimeError as refusal:
                if refusal.retry_after is None or self.lost:
                    raise
                _log.info("%s is not acknowledged yet: %s", self, refusal)
                await self._sleep(refusal.retry_after)

    async def _put_back(self) -> None:
        """The program ends (it was cancelled): at once to another member, without waiting here."""
        putting = asyncio.ensure_future(self.nack())
        # Whatever becomes of it is no concern of a program that ends.
        putting.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.sleep(0)

    async def _settle(self, verb: frame_pb2.Verb.ValueType, delay: timedelta | float = 0.0) -> None:
        self._settling = True
        try:
            await self._say(verb, delay)
            self.settled = True
        finally:
            self._settling = False
            self._on_end(self)

    async def _say(self, verb: frame_pb2.Verb.ValueType, delay: timedelta | float = 0.0) -> None:
        if self.lost:
            message = "the event has gone to another member; drop it"
            raise InvalidRequestError(message, reason="DELIVERY_UNKNOWN", topic=self.topic)
        await self._acknowledge(
            frame_pb2.Acknowledgement(delivery_id=self.id, verb=verb, delay=duration(delay))
        )
