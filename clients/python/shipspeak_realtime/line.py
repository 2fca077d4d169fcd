"""What waits for the application: events, and between them what the hub said of their log."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from typing import TypeAlias

from shipspeak_realtime.events import Event
from shipspeak_realtime.verdicts import LeftOut, Verdict

Item: TypeAlias = Event | Verdict | LeftOut


class Line:
    """A queue in the order of the log, so that news is told at the place where it holds.

    Args:
        limit: events that may wait; news takes no room.
    """

    def __init__(self, limit: int) -> None:
        self._items: deque[Item] = deque()
        self._limit, self._events = limit, 0
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
        last = self._items[-1] if self._items else None
        if isinstance(item, Event):
            self._events += 1
            if self._events >= self._limit:
                self._drained.clear()
        elif isinstance(item, LeftOut) and isinstance(last, LeftOut):
            # Ranges that nothing lies between are one range: counts alone fill no memory.
            self._items.pop()
            item = _joined(last, item)
        self._items.append(item)
        self._changed.set()

    def take(self) -> Item:
        """The next item; only where one waits."""
        item = self._items.popleft()
        if isinstance(item, Event):
            self._events -= 1
            if self._events <= self._limit // 2:
                self._drained.set()
        return item

    def clear(self) -> None:
        """Drop what waits."""
        self._items.clear()
        self._events = 0
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


def _joined(first: LeftOut, then: LeftOut) -> LeftOut:
    return replace(
        first,
        through_offset=then.through_offset,
        conflated=first.conflated + then.conflated,
        expired=first.expired + then.expired,
        withdrawn=first.withdrawn + then.withdrawn,
    )
