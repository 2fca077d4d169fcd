"""The first pages of snapshots, kept while the head stands: late readers of a topic share them."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hub.fanout.page import CatchUpPage

MAX_BYTES: Final = 8 << 20


class SnapshotCache:
    """One page per topic, those used longest ago out first.

    Args:
        max_bytes: of all pages together.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max = max_bytes
        self.bytes = 0
        self._pages: OrderedDict[str, tuple[int, int, CatchUpPage]] = OrderedDict()

    def get(self, topic: str, after: int, horizon: int) -> CatchUpPage | None:
        """The page behind ``after``, conflated up to ``horizon``; None where there is none."""
        kept = self._pages.get(topic)
        if kept is None or kept[:2] != (after, horizon):
            return None
        self._pages.move_to_end(topic)
        return kept[2]

    def put(self, topic: str, after: int, horizon: int, page: CatchUpPage) -> None:
        """Keep a page in place of the topic's one before."""
        self.forget(topic)
        self._pages[topic] = (after, horizon, page)
        self.bytes += page.size
        while self.bytes > self._max:
            self.forget(next(iter(self._pages)))

    def forget(self, topic: str) -> None:
        """The topic's page holds no longer: events were taken out of the log."""
        kept = self._pages.pop(topic, None)
        if kept is not None:
            self.bytes -= kept[2].size
