"""Reads one topic's log for readers behind the ring; those at the same place share one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from hub.fanout.chunk import CHUNK_BYTES
from hub.fanout.page import CatchUpPage
from hub.fanout.page_cache import PageCache
from hub.fanout.places import ProvedPlaces
from hub.telemetry.unheard import hear

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.engine.contract import Engine
    from hub.fanout.ring import Ring

_PAGE_EVENTS: Final = 1_000


class LogPages:
    """The pages of one topic's log.

    Args:
        engine: has the log.
        ring: of the topic; pages end where it begins.
        cache: pages that were read, of all topics of an instance; None = none is kept.
        clock: seconds since the epoch.

    Attributes:
        places: that the log has proved.
        removals: how often events were taken out on purpose.
    """

    def __init__(
        self, engine: Engine, ring: Ring, cache: PageCache | None, clock: Callable[[], float]
    ) -> None:
        self._clock = clock
        self._engine = engine
        self._ring = ring
        self._cache = cache or PageCache(0)
        self._floor = 0
        self._reads: dict[tuple[int, int], asyncio.Task[tuple[CatchUpPage, int]]] = {}
        self.places = ProvedPlaces(engine, ring.topic, ring.epoch)
        self.removals = 0

    def forget(self) -> None:
        """Events were taken out of the log: what was read, or is being read, may have them."""
        self.removals += 1
        self._cache.forget(self._ring.topic)

    def trimmed(self, floor: int) -> None:
        """Retention has removed events up to ``floor``."""
        self._floor = floor
        self.places.trimmed(floor)
        self._cache.trimmed(self._ring.topic, floor)

    async def after(self, offset: int, horizon: int = 0) -> CatchUpPage:
        """The page behind an offset.

        Args:
            offset: the page begins behind it.
            horizon: what a later event of its key up to here supersedes is left out; 0 = nothing.
        """
        removals = -1
        while removals != self.removals:
            # What was taken out after the read, and before its reader's turn, is still in the page.
            page, removals = await self._page(offset, horizon)
        return page

    async def _page(self, offset: int, horizon: int) -> tuple[CatchUpPage, int]:
        """One that is kept, or is read once for all who ask; and the removals that it knows of."""
        kept = self._cache.get(self._ring.topic, offset, horizon)
        # Of a snapshot, what has expired since may have left out what it does not supersede now;
        # it may lie pages behind this one.
        if kept is not None and not kept.ended(int(self._clock() * 1000)):
            return kept, self.removals
        place = offset, horizon
        task = self._reads.get(place)
        # One that has ended knows nothing of what was taken out since. Its callback may be still to
        # come; waiting for it would not even yield.
        if task is None or task.done():
            task = asyncio.get_running_loop().create_task(self._read(offset, horizon))
            self._reads[place] = task
            task.add_done_callback(lambda ended: self._over(place, ended))
            task.add_done_callback(hear)
        return await asyncio.shield(task)

    def _over(self, place: tuple[int, int], ended: asyncio.Task[tuple[CatchUpPage, int]]) -> None:
        if self._reads.get(place) is ended:
            del self._reads[place]

    async def _read(self, offset: int, horizon: int) -> tuple[CatchUpPage, int]:
        topic, removals = self._ring.topic, -1
        while removals != self.removals:
            # What was taken out while a page was read may still be in it.
            removals = self.removals
            page = await self._engine.read(
                topic, offset, max_events=_PAGE_EVENTS, max_bytes=CHUNK_BYTES, horizon=horizon
            )
        made = CatchUpPage(topic, offset, page, ring_start=self._ring.start_offset)
        first = offset == page.state.floor
        if made.through > offset >= self._floor and (first or not horizon):
            self._cache.put(topic, offset, horizon, made)
        return made, removals
