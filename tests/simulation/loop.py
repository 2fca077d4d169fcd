"""An event loop whose time is only a number: nothing is waited for, time jumps to the next timer.

One thread, no sockets, no executor: given the same seed, the same callbacks run in the same order.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Never

if TYPE_CHECKING:
    from collections.abc import Sequence

# The moment when every simulation begins, seconds since 1970.
BEGIN = 1_700_000_000.0


class Stuck(Exception):
    """No timer is set and nothing is ready: whoever still waits would wait for ever."""


class VirtualLoop(asyncio.BaseEventLoop):
    """The loop of one simulation; its time begins at 0."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._selector = _Jump(self)
        self.set_debug(False)

    def time(self) -> float:
        """Virtual seconds since the beginning."""
        return self._now

    def wall(self) -> float:
        """Virtual seconds since 1970."""
        return BEGIN + self._now

    def jump(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds

    def run_in_executor(self, *_: object) -> Never:
        """Refuse: a thread would bring real time in."""
        raise AssertionError("a thread was asked for inside a simulation")

    def _process_events(self, event_list: Sequence[Any]) -> None:
        """There are no files to watch."""

    def _write_to_self(self) -> None:
        """Nobody sleeps, so nobody has to be woken."""


class _Jump:
    """Stands where the selector would: instead of waiting it moves the clock."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        """Return at once, later."""
        if timeout is None:
            raise Stuck("everyone waits for someone else")
        self._loop.jump(timeout)
        return []


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
