"""A page of the log in a reader's hand: what has expired is left out when it goes out, not before.

A page may wait for its receiver as long as that stalls, so what it was read with is kept, and the
frame is made when it is served (G9).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hub.fanout.chunk import ENTRY_BYTES, NEVER
from hub.fanout.splice import cut, floor_cursor, splice
from hub.model.events import withdrawn

if TYPE_CHECKING:
    from collections.abc import Container

    from hub.engine.contract import LogPage
    from hub.fanout.splice import Spliced


class CatchUpPage:
    """Implements PageOfLog: one page, shared by the readers that asked for it at the same time.

    Args:
        topic: whose log it is of.
        after: the place that it was read behind.
        page: as the engine gave it.
        ring_start: the ring has everything behind this offset. A page that reaches into the ring
            ends there, so that its readers meet the ring at the edge of a chunk and share its
            frames from then on. A page that leaves out what was superseded stays whole, since its
            count is of the whole.

    Attributes:
        size: bytes of memory, about.
        oldest_ms: when the oldest kept event was published, as the page was read; 0 = none is kept.
    """

    __slots__ = (
        "_ends_ms",
        "_page",
        "_shared",
        "_topic",
        "after",
        "begin",
        "oldest_ms",
        "size",
        "through",
    )

    def __init__(self, topic: str, after: int, page: LogPage, *, ring_start: int) -> None:
        if after < ring_start < page.through and not page.conflated:
            page = cut(page, ring_start)
        self._topic = topic
        self._page = page
        self._shared: tuple[int, Spliced] | None = None
        self.after = after
        self.size = sum(len(event.data) + ENTRY_BYTES for event in page.events)
        self._ends_ms = page.holds_until_ms or NEVER
        self.oldest_ms = page.state.oldest_ms
        self.begin = max(after, page.state.floor)
        self.through = max(page.through, self.begin)

    def frame(self, now_ms: int) -> bytes | None:
        """The page as a frame without what has expired by now; None when it moves nothing."""
        if self._shared is None or now_ms >= self._shared[0]:
            spliced = splice(self._topic, self.after, self._page, now_ms)
            self._shared = (spliced.holds_until_ms, spliced)
        return self._shared[1].frame

    def ended(self, now_ms: int) -> bool:
        """Whether an event has expired that superseded another, and does so no more."""
        return now_ms >= self._ends_ms

    def withdraw(self, offsets: Container[int]) -> None:
        """Forget the content of events that were withdrawn after the page was read."""
        events = [
            withdrawn(event) if event.offset in offsets else event for event in self._page.events
        ]
        self._page = replace(self._page, events=events)
        self._shared = None

    def begin_cursor(self, now_ms: int) -> bytes:
        """Resume token of ``begin``."""
        return floor_cursor(self._topic, self._page.state, self.begin, now_ms)
