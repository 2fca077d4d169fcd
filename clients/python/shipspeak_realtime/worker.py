"""A worker program: functions that work on events, until somebody asks it to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from shipspeak_realtime.client import RealtimeClient
from shipspeak_realtime.clock import SystemClock
from shipspeak_realtime.delivery import Delivery, Reject
from shipspeak_realtime.work import ACK_DEADLINE_SECONDS, retry_delay

if TYPE_CHECKING:
    from datetime import timedelta

    from shipspeak_realtime.clock import Clock
    from shipspeak_realtime.work import RetryDelay, Work

_log = logging.getLogger("shipspeak_realtime")

Handler: TypeAlias = Callable[[Delivery, RealtimeClient], Awaitable[None]]
Chore: TypeAlias = Callable[[RealtimeClient], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Job:
    """One decorated handler."""

    handler: Handler
    name: str
    pattern: str
    concurrency: int
    ack_deadline: timedelta | float
    ordered: bool
    retry: RetryDelay
    max_attempts: int | None


class RealtimeWorker:
    """Runs handlers of work subscriptions, and chores, in one program.

    ::

        worker = RealtimeWorker(lambda: RealtimeClient("127.0.0.1:50051", token=token))

        @worker.on("analyse", "meeting/*", concurrency=4)
        async def analyse(delivery: Delivery, hub: RealtimeClient) -> None:
            await hub.publish(delivery.topic, await work_out(delivery.event))

        asyncio.run(worker.run())

    A handler that returns acknowledges its event. One that raises lets it come again, here or
    elsewhere, after 1, 4, 16, ... s, until the hub's limit makes a dead letter of it; `Reject` does
    so at once. An event may come twice (a machine dies between the work and the acknowledgement):
    publish with ids of your own where that matters.

    Args:
        connect: makes the client; called once, inside `run`.
        clock: time, for tests.
    """

    def __init__(
        self, connect: Callable[[], RealtimeClient], *, clock: Clock | None = None
    ) -> None:
        self._connect = connect
        self._clock = clock or SystemClock()
        self._jobs: list[_Job] = []
        self._chores: list[tuple[float, Chore]] = []
        self._works: list[Work] = []
        self._stopping = asyncio.Event()

    def on(
        self,
        name: str,
        pattern: str,
        *,
        concurrency: int = 1,
        ack_deadline: timedelta | float = ACK_DEADLINE_SECONDS,
        ordered: bool = False,
        retry: RetryDelay = retry_delay,
        max_attempts: int | None = None,
    ) -> Callable[[Handler], Handler]:
        """Work on the events of a topic or pattern with the decorated function.

        Args:
            name: of the work subscription; workers with the same name share it.
            pattern: a topic, or a pattern such as "meeting/*".
            concurrency: runs of the function at a time.
            ack_deadline: seconds after which another worker gets an event if this machine goes
                silent, 10 to 600; extended while the function runs.
            ordered: each topic's events one at a time, in order.
            retry: seconds before an event comes again, by its attempt.
            max_attempts: attempts until an event is a dead letter; the hub's limit holds as well.
        """

        def add(handler: Handler) -> Handler:
            self._jobs.append(
                _Job(
                    handler,
                    name,
                    pattern,
                    concurrency,
                    ack_deadline,
                    ordered,
                    retry,
                    max_attempts,
                )
            )
            return handler

        return add

    def every(self, seconds: float) -> Callable[[Chore], Chore]:
        """Run the decorated function at the start and so many seconds after each of its ends."""

        def add(chore: Chore) -> Chore:
            self._chores.append((seconds, chore))
            return chore

        return add

    def stop(self) -> None:
        """Take no new events; `run` returns when what runs has ended."""
        self._stopping.set()
        for work in self._works:
            work.close()

    async def run(self, *, signals: bool = True) -> None:
        """Work until `stop`, or until SIGTERM or SIGINT.

        Args:
            signals: stop by them; False where the program has its own handlers, and in threads.

        Raises:
            RealtimeError: the hub refuses a subscription, or the token.
        """
        if signals:
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, self.stop)
        try:
            async with self._connect() as hub:
                await self._run(hub)
        finally:
            if signals:
                for number in (signal.SIGTERM, signal.SIGINT):
                    asyncio.get_running_loop().remove_signal_handler(number)

    async def _run(self, hub: RealtimeClient) -> None:
        async with contextlib.AsyncExitStack() as stack:
            takers: list[asyncio.Task[None]] = []
            for job in self._jobs:
                work = await stack.enter_async_context(_open(job, hub))
                self._works.append(work)
                takers += [
                    asyncio.create_task(self._take(work, job, hub), name=job.name)
                    for _ in range(job.concurrency)
                ]
            chores = [asyncio.create_task(self._repeat(*chore, hub)) for chore in self._chores]
            await self._until_the_end(takers, chores)

    async def _until_the_end(
        self, takers: list[asyncio.Task[None]], chores: list[asyncio.Task[None]]
    ) -> None:
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({*takers, stopped}, return_when=asyncio.FIRST_COMPLETED)
            # A refusal of one subscription ends the program, as a missing right should.
            self.stop()
            ends = await asyncio.gather(*takers, return_exceptions=True)
        finally:
            for task in (*takers, *chores, stopped):
                task.cancel()
            await asyncio.gather(*takers, *chores, stopped, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):
                raise end

    async def _take(self, work: Work, job: _Job, hub: RealtimeClient) -> None:
        async for delivery in work:
            async with delivery:
                try:
                    await _uncancelled(job.handler(delivery, hub))
                except Reject:
                    raise
                except Exception as error:
                    if job.max_attempts is None or delivery.attempt < job.max_attempts:
                        raise
                    _log.exception("%s failed for the last time", delivery)
                    raise Reject(str(error)) from error

    async def _repeat(self, seconds: float, chore: Chore, hub: RealtimeClient) -> None:
        while True:
            try:
                await _uncancelled(chore(hub))
            except Exception:  # noqa: BLE001 - logged; the next turn may go well
                _log.exception("the chore %s failed", getattr(chore, "__name__", chore))
            await self._clock.sleep(seconds)


async def _uncancelled(work: Awaitable[None]) -> None:
    """Await it. That something inside was cancelled is its failure, and not this program's end."""
    try:
        await work
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        message = "what it waited for was cancelled"
        raise RuntimeError(message) from error


def _open(job: _Job, hub: RealtimeClient) -> Work:
    return hub.work(
        job.name,
        job.pattern,
        max_outstanding=job.concurrency,
        ack_deadline=job.ack_deadline,
        ordered=job.ordered,
        retry=job.retry,
    )
