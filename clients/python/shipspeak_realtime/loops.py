"""The iterator behind `async for event in subscription`, and behind other endless readers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ItemT = TypeVar("ItemT")


class Loop(Generic[ItemT]):
    """One loop over an endless reader.

    A loop that is left by `break` tells nobody. Its iterator goes at that moment, and with it the
    reader, or a forgotten one would fill its queue and stop all others of the client.

    Args:
        take: gives the next item.
        close: ends the reader with the loop; None = the reader outlives its loops.
    """

    def __init__(
        self, take: Callable[[], Awaitable[ItemT]], close: Callable[[], None] | None
    ) -> None:
        self._take, self._close = take, close
        self._loop = asyncio.get_running_loop()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ItemT:
        return await self._take()

    def __del__(self) -> None:
        if self._close is None or self._loop.is_closed():
            return
        try:
            here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            here = False
        if here:
            self._close()
        else:
            # Collected by another thread, or between two runs of the loop.
            self._loop.call_soon_threadsafe(self._close)
