"""Work that goes on to its end, whatever becomes of whoever asked for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from hub.errors import HubError

if TYPE_CHECKING:
    from collections.abc import Coroutine

log = structlog.get_logger(__name__)
_T = TypeVar("_T")


class Finishing:
    """What has been begun and is not over."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def finish(self, doing: Coroutine[Any, Any, _T]) -> _T:
        """Wait for it; it goes on if the waiting is cancelled."""
        task = asyncio.get_running_loop().create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return await asyncio.shield(task)

    async def done(self) -> None:
        """Wait until all is over."""
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))

    def _over(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        # Whoever waited for it may be gone.
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, HubError):
            log.error("work_change_failed", error=repr(error))
