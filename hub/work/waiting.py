"""Which of the waiting events may go next: by time, by place, and in ordered mode by topic."""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque

from hub.model.agenda import Agenda
from hub.work.items import Item, Phase


class Line:
    """The open events of one topic, in order; ``owner`` is the member that had the last one."""

    __slots__ = ("items", "owner")

    def __init__(self) -> None:
        self.items: deque[Item] = deque()
        self.owner: str | None = None


class Waiting:
    """The waiting events of one queue.

    A heap of due events holds one as long as it may come up; one that has moved on since is dropped
    when it does.

    Args:
        ordered: of each topic only the first open event may go.
    """

    def __init__(self, *, ordered: bool) -> None:
        self._ordered = ordered
        self.lines: dict[str, Line] = {}
        # The count in every entry keeps two of one event from being compared further.
        self._count = itertools.count()
        self._due: dict[int, list[tuple[int, int, Item]]] = {}
        self._delayed: Agenda[Item] = Agenda()

    def add(self, item: Item) -> None:
        """An event is open from now on; call it in order of the events' refs."""
        if self._ordered:
            line = self.lines.setdefault(item.topic, Line())
            line.items.append(item)
            if line.items[0] is not item:
                return
        self.back(item)

    def back(self, item: Item) -> None:
        """An open event waits again."""
        self._delayed.put(item, item.not_before)

    def remove(self, item: Item) -> None:
        """An event is open no more; in ordered mode the next one of its topic may go."""
        self._delayed.remove(item)
        line = self.lines.get(item.topic)
        if line is None or item not in line.items:
            return
        first = line.items[0] is item
        line.items.remove(item)
        if not line.items:
            del self.lines[item.topic]
        elif first:
            self.back(line.items[0])

    def wake(self, now: float) -> None:
        """Let those come up whose time has come."""
        while (item := self._delayed.pop(now)) is not None:
            if item.phase is Phase.WAITING:
                entry = (item.ref, next(self._count), item)
                heapq.heappush(self._due.setdefault(item.shard, []), entry)

    def pop(self, shard: int, limit: int) -> list[Item]:
        """The next events of a shard, in order; they are TAKING from now on."""
        due = self._due.get(shard, [])
        going: list[Item] = []
        while due and len(going) < limit:
            _, _, item = heapq.heappop(due)
            if item.phase is Phase.WAITING:
                item.phase = Phase.TAKING
                going.append(item)
        return going

    def next_due(self) -> float:
        """When the next delayed event comes up; infinity = none is delayed."""
        due = self._delayed.next_due
        return math.inf if due is None else due

    def clear(self) -> None:
        """Nothing is open any more."""
        self.lines.clear()
        self._due.clear()
        self._delayed = Agenda()
