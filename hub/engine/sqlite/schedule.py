"""The schedule of a SQLite engine: one sleeper per shard, which wakes when the next draft is due.

Late drafts (the hub was away) are released at the first look. What has expired is released as well:
it takes its place in the log, is not delivered, and is counted (G9).
"""

from __future__ import annotations

import asyncio
import math
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from hub.engine.sqlite.scheduled import (
    AddScheduled,
    CancelScheduled,
    Release,
    due_drafts,
    next_due_ms,
)
from hub.errors import HubError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hub.engine.contract import AppendResult
    from hub.engine.schedule import Scheduled, ScheduledDraft
    from hub.engine.sqlite.engine import SqliteEngine
    from hub.engine.sqlite.reader import ShardReader

_logger: Final = structlog.get_logger(__name__)

# A sleeper looks at the clock this often, in seconds: clocks are set, and machines sleep.
LONGEST_SLEEP_S: Final = 30.0
RETRY_S: Final = 1.0


class SqliteSchedule:
    """Implements Schedule.

    Args:
        engine: started before, stopped after this.
        clock: milliseconds since the epoch.
    """

    def __init__(self, engine: SqliteEngine, clock: Callable[[], int]) -> None:
        self._engine = engine
        self._clock = clock
        self._next_ms: list[float] = []
        self._woken: list[asyncio.Event] = []
        self._sleepers: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to release; what is overdue at once."""
        shards = range(self._engine.shard_count)
        self._next_ms = [math.inf for _ in shards]
        self._woken = [asyncio.Event() for _ in shards]
        loop = asyncio.get_running_loop()
        self._sleepers = [loop.create_task(self._serve(shard)) for shard in shards]

    async def stop(self) -> None:
        """Release nothing more; safe to call twice."""
        for sleeper in self._sleepers:
            sleeper.cancel()
        await asyncio.gather(*self._sleepers, return_exceptions=True)

    def wake(self) -> None:
        """Look at the clock now."""
        for woken in self._woken:
            woken.set()

    async def schedule(self, drafts: Sequence[ScheduledDraft]) -> list[AppendResult | Scheduled]:
        """Keep drafts; each shard's in one transaction."""
        parts: dict[int, list[int]] = {}
        for index, draft in enumerate(drafts):
            parts.setdefault(self._engine.shard_of(draft.append.topic), []).append(index)
        answers = await asyncio.gather(
            *(
                self._add(shard, [drafts[index] for index in indexes])
                for shard, indexes in parts.items()
            )
        )
        results: dict[int, AppendResult | Scheduled] = {}
        for indexes, answer in zip(parts.values(), answers, strict=True):
            results.update(zip(indexes, answer, strict=True))
        return [results[index] for index in range(len(drafts))]

    async def _add(
        self, shard: int, drafts: Sequence[ScheduledDraft]
    ) -> Sequence[AppendResult | Scheduled]:
        try:
            results = await self._engine.operate(shard, AddScheduled(drafts))
        except HubError as error:
            return [error] * len(drafts)
        if min(draft.deliver_ms for draft in drafts) < self._next_ms[shard]:
            self._woken[shard].set()
        return results

    async def cancel(self, topic: str, publisher: str, event_id: str) -> bool:
        """Take a waiting draft back."""
        shard = self._engine.shard_of(topic)
        return await self._engine.operate(shard, CancelScheduled(topic, publisher, event_id))

    async def _serve(self, shard: int) -> None:
        woken = self._woken[shard]
        while True:
            # Before the look: a draft that is added during it wakes the sleeper again.
            woken.clear()
            try:
                pause_s = await self._release_due(shard)
            except HubError as error:
                _logger.warning("release_failed", shard=shard, error=str(error))
                pause_s = RETRY_S
            except Exception:
                _logger.exception("release_failed", shard=shard)
                pause_s = RETRY_S
            try:
                async with asyncio.timeout(pause_s):
                    await woken.wait()
            except TimeoutError:
                continue

    async def _release_due(self, shard: int) -> float:
        """Release all that is due; seconds until the next look."""
        if not self._engine.owns(shard):
            # Its owner does; this is woken when the shard comes here.
            self._next_ms[shard] = math.inf
            return LONGEST_SLEEP_S
        while True:
            now_ms = self._clock()
            due = await self._engine.look(shard, partial(_due, now_ms))
            if not due:
                break
            await self._engine.operate(shard, Release(due, self._clock))
        next_ms = await self._engine.look(shard, lambda reader: next_due_ms(reader.connection))
        self._next_ms[shard] = math.inf if next_ms is None else next_ms
        wait_s = (self._next_ms[shard] - self._clock()) / 1000
        return min(LONGEST_SLEEP_S, max(0.0, wait_s))


def _due(now_ms: int, reader: ShardReader) -> list[tuple[int, str]]:
    return due_drafts(reader.connection, now_ms)
