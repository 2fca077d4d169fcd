"""The work subscriptions of a client on its session: openings, deliveries, acknowledgements."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import frame_pb2
from shipspeak_realtime.contents import duration
from shipspeak_realtime.errors import InvalidRequestError, NetworkError
from shipspeak_realtime.transport import UNARY_TIMEOUT_SECONDS
from shipspeak_realtime.wire import from_frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from shipspeak.realtime.v1 import event_pb2
    from shipspeak_realtime.clock import Clock
    from shipspeak_realtime.errors import RealtimeError
    from shipspeak_realtime.work import Work

_log = logging.getLogger("shipspeak_realtime")

MAX_ACKS = 500
# A client that closes waits no longer for the hub to hear that it has left its work.
LEAVE_SECONDS = 2.0


class Works:
    """All memberships of a client, over all its sessions.

    Args:
        clock: time.
        next_id: numbers of requests.
        send: queues a frame; drops it while there is no session.
    """

    def __init__(
        self,
        clock: Clock,
        next_id: Callable[[], int],
        send: Callable[[frame_pb2.ClientFrame], None],
    ) -> None:
        self._clock, self._next_id, self._send = clock, next_id, send
        self._works: dict[str, Work] = {}
        self._opening: dict[int, Work] = {}
        self._unsent: list[tuple[frame_pb2.Acknowledgement, asyncio.Future[None]]] = []
        self._sent: dict[int, list[asyncio.Future[None]]] = {}
        self._later: set[asyncio.Task[None]] = set()
        self._connected = False
        self._ended = asyncio.Event()
        # Numbers of what was said on leaving and is not answered yet.
        self._leaving: set[int] = set()
        self._left = asyncio.Event()

    # For the client

    def add(self, work: Work) -> None:
        """Take part, now or with the next session.

        Raises:
            InvalidRequestError: ALREADY_SUBSCRIBED: a session takes part once.
        """
        if work.name in self._works:
            message = f"this client works on {work.name} already: share that loop"
            raise InvalidRequestError(message, reason="ALREADY_SUBSCRIBED")
        self._works[work.name] = work
        if self._connected:
            self._open(work)

    def remove(self, work: Work) -> None:
        """Take no part any more."""
        if self._works.get(work.name) is work:
            del self._works[work.name]
            closing = frame_pb2.CloseWork(name=work.name)
            request_id = self._next_id()
            if self._connected:
                self._leaving.add(request_id)
            self._send(frame_pb2.ClientFrame(request_id=request_id, close_work=closing))

    async def left(self) -> None:
        """Return when the hub knows of every membership that has ended, or after a moment.

        What comes back because a session ends counts as an attempt; what a member gives back on
        leaving does not.
        """
        await asyncio.sleep(0)  # a loop that was left by `break` ends its membership in a moment
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS):
                while self._leaving:
                    self._left.clear()
                    await self._left.wait()

    def put_back(self, delivery_id: str, delay: float) -> None:
        """Say that it was not done, before leaving; nobody waits for the answer.

        What is given back by leaving counts as no attempt. This one was tried, and may be why its
        member ends: it must become a dead letter at last.
        """
        ack = frame_pb2.Acknowledgement(
            delivery_id=delivery_id, verb=frame_pb2.VERB_NACK, delay=duration(delay)
        )
        request = frame_pb2.AcknowledgeRequest(acks=[ack])
        self._send(frame_pb2.ClientFrame(request_id=self._next_id(), acknowledge=request))

    async def acknowledge(self, ack: frame_pb2.Acknowledgement) -> None:
        """Say something of a delivery; what is said in one turn of the loop goes together.

        Raises:
            NetworkError: there is no session, or it broke before the answer.
            RealtimeError: the hub's refusal.
        """
        if not self._connected:
            raise _broken()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[None] = loop.create_future()
        if not self._unsent:
            loop.call_soon(self._flush)
        self._unsent.append((ack, answer))
        try:
            async with asyncio.timeout(UNARY_TIMEOUT_SECONDS):
                await answer
        except TimeoutError as error:
            raise _broken() from error

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        while unsent:
            part, unsent = unsent[:MAX_ACKS], unsent[MAX_ACKS:]
            request_id = self._next_id()
            self._sent[request_id] = [answer for _, answer in part]
            request = frame_pb2.AcknowledgeRequest(acks=[ack for ack, _ in part])
            self._send(frame_pb2.ClientFrame(request_id=request_id, acknowledge=request))

    # For the session

    async def idle(self) -> None:
        """Return when no block runs."""
        while any(work.busy for work in self._works.values()):
            self._ended.clear()
            await self._ended.wait()

    def ended(self) -> None:
        """Some block has."""
        self._ended.set()

    def welcome(self) -> None:
        """A session is open: take part again."""
        self._connected = True
        for work in self._works.values():
            self._open(work)

    def disconnected(self) -> None:
        """The session is over: nothing that was asked will be answered."""
        self._connected = False
        self._opening.clear()
        self._leaving.clear()
        self._left.set()
        for task in self._later:
            task.cancel()
        answers = [answer for _, answer in self._unsent]
        answers += [answer for sent in self._sent.values() for answer in sent]
        self._unsent.clear()
        self._sent.clear()
        for work in tuple(self._works.values()):
            work.disconnected()
        for answer in answers:
            if not answer.done():
                answer.set_exception(_broken())

    def fail_all(self, error: RealtimeError) -> None:
        """End all memberships with an error."""
        works = tuple(self._works.values())
        self._works.clear()
        for work in works:
            work.fail(error)

    def control(self, frame: frame_pb2.ServerFrame) -> None:
        """Act on the statement of a frame, where it is about work."""
        match frame.WhichOneof("control"):
            case "deliveries":
                for delivery in frame.deliveries.deliveries:
                    work = self._works.get(delivery.work)
                    if work is not None:
                        work.take(delivery, self)
            case "acknowledged":
                self._acknowledged(frame.acknowledged)
            case "work_opened":
                self._opening.pop(frame.work_opened.request_id, None)
            case "work_closed":
                self._is_left(frame.work_closed.request_id)
                if frame.work_closed.HasField("error"):
                    work = self._works.pop(frame.work_closed.name, None)
                    if work is not None:
                        work.fail(from_frame(frame.work_closed.error))
            case _:
                pass

    def error(self, notice: event_pb2.Error) -> bool:
        """Act on a refusal; False = it is not about work."""
        if self._is_left(notice.request_id):
            return True
        refused = self._sent.pop(notice.request_id, None)
        if refused is not None:
            for answer in refused:
                if not answer.done():
                    answer.set_exception(from_frame(notice))
            return True
        work = self._opening.pop(notice.request_id, None)
        if work is None:
            return False
        error = from_frame(notice)
        if error.retry_after is None:
            self._works.pop(work.name, None)
            work.fail(error)
        else:
            _log.info("work %s is refused for now (%s)", work.name, error)
            task = asyncio.create_task(self._open_later(work, error.retry_after))
            self._later.add(task)
            task.add_done_callback(self._later.discard)
        return True

    def _is_left(self, request_id: int) -> bool:
        """Note the answer, if it is one to a CloseWork."""
        if request_id not in self._leaving:
            return False
        self._leaving.discard(request_id)
        self._left.set()
        return True

    async def _open_later(self, work: Work, seconds: float) -> None:
        await self._clock.sleep(seconds)
        if self._works.get(work.name) is work:
            self._open(work)

    def _open(self, work: Work) -> None:
        request_id = self._next_id()
        self._opening[request_id] = work
        self._send(frame_pb2.ClientFrame(request_id=request_id, open_work=work.request))

    def _acknowledged(self, answer: frame_pb2.Acknowledged) -> None:
        sent = self._sent.pop(answer.request_id, [])
        for waiting, result in zip(sent, answer.results, strict=False):
            if waiting.done():
                continue
            if result.HasField("error"):
                waiting.set_exception(from_frame(result.error))
            else:
                waiting.set_result(None)


def _broken() -> NetworkError:
    return NetworkError("the connection broke before the answer; the event may come again")
