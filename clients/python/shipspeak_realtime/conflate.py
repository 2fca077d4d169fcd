"""Progress at a pace that people can see: so many updates a second, the last always."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from shipspeak_realtime.errors import RealtimeError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from shipspeak_realtime.clock import Clock

_log = logging.getLogger("shipspeak_realtime")

UPDATES_PER_SECOND = 10
_GAP_SECONDS = 1 / UPDATES_PER_SECOND


class Conflater:
    """Sends the latest of each kind that is offered; what a newer one replaces is never sent.

    Args:
        clock: time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # By kind, in the order in which each began to wait.
        self._latest: dict[str, Callable[[], Awaitable[object]]] = {}
        self._sent_at: float | None = None
        self._sender: asyncio.Task[None] | None = None
        self._resting = False

    def offer(self, send: Callable[[], Awaitable[object]], kind: str = "") -> None:
        """Send this one, at once or when its turn comes, unless a newer one of its kind comes."""
        self._latest[kind] = send
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send_at_pace())

    async def flush(self) -> None:
        """Send what waits now, and return when it is done."""
        sender, self._sender = self._sender, None
        if sender is None:
            return
        waiting, self._latest = self._latest, {}
        if self._resting:
            sender.cancel()
        for send in waiting.values():
            # What the sender sends at this moment was queued before: the order holds.
            await self._send(send)
        await asyncio.wait({sender})
        if not sender.cancelled():
            sender.result()

    def drop(self) -> None:
        """Forget what waits."""
        self._latest.clear()

    async def _send_at_pace(self) -> None:
        while self._latest:
            if self._sent_at is not None:
                due = self._sent_at + _GAP_SECONDS - self._clock.monotonic()
                if due > 0:
                    await self._rest(due)
            if self._latest:
                await self._send(self._latest.pop(next(iter(self._latest))))

    async def _rest(self, seconds: float) -> None:
        self._resting = True
        try:
            await self._clock.sleep(seconds)
        finally:
            self._resting = False

    async def _send(self, send: Callable[[], Awaitable[object]]) -> None:
        self._sent_at = self._clock.monotonic()
        try:
            await send()
        except RealtimeError as error:
            # The next update stands for this one; stage changes and endings are not sent this way.
            _log.warning("a progress update was not published: %s", error)
