"""An event loop whose time is only a number: nothing is waited for, time jumps to the next timer.

One thread, no sockets, no executor: given the same seed, the same callbacks run in the same order.
"""

from __future__ import annotations

import asyncio
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any, Never, TypeVar, TypeVarTuple

from tests.simulation.handles import LightHandle, LightTimer

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Coroutine, Generator
    from contextvars import Context

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

# The moment when every simulation begins, seconds since 1970.
BEGIN = 1_700_000_000.0
# Timers so near to each other go in one turn of the loop.
RESOLUTION_SECONDS = 1e-9


class Stuck(Exception):
    """No timer is set and nothing is ready: whoever still waits would wait for ever."""


class VirtualLoop(asyncio.BaseEventLoop):
    """The loop of one simulation; its time begins at 0.

    It schedules by itself what the base class would, in the same order but for this: timers of one
    moment go in the order in which they were set. A fifth of a simulation is its loop's work, so
    what the base class does for files, threads and debugging is left out.
    """

    # The base class has these.
    _ready: deque[LightHandle | LightTimer]
    _stopping: bool

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._timers: list[tuple[float, int, LightTimer]] = []
        self._numbers = count()
        self.set_debug(False)

    def time(self) -> float:
        """Virtual seconds since the beginning."""
        return self._now

    def wall(self) -> float:
        """Virtual seconds since 1970."""
        return BEGIN + self._now

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """As in asyncio."""
        handle = LightHandle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """As in asyncio."""
        handle = LightTimer(when, callback, args, self, context)
        heappush(self._timers, (when, next(self._numbers), handle))
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """As in asyncio."""
        when = self._now + delay
        handle = LightTimer(when, callback, args, self, context)
        heappush(self._timers, (when, next(self._numbers), handle))
        return handle

    def create_task(
        self,
        coro: Generator[Any, None, _T] | Coroutine[Any, Any, _T],
        *,
        name: object = None,
        context: Context | None = None,
    ) -> asyncio.Task[_T]:
        """As in asyncio, without factories."""
        return asyncio.Task(coro, loop=self, name=name, context=context)  # type: ignore[arg-type]

    def run_in_executor(self, *_: object) -> Never:
        """Refuse: a thread would bring real time in."""
        raise AssertionError("a thread was asked for inside a simulation")

    def _run_once(self) -> None:
        ready, timers = self._ready, self._timers
        while timers and timers[0][2]._cancelled:
            heappop(timers)
        if not ready and not self._stopping:
            if not timers:
                raise Stuck("everyone waits for someone else")
            self._now = max(self._now, timers[0][0])
        due = self._now + RESOLUTION_SECONDS
        while timers and timers[0][0] < due:
            ready.append(heappop(timers)[2])
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle._cancelled:
                continue
            try:
                handle._context.run(handle._callback, *handle._args)
            except Exception as error:  # noqa: BLE001 - as asyncio does; what ends a run passes
                self._failed(handle, error)

    def _failed(self, handle: asyncio.Handle, error: Exception) -> None:
        message = f"Exception in callback {handle!r}"
        self.call_exception_handler({"message": message, "exception": error, "handle": handle})

    def _write_to_self(self) -> None:
        """Nobody sleeps, so nobody has to be woken."""


class VirtualClock:
    """The SDK's clock on a virtual loop."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def monotonic(self) -> float:
        """Seconds since the beginning."""
        return self._loop.time()

    def now(self) -> float:
        """Seconds since 1970."""
        return self._loop.wall()

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        await asyncio.sleep(seconds)
