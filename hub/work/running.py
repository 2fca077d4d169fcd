"""One work subscription that is running: its queue, its members, its timer and its writes."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

import structlog

from hub.engine.work import Ruling, Settlement, Taken, WorkSpec, WorkStore
from hub.errors import HubError
from hub.work.acks import fault, trimmed
from hub.work.audience import Audience
from hub.work.items import Deliver, Settle, Take
from hub.work.queue import RETRY_SECONDS, WorkQueue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence
    from typing import Any

    from hub.telemetry.metrics import Metrics
    from hub.work.audience import WorkMember

log = structlog.get_logger(__name__)


class RunningWork:
    """Carries out what the queue asks for.

    Args:
        spec: of the subscription.
        store: the register.
        shards: that may hold its topics.
        clock: seconds since the epoch.
        metrics: counted by name.
        max_attempts: before an event is dead.
        new_id: makes delivery ids.
        on_dead: called with a shard whose register has new dead events.
    """

    def __init__(
        self,
        spec: WorkSpec,
        store: WorkStore,
        shards: Sequence[int],
        clock: Callable[[], float],
        metrics: Metrics,
        *,
        max_attempts: int,
        new_id: Callable[[], str],
        on_dead: Callable[[int], None],
    ) -> None:
        self.spec = spec
        self.shards = shards
        self.queue = WorkQueue(
            shards, ordered=spec.ordered, max_attempts=max_attempts, new_id=new_id
        )
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._on_dead = on_dead
        self._members = Audience(spec.name)
        self._writes: set[asyncio.Task[Any]] = set()
        self._turn_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._told_full: set[int] = set()
        self._moving = asyncio.Lock()
        self._loop = asyncio.get_running_loop()

    async def load(self) -> None:
        """Begin with what the register has open.

        Raises:
            HubError: a shard cannot be read.
        """
        self._store.watch(self.spec, self)
        for shard in self.shards:
            self.queue.restore(shard, await self._store.open_items(self.spec.name, shard))
        self._wake()

    # Members

    def join(
        self, member: WorkMember, subject: str, max_outstanding: int, lease_seconds: float
    ) -> None:
        """Hand events to a session from now on; ``subject`` is whose it is."""
        self._members.join(member)
        self.queue.join(member.session_id, subject, max_outstanding, lease_seconds)
        self._wake()

    def leave(self, session_id: str) -> bool:
        """Give what a session holds to others; False = it was no member."""
        self._members.leave(session_id)
        left = self.queue.leave(session_id, self._clock())
        if left:
            self._wake()
        return left

    def dismiss(self, session_id: str, error: HubError) -> None:
        """End a membership, and tell the member why."""
        if session_id in self._members:
            self._members.dismiss(session_id, error)
            self.leave(session_id)

    # The engine's news

    def on_stored(self, shard: int) -> None:
        """As in WorkWatcher."""
        self.queue.stored(shard)
        self._wake()

    def on_trimmed(self, shard: int) -> None:
        """As in WorkWatcher."""
        self._on_dead(shard)

    # Acknowledgements

    def settle(self, rulings: Sequence[tuple[int, Settlement]]) -> Awaitable[list[HubError | None]]:
        """Have rulings written down, each with its shard, as ``queue.rule`` gave them.

        The writing begins before this returns, and what was begun is finished even if nobody waits
        for the answers: one each, None = committed.
        """
        by_shard: dict[int, list[int]] = {}
        for index, (shard, _) in enumerate(rulings):
            by_shard.setdefault(shard, []).append(index)
        writes = [
            self._start(self._write(Settle(shard, tuple(rulings[index][1] for index in indexes))))
            for shard, indexes in by_shard.items()
        ]
        return self._answers(len(rulings), tuple(by_shard.values()), writes)

    async def _answers(
        self,
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

    async def _write(self, settle: Settle) -> list[HubError | None]:
        answers: list[bool] | None = None
        failure: HubError | None = None
        try:
            answers = await self._store.settle(self.spec.name, settle.shard, settle.settlements)
        except HubError as error:
            failure = error
        except Exception:
            log.exception("work_settle_failed", work=self.spec.name, shard=settle.shard)
            failure = fault()
        self.queue.settled(settle.shard, settle.settlements, answers, self._clock())
        if any(one.ruling is Ruling.DEAD for one in settle.settlements):
            self._on_dead(settle.shard)
        self._wake()
        if answers is None:
            return [failure for _ in settle.settlements]
        for one in settle.settlements:
            self._metrics.work_settled.labels(self.spec.name, one.ruling.name.lower()).inc()
        return [None if kept else trimmed() for kept in answers]

    # Moving

    async def move(self, how: Callable[[], Awaitable[None]]) -> None:
        """Change the register's place: open deliveries are unknown from now on.

        Raises:
            HubError: it was not moved.
        """
        async with self._moving:
            self.queue.draining = True
            try:
                await self._writes_done()
                self.queue.reset()
                await how()
            finally:
                await self._restore()
                self.queue.draining = False
                self._wake()

    async def end(self, error: HubError) -> None:
        """Hand out nothing more, for ever; members are told why."""
        self.queue.draining = True
        self._store.unwatch(self.spec.name)
        for session_id in tuple(self._members):
            self.dismiss(session_id, error)
        await self._writes_done()
        self.queue.reset()
        if self._timer is not None:
            self._timer.cancel()

    async def _restore(self) -> None:
        """Take over what is open after all; again until it works, or events would be forgotten."""
        for shard in self.shards:
            while True:
                try:
                    items = await self._store.open_items(self.spec.name, shard)
                except HubError as error:
                    log.warning("work_not_read", work=self.spec.name, shard=shard, error=str(error))
                    await asyncio.sleep(RETRY_SECONDS)
                else:
                    self.queue.restore(shard, items)
                    break

    async def _writes_done(self) -> None:
        while self._writes:
            await asyncio.wait(tuple(self._writes))

    def drain(self) -> None:
        """Hand out nothing more; acknowledgements are still taken."""
        self.queue.draining = True

    # Turns

    def _wake(self) -> None:
        """Let the queue say what is to be done, soon and once."""
        if not self._turn_due:
            self._turn_due = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._turn_due = False
        now = self._clock()
        for effect in self.queue.poll(now):
            if isinstance(effect, Deliver):
                self._deliver(effect, now)
            elif isinstance(effect, Take):
                self._start(self._take(effect))
            else:
                self._start(self._write(effect))
        self._tell_full()
        self._set_timer(now)

    def _deliver(self, effect: Deliver, now: float) -> None:
        member = self._members.get(effect.member)
        if member is None:
            return  # it has left while this turn sent to others; what it held has gone back
        if now >= member.rights_until:
            # Nothing is handed out without a right (G10); the session is about to be closed.
            self.leave(effect.member)
            return
        self._members.deliver(effect.member, effect.deliveries)
        self._metrics.work_handed_out.labels(self.spec.name).inc(len(effect.deliveries))

    async def _take(self, take: Take) -> None:
        answer: Taken | None = None
        try:
            answer = await self._store.take(
                self.spec.name,
                take.shard,
                again=take.again,
                fresh=take.fresh,
                hand_out=take.hand_out,
            )
        except HubError as error:
            log.warning("work_not_taken", work=self.spec.name, shard=take.shard, error=str(error))
        except Exception:
            log.exception("work_take_failed", work=self.spec.name, shard=take.shard)
        try:
            self.queue.taken(take, answer, self._clock())
            if answer is not None and answer.expired:
                self._metrics.work_expired.labels(self.spec.name).inc(answer.expired)
        except Exception:
            log.exception("work_answer_not_taken", work=self.spec.name, shard=take.shard)
            self.queue.taken(take, None, self._clock())
        self._wake()

    def _start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = self._loop.create_task(work)
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
        return task

    def _tell_full(self) -> None:
        for shard in self.queue.full - self._told_full:
            log.warning(
                "work_span_full",
                work=self.spec.name,
                shard=shard,
                meaning="the oldest unacknowledged event is too far back; nothing newer is "
                "handed out until it is acknowledged or dead",
            )
        self._told_full = set(self.queue.full)

    def _set_timer(self, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.queue.next_due()
        if not math.isinf(due):
            self._timer = self._loop.call_later(max(0.0, due - now), self._wake)
