"""Publishes facts behind the back of an upload, in order for each meeting.

An upload never waits for the hub. Upload progress that waits is replaced by newer progress of the
same upload; everything else is kept and published in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from shipspeak_demo.facts import Fact, UploadProgressed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_log = logging.getLogger(__name__)


class Announcer:
    """One short-lived task per meeting that has facts to publish."""

    def __init__(self, publish: Callable[[Fact], Awaitable[None]]) -> None:
        """Use a publish that returns when the hub has stored the fact."""
        self._publish = publish
        self._waiting: dict[str, list[Fact]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def put(self, fact: Fact) -> None:
        """Have a fact published after the meeting's earlier ones; returns at once."""
        waiting = self._waiting.setdefault(fact.meeting_id, [])
        if waiting and _replaces(fact, waiting[-1]):
            waiting[-1] = fact
        else:
            waiting.append(fact)
        if fact.meeting_id not in self._tasks:
            self._tasks[fact.meeting_id] = asyncio.create_task(self._drain(fact.meeting_id))

    async def _drain(self, meeting_id: str) -> None:
        waiting = self._waiting[meeting_id]
        try:
            while waiting:
                fact = waiting.pop(0)
                try:
                    await self._publish(fact)
                except Exception:  # noqa: BLE001 - logged
                    # Refused by the hub: it would be refused again, and the rest still counts.
                    _log.exception("meeting %s: could not publish %s", meeting_id, fact.step)
        finally:
            del self._waiting[meeting_id], self._tasks[meeting_id]

    async def drained(self) -> None:
        """Wait until nothing is left to publish."""
        while self._tasks:
            await asyncio.gather(*self._tasks.values())

    async def close(self, grace_s: float) -> None:
        """Publish what is left for at most ``grace_s`` seconds, then stop.

        What stays unpublished is the upload's beginning and its progress: the worker publishes
        beginning and end of every upload again, under the same ids.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self.drained()
        for task in [*self._tasks.values()]:
            task.cancel()


def _replaces(newer: Fact, older: Fact) -> bool:
    both = isinstance(newer, UploadProgressed) and isinstance(older, UploadProgressed)
    return both and newer.attempt == older.attempt
