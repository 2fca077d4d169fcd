"""Time as the SDK sees it, so that tests can hold it still."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What the SDK asks of time. All values are seconds."""

    def monotonic(self) -> float:
        """Time that never steps back; only differences mean something."""
        ...

    def now(self) -> float:
        """Wall-clock time since 1970, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        ...


class SystemClock:
    """The machine's time."""

    def monotonic(self) -> float:
        """Time that never steps back; only differences mean something."""
        return time.monotonic()

    def now(self) -> float:
        """Wall-clock time since 1970, UTC."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        await asyncio.sleep(seconds)
