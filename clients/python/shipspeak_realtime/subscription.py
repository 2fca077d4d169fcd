"""One topic as the application reads it: position, line, verdicts, errors."""

from __future__ import annotations

import logging
from collections import deque
from datetime import UTC
from typing import TYPE_CHECKING, Self, TypeVar

from shipspeak.realtime.v1 import frame_pb2
from shipspeak_realtime.cursor import Cursor
from shipspeak_realtime.errors import ClosedError, RealtimeError
from shipspeak_realtime.events import Event
from shipspeak_realtime.line import Line
from shipspeak_realtime.loops import Loop
from shipspeak_realtime.runs import Action, Receiver, id_at_end
from shipspeak_realtime.start import Beginning, Start, beginning
from shipspeak_realtime.verdicts import LeftOut, OnLeftOut, OnVerdict, Verdict, VerdictKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from types import TracebackType

    from shipspeak.realtime.v1 import event_pb2
    from shipspeak_realtime.stats import Stats

_log = logging.getLogger("shipspeak_realtime")

_News = TypeVar("_News")

QUEUE_EVENTS = 1000
_KEPT_VERDICTS = 100


class Subscription:
    """An endless, reconnecting reader of one topic; made by `RealtimeClient.subscribe`.

    Use it as `async for event in subscription`, alone (leaving the loop ends the subscription) or
    inside `async with subscription` (leaving the block ends it; loops may begin again).

    Iteration raises the hub's refusal of this topic (`RealtimeError`), `AuthError` when no token is
    accepted, and `ClosedError` when the client is closed, or when a loop begins on a subscription
    that has ended. Lost connections are not errors.

    Attributes:
        topic: what it reads.
        verdicts: the latest verdicts, oldest first, at most 100. A verdict, like what is left out,
            is told to a reader in line: behind the events of before it, ahead of those after.
    """

    def __init__(
        self,
        topic: str,
        *,
        start: Start,
        last: int | None = None,
        stats: Stats,
        on_open: Callable[[Subscription], None],
        on_close: Callable[[Subscription], None],
        on_verdict: OnVerdict | None = None,
        on_left_out: OnLeftOut | None = None,
        conflate: bool = False,
        grant: str = "",
        queue_events: int = QUEUE_EVENTS,
    ) -> None:
        self.topic = topic
        self.verdicts: deque[Verdict] = deque(maxlen=_KEPT_VERDICTS)
        self._beginning = beginning(topic, start, last)
        self._conflate = conflate
        self._grant = grant
        self._stats = stats
        self._on_open, self._on_close = on_open, on_close
        self._on_verdict, self._on_left_out = on_verdict, on_left_out
        self._receiver = Receiver()
        self._cursor: bytes = b""
        self._handled_id = ""  # of the event at the position, while the cursor lies before it
        self._head: int | None = None
        self._line = Line(queue_events)
        self._error: RealtimeError | None = None
        self._opened = self._closed = self._managed = False

    # For the application

    @property
    def cursor(self) -> Cursor | None:
        """Where the line's end stands, for a new subscription; None before the first answer.

        Events still waiting in the line lie before it: to store a place, take `event.cursor`.
        """
        place = self._receiver.place
        if place is None or not self._cursor:
            return None
        return Cursor(self.topic, self._cursor, place.offset, self._handled_id)

    @property
    def caught_up(self) -> bool:
        """Whether everything that the log had at the last answer has arrived."""
        if self._head is None:
            return False
        place = self._receiver.place
        return place is None or place.offset >= self._head

    def __aiter__(self) -> AsyncIterator[Event]:
        """Events from here on.

        Raises:
            ClosedError: SUBSCRIPTION_CLOSED: it has ended; a loop over it would give nothing.
        """
        self._open()
        return Loop(self.next_event, None if self._managed else self.close)

    async def __aenter__(self) -> Self:
        """Start receiving; the block's end stops it."""
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
        """Stop receiving. What waits in the line is dropped."""
        if self._closed:
            return
        self._closed = True
        self._line.clear()
        if self._opened:
            self._on_close(self)

    async def next_event(self) -> Event:
        """The next event; the news ahead of it is told on the way.

        Raises:
            StopAsyncIteration: the subscription was closed.
            RealtimeError: what ended it.
        """
        while True:
            while not self._line:
                if self._error is not None:
                    raise self._error
                if self._closed:
                    raise StopAsyncIteration
                await self._line.changed()
            item = self._line.take()
            if isinstance(item, Event):
                self._stats.events += 1
                return item
            if isinstance(item, Verdict):
                self.verdicts.append(item)
                self._tell(self._on_verdict, item, "on_verdict")
            else:
                self._tell(self._on_left_out, item, "on_left_out")

    def _open(self) -> None:
        if self._closed:
            if self._error is not None:
                raise self._error
            message = "this subscription has ended: subscribe again, from the last event's cursor"
            raise ClosedError(message, reason="SUBSCRIPTION_CLOSED", topic=self.topic)
        if not self._opened:
            self._on_open(self)
            self._opened = True

    # For the connection

    @property
    def failed(self) -> bool:
        """Whether an error ended it."""
        return self._error is not None

    def request(self) -> frame_pb2.Subscribe:
        """What to send: from the own position where there is one, else from the start asked for."""
        request = frame_pb2.Subscribe(topic=self.topic, conflate=self._conflate, grant=self._grant)
        cursor = self.cursor
        (self._beginning if cursor is None else Beginning(cursor)).fill(request)
        return request

    def subscribed(self, answer: frame_pb2.Subscribed) -> None:
        """Apply an answer of the hub and put its verdict in line."""
        resumed = self._head is not None
        action = self._receiver.subscribed(answer)
        place = self._receiver.place
        overtaken = place is not None and place.offset > answer.position.handled_offset
        # Where runs have overtaken the answer, their later cursor stays.
        if not overtaken or not self._cursor:
            self._cursor, self._handled_id = answer.position.cursor, ""
        if action is Action.RESET:
            self._stats.resets += 1
        elif action is Action.GAP:
            self._stats.gaps += 1
        self._head = answer.head
        verdict = Verdict(
            self.topic,
            VerdictKind(action.value),
            resumed,
            answer.lost if answer.HasField("lost") else None,
            answer.head,
            answer.oldest_at.ToDatetime(tzinfo=UTC) if answer.HasField("oldest_at") else None,
        )
        self._line.put(verdict)

    def forget_place(self) -> bool:
        """The hub cannot read the cursor that it gave: what it answers next counts as a RESET.

        False where it has given none: the one that it refuses is the application's own.
        """
        if not self._cursor:
            return False
        self._receiver.forget()
        self._cursor = b""
        return True

    def take(self, run: event_pb2.TopicRun) -> Action:
        """Put a run's new events in line, behind what the run counts in place of events."""
        taken = self._receiver.run(run)
        stats = self._stats
        stats.duplicates += taken.duplicates
        if taken.action is not Action.TAKE:
            return taken.action
        stats.conflated += run.conflated
        stats.expired += run.expired
        stats.withdrawn += run.withdrawn
        if run.conflated or run.expired or run.withdrawn:
            self._line.put(_left_out(run))
        before, place = self._cursor, self._receiver.place
        if run.cursor:
            self._cursor, self._handled_id = run.cursor, ""
        elif place is not None:
            self._handled_id = id_at_end(run)
        end = len(taken.events) - 1
        for index, event in enumerate(taken.events):
            after = None if place is None else Cursor(self.topic, before, event.offset, event.id)
            if index == end and place is not None and run.cursor:
                # After the run's last event nothing of the run is left: the newest token, all of
                # it.
                after = self.cursor
            self._line.put(Event(self.topic, event, after))
        return taken.action

    async def room(self) -> None:
        """Return when the line has room; until then the connection reads no further."""
        await self._line.room()

    @property
    def full(self) -> bool:
        """Whether the line has no room."""
        return self._line.full

    def fail(self, error: RealtimeError) -> None:
        """End with an error, raised after what waits in the line."""
        if self._error is None:
            self._error = error
        self._line.wake()

    def _tell(self, listener: Callable[[_News], None] | None, news: _News, name: str) -> None:
        if listener is None:
            return
        try:
            listener(news)
        except Exception:  # noqa: BLE001 - logged with its traceback
            # The application's mistake must not take the connection from its other subscriptions.
            _log.exception("%s of %s failed", name, self.topic)


def _left_out(run: event_pb2.TopicRun) -> LeftOut:
    return LeftOut(
        run.topic,
        run.after_offset,
        run.through_offset,
        run.conflated,
        run.expired,
        run.withdrawn,
    )
