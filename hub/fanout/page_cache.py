"""Pages of the log that were read, kept for the next readers at the same place.

Many who come back at once have missed the same events, but take them at their own pace: each page
is read once, not once per reader. Of snapshots, the first page is kept while the head stands.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.fanout.page import CatchUpPage

# (topic, the offset that it was read behind, horizon)
_Place = tuple[str, int, int]


class PageCache:
    """Pages of all topics of an instance, those used longest ago out first.

    Args:
        max_bytes: of all pages together, with the frames that are made of them.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max = max_bytes
        self.bytes = 0
        self._pages: OrderedDict[_Place, CatchUpPage] = OrderedDict()
        self._places: dict[str, set[_Place]] = {}

    def get(self, topic: str, after: int, horizon: int) -> CatchUpPage | None:
        """The page behind ``after``, conflated up to ``horizon``; None where there is none."""
        place = (topic, after, horizon)
        page = self._pages.get(place)
        if page is not None:
            self._pages.move_to_end(place)
        return page

    def put(self, topic: str, after: int, horizon: int, page: CatchUpPage) -> None:
        """Keep a page; one that is conflated takes the place of the topic's one before."""
        place = (topic, after, horizon)
        for kept in tuple(self._places.get(topic, ())):
            if kept == place or (horizon and kept[2]):
                self._drop(kept)
        self._pages[place] = page
        self._places.setdefault(topic, set()).add(place)
        self.bytes += _cost(page)
        while self.bytes > self._max:
            self._drop(next(iter(self._pages)))

    def forget(self, topic: str) -> None:
        """The topic's pages hold no longer: events were taken out of the log."""
        for place in tuple(self._places.get(topic, ())):
            self._drop(place)

    def trimmed(self, topic: str, floor: int) -> None:
        """Retention has removed what some pages begin with: their readers are to be told."""
        for place in tuple(self._places.get(topic, ())):
            if place[1] < floor:
                self._drop(place)

    def _drop(self, place: _Place) -> None:
        self.bytes -= _cost(self._pages.pop(place))
        places = self._places[place[0]]
        places.remove(place)
        if not places:
            del self._places[place[0]]


def _cost(page: CatchUpPage) -> int:
    return 2 * page.size
