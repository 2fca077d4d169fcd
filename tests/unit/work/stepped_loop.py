"""An event loop that turns when it is told to, on a clock that stands still otherwise."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

BEGIN = 1_700_000_000.0


class SteppedLoop(asyncio.BaseEventLoop):
    """What is ready runs in one ``turn``; what that makes ready waits for the next."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._selector = self
        self.failures: list[str] = []
        self.set_exception_handler(lambda _loop, context: self.failures.append(str(context)))

    def turn(self) -> None:
        """Run what is ready now."""
        self.stop()
        self.run_forever()

    @property
    def idle(self) -> bool:
        """Whether there is nothing to run before time passes or somebody calls."""
        timers: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        due = bool(timers) and timers[0].when() <= self._now
        return not self._ready and not due  # type: ignore[attr-defined]

    def jump(self, seconds: float) -> None:
        """Let time pass; timers that are due run in the next turn."""
        self._now += seconds

    def time(self) -> float:
        """Seconds since the beginning."""
        return self._now

    def wall(self) -> float:
        """Seconds since 1970."""
        return BEGIN + self._now

    # There are no files to watch, and nobody sleeps.

    def select(self, _timeout: float | None) -> list[Any]:
        return []

    def _process_events(self, event_list: Sequence[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass
