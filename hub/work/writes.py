"""The calls to the register that one work subscription has under way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from hub.engine.work import Ruling, Settlement, Taken, WorkStore
from hub.errors import HubError
from hub.work.acks import fault, trimmed
from hub.work.items import Settle, Take, settles

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence
    from typing import Any

    from hub.telemetry.metrics import Metrics
    from hub.work.queue import WorkQueue

log = structlog.get_logger(__name__)


class Writes:
    """Carries out Takes and Settles, and tells the queue of each answer.

    Args:
        work: name of the subscription.
        store: the register.
        queue: of the subscription.
        clock: seconds since the epoch.
        metrics: counted by name.
        on_dead: called with a shard whose register has new dead events.
        wake: called when the queue has news.
    """

    def __init__(
        self,
        work: str,
        store: WorkStore,
        queue: WorkQueue,
        clock: Callable[[], float],
        metrics: Metrics,
        *,
        on_dead: Callable[[int], None],
        wake: Callable[[], None],
    ) -> None:
        self._work = work
        self._store = store
        self._queue = queue
        self._clock = clock
        self._metrics = metrics
        self._on_dead = on_dead
        self._wake = wake
        self._tasks: set[asyncio.Task[Any]] = set()

    def begin(self, effect: Take | Settle) -> None:
        """Carry out what the queue asked for."""
        self._start(self._take(effect) if isinstance(effect, Take) else self._settle(effect))

    def settle(self, rulings: Sequence[tuple[int, Settlement]]) -> Awaitable[list[HubError | None]]:
        """Have rulings written down, each with its shard, as ``queue.rule`` gave them.

        The writing begins before this returns, and what was begun is finished even if nobody waits
        for the answers: one each, None = committed.
        """
        by_shard: dict[int, list[int]] = {}
        for index, (shard, _) in enumerate(rulings):
            by_shard.setdefault(shard, []).append(index)
        places: list[list[int]] = []
        writes: list[asyncio.Task[list[HubError | None]]] = []
        for shard, indexes in by_shard.items():
            begin = 0
            for part in settles(shard, [rulings[index][1] for index in indexes]):
                places.append(indexes[begin : begin + len(part.settlements)])
                begin += len(part.settlements)
                writes.append(self._start(self._settle(part)))
        return _answers(len(rulings), places, writes)

    async def done(self) -> None:
        """Wait until none is under way."""
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))

    async def _settle(self, settle: Settle) -> list[HubError | None]:
        answers: list[bool] | None = None
        failure: HubError | None = None
        try:
            answers = await self._store.settle(self._work, settle.shard, settle.settlements)
        except HubError as error:
            failure = error
        except Exception:
            log.exception("work_settle_failed", work=self._work, shard=settle.shard)
            failure = fault()
        self._queue.settled(settle.shard, settle.settlements, answers, self._clock())
        if any(one.ruling is Ruling.DEAD for one in settle.settlements):
            self._on_dead(settle.shard)
        self._wake()
        if answers is None:
            return [failure for _ in settle.settlements]
        for one in settle.settlements:
            self._metrics.work_settled.labels(self._work, one.ruling.name.lower()).inc()
        return [None if kept else trimmed() for kept in answers]

    async def _take(self, take: Take) -> None:
        answer: Taken | None = None
        try:
            answer = await self._store.take(
                self._work,
                take.shard,
                again=take.again,
                fresh=take.fresh,
                hand_out=take.hand_out,
                uncounted=take.uncounted,
            )
        except HubError as error:
            log.warning("work_not_taken", work=self._work, shard=take.shard, error=str(error))
        except Exception:
            log.exception("work_take_failed", work=self._work, shard=take.shard)
        try:
            self._queue.taken(take, answer, self._clock())
            if answer is not None and answer.expired:
                self._metrics.work_expired.labels(self._work).inc(answer.expired)
            if answer is not None and answer.receipts:
                self._metrics.work_receipts.labels(self._work).inc(answer.receipts)
        except Exception:
            log.exception("work_answer_not_taken", work=self._work, shard=take.shard)
            self._queue.taken(take, None, self._clock())
        self._wake()

    def _start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _answers(
    count: int,
    parts: Sequence[Sequence[int]],
    writes: Sequence[asyncio.Task[list[HubError | None]]],
) -> list[HubError | None]:
    results: list[HubError | None] = [None] * count
    for indexes, write in zip(parts, writes, strict=True):
        answers = await asyncio.shield(write)
        for index, answer in zip(indexes, answers, strict=True):
            results[index] = answer
    return results
