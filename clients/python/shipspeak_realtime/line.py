"""What waits for the application: events, and between them what the hub said of their log."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, TypeAlias

from shipspeak_realtime.events import Event
from shipspeak_realtime.verdicts import LeftOut, Verdict, left_out_joined, verdicts_joined

Item: TypeAlias = Event | Verdict | LeftOut

# News that waits beyond this, behind the same event, is told as one.
MAX_NEWS: Final = 100


class Line:
    """A queue in the order of the log, so that news is told at the place where it holds.

    Args:
        limit: events that may wait; news takes no room, and is bounded by itself: beyond MAX_NEWS
            one verdict and one count for each event.
    """

    def __init__(self, limit: int) -> None:
        self._items: deque[Item] = deque()
        self._limit, self._events, self._news = limit, 0, 0
        self._changed, self._drained = asyncio.Event(), asyncio.Event()
        self._drained.set()

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._items)

    @property
    def full(self) -> bool:
        """Whether it was filled, and is not half empty yet."""
        return not self._drained.is_set()

    def put(self, item: Item) -> None:
        """Add at the end."""
        if isinstance(item, Event):
            self._events += 1
            if self._events >= self._limit:
                self._drained.clear()
            self._items.append(item)
        elif not self._join(item):
            self._news += 1
            self._items.append(item)
        self._changed.set()

    def take(self) -> Item:
        """The next item; only where one waits."""
        item = self._items.popleft()
        if isinstance(item, Event):
            self._events -= 1
            if self._events <= self._limit // 2:
                self._drained.set()
        else:
            self._news -= 1
        return item

    def _join(self, item: Verdict | LeftOut) -> bool:
        """Make one of two news, where they may be; False = they stay two."""
        for back in range(1, len(self._items) + 1):
            before = self._items[-back]
            full = self._news >= MAX_NEWS
            if isinstance(before, LeftOut) and isinstance(item, LeftOut) and (full or back == 1):
                # Ranges that nothing lies between are one range.
                self._items[-back] = left_out_joined(before, item)
                return True
            if isinstance(before, Verdict) and isinstance(item, Verdict) and full:
                self._items[-back] = verdicts_joined(before, item)
                return True
            if isinstance(before, Event) or not full:
                return False
        return False

    def clear(self) -> None:
        """Drop what waits."""
        self._items.clear()
        self._events = self._news = 0
        self.wake()

    def wake(self) -> None:
        """Let the reader and the connection look again: no more will come, or be taken."""
        self._drained.set()
        self._changed.set()

    async def changed(self) -> None:
        """Return when something was put, or `wake` was called, after this call."""
        self._changed.clear()
        await self._changed.wait()

    async def room(self) -> None:
        """Return when it is not full."""
        await self._drained.wait()
