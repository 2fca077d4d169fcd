"""What is to be done when: a heap of due times, each name at most once."""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from typing import Generic, TypeVar

NameT = TypeVar("NameT", bound=Hashable)


class Agenda(Generic[NameT]):
    """Names with due times, in seconds."""

    def __init__(self) -> None:
        self._due: dict[NameT, float] = {}
        self._heap: list[tuple[float, int, NameT]] = []
        self._number = 0

    def __len__(self) -> int:
        return len(self._due)

    def put(self, name: NameT, due: float) -> None:
        """Set the time of a name; replaces the one it had."""
        if self._due.get(name) == due:
            return
        self._due[name] = due
        self._number += 1
        heapq.heappush(self._heap, (due, self._number, name))
        if len(self._heap) > 2 * len(self._due) + 16:
            # What was taken back lies in the heap until its time: let it not be the most of it.
            self._heap = [
                (due, number, name) for number, (name, due) in enumerate(self._due.items())
            ]
            self._number = len(self._heap)
            heapq.heapify(self._heap)

    def remove(self, name: NameT) -> None:
        """Take a name back."""
        self._due.pop(name, None)

    def __contains__(self, name: NameT) -> bool:
        return name in self._due

    @property
    def next_due(self) -> float | None:
        """The earliest time; None = nothing to do."""
        while self._heap:
            due, _, name = self._heap[0]
            if self._due.get(name) == due:
                return due
            heapq.heappop(self._heap)
        return None

    def pop(self, now: float) -> NameT | None:
        """A name whose time has come, taken out; None = none."""
        due = self.next_due
        if due is None or due > now:
            return None
        name = heapq.heappop(self._heap)[2]
        del self._due[name]
        return name
