"""The iterator behind `async for event in subscription`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from shipspeak_realtime.events import Event
    from shipspeak_realtime.subscription import Subscription


class Events:
    """One loop over a subscription.

    A loop that is left by `break` tells nobody. Its iterator goes at that moment, and with it the
    subscription, or a forgotten reader would fill its queue and stop all others of the client.
    """

    def __init__(self, subscription: Subscription, *, ends_subscription: bool) -> None:
        self._subscription, self._ends = subscription, ends_subscription
        self._loop = asyncio.get_running_loop()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        return await self._subscription.next_event()

    def __del__(self) -> None:
        if not self._ends or self._loop.is_closed():
            return
        try:
            here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            here = False
        if here:
            self._subscription.close()
        else:
            # Collected by another thread, or between two runs of the loop.
            self._loop.call_soon_threadsafe(self._subscription.close)
