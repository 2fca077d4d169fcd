"""All work subscriptions of this instance."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from typing import TYPE_CHECKING, Final

from hub.engine.work import Settlement, WorkSpec, WorkStore
from hub.errors import HubError, ResourceExhausted
from hub.work.acks import Ack, ruling_of
from hub.work.finishing import Finishing
from hub.work.refusals import fixed_already, unknown_delivery, unknown_work
from hub.work.running import RunningWork
from hub.work.state import WorkState
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from hub.engine.contract import Engine
    from hub.telemetry.metrics import Metrics
    from hub.work.audience import WorkMember

MAX_WORK: Final = 100


class WorkCoordinator:
    """Opens work subscriptions, and leads acknowledgements to them.

    Args:
        store: the register.
        engine: tells shards.
        clock: seconds since the epoch.
        metrics: counted by name.
        max_attempts: an event handed out so often and not acknowledged is dead.
        on_dead: called with a shard whose register has new dead events.
    """

    def __init__(
        self,
        store: WorkStore,
        engine: Engine,
        clock: Callable[[], float],
        metrics: Metrics,
        *,
        max_attempts: int,
        on_dead: Callable[[int], None],
    ) -> None:
        self._store = store
        self._engine = engine
        self._clock = clock
        self._metrics = metrics
        self._max_attempts = max_attempts
        self._on_dead = on_dead
        self._works: dict[str, RunningWork] = {}
        self._numbered: dict[str, RunningWork] = {}
        self._numbers = itertools.count(1)
        # Delivery ids of an earlier start are unknown in this one.
        self._start_id = secrets.token_hex(6)
        self._making = asyncio.Lock()
        self._begun = Finishing()

    async def start(self) -> None:
        """Go on with what the register knows.

        Raises:
            HubError: it cannot be read.
        """
        for spec in await self._store.specs():
            await self._run(spec)

    def drain(self) -> None:
        """Hand out nothing more; acknowledgements are still taken."""
        for work in self._works.values():
            work.drain()

    async def stop(self) -> None:
        """Drain, and finish what was begun; before the engine ends."""
        for work in self._works.values():
            work.stop()
        await self._begun.done()

    async def ensure(self, name: str, pattern: str, *, ordered: bool) -> None:
        """Make a work subscription unless it is there.

        Raises:
            InvalidArgument: FIELD_INVALID: it is there with another pattern or order.
            ResourceExhausted: WORK_LIMIT.
            HubError: the storage refused it.
        """
        # To its end, whatever becomes of the caller: the register must not know one that is
        # unknown here.
        work = await self._begun.finish(self._ensure(name, pattern, ordered=ordered))
        fixed = work.spec
        if fixed.pattern != pattern:
            raise fixed_already(name, "pattern", fixed.pattern)
        if fixed.ordered != ordered:
            raise fixed_already(name, "ordered", str(fixed.ordered).lower())

    async def _ensure(self, name: str, pattern: str, *, ordered: bool) -> RunningWork:
        async with self._making:
            work = self._works.get(name)
            if work is not None:
                return work
            if len(self._works) >= MAX_WORK:
                raise ResourceExhausted(
                    reasons.ERROR_REASON_WORK_LIMIT,
                    f"this hub has its {MAX_WORK} work subscriptions; "
                    "delete one that nobody needs with `rthub work delete`",
                    max=MAX_WORK,
                )
            spec = WorkSpec(name, pattern, ordered, int(self._clock() * 1000))
            await self._store.create(spec)
            return await self._run(spec)

    def join(
        self,
        name: str,
        member: WorkMember,
        subject: str,
        *,
        max_outstanding: int,
        lease_seconds: float,
    ) -> int:
        """Hand events to a session of ``subject`` from now on; how many members there are.

        Raises:
            NotFound: WORK_UNKNOWN.
        """
        work = self._work(name)
        work.join(member, subject, max_outstanding, lease_seconds)
        return len(work.queue.members)

    def leave(self, name: str, session_id: str) -> None:
        """Give what a session holds to others.

        Raises:
            NotFound: WORK_UNKNOWN: it takes no part.
        """
        work = self._works.get(name)
        if work is None or not work.leave(session_id):
            raise unknown_work(name)

    def review(self, session_id: str, check: Callable[[str], None]) -> None:
        """End those memberships of a session that it has no right to any more.

        Args:
            session_id: of the session.
            check: raises HubError for a pattern without the right.
        """
        for work in self._works.values():
            if session_id in work.queue.members:
                try:
                    check(work.spec.pattern)
                except HubError as error:
                    work.dismiss(session_id, error)

    def release(self, session_id: str) -> None:
        """The session has ended."""
        for work in self._works.values():
            work.leave(session_id)

    async def acknowledge(self, acks: Sequence[Ack], subject: str) -> list[HubError | None]:
        """Carry out acknowledgements; None = committed, in their order."""
        results: list[HubError | None] = [None] * len(acks)
        rulings: dict[RunningWork, list[tuple[int, int, Settlement]]] = {}
        now = self._clock()
        # Not one turn of the loop between the look at a lease and the ruling on it, nor between
        # that and the beginning of its write: a lease may end, or a subscription move, in any turn.
        for index, ack in enumerate(acks):
            try:
                work = self._of_delivery(ack.delivery_id)
                lease = work.queue.lease(ack.delivery_id, subject, now)
                settlement = ruling_of(ack, lease, now)
            except HubError as error:
                results[index] = error
                continue
            if settlement is None:
                work.queue.extend(lease, ack.delay, now)
            else:
                written = work.queue.rule(lease, settlement)
                rulings.setdefault(work, []).append((index, lease.item.shard, written))
        writes = [
            work.settle([(shard, settlement) for _, shard, settlement in ruled])
            for work, ruled in rulings.items()
        ]
        for ruled, answers in zip(rulings.values(), await asyncio.gather(*writes), strict=True):
            for (index, _, _), answer in zip(ruled, answers, strict=True):
                results[index] = answer
        return results

    # For administrators

    async def states(self) -> list[WorkState]:
        """All work subscriptions, by name; counts their backlogs."""
        return [await self._state(self._works[name]) for name in sorted(self._works)]

    def spec(self, name: str) -> WorkSpec:
        """Of one. Raises: NotFound: WORK_UNKNOWN."""
        return self._work(name).spec

    async def seek_time(self, name: str, time_ms: int) -> None:
        """Go to the first event published at or after a time.

        Raises:
            NotFound: WORK_UNKNOWN.
            HubError: the storage refused it.
        """
        await self._move(self._work(name), lambda: self._store.seek_time(name, time_ms))

    async def seek_offset(self, name: str, offset: int) -> None:
        """Go behind an offset of the one topic; raises as ``seek_time``."""
        work = self._work(name)
        topic = work.spec.pattern
        await self._move(work, lambda: self._store.seek_offset(name, topic, offset))

    async def _move(self, work: RunningWork, how: Callable[[], Awaitable[None]]) -> None:
        # To its end, whatever becomes of the caller, or nothing would be handed out ever after.
        await self._begun.finish(self._moved(work, how))

    async def _moved(self, work: RunningWork, how: Callable[[], Awaitable[None]]) -> None:
        async with work.moving:
            self._require_current(work)
            await work.move(how)

    async def delete(self, name: str) -> None:
        """Forget one; its members are told. Raises as ``seek_time``."""
        await self._begun.finish(self._delete(name))

    async def _delete(self, name: str) -> None:
        work = self._work(name)
        # In this order: a move may take long, and others are made meanwhile.
        async with work.moving, self._making:
            self._require_current(work)
            await self._store.remove(name)
            del self._works[name], self._numbered[work.number]
            await work.end(unknown_work(name))

    def _require_current(self, work: RunningWork) -> None:
        if self._works.get(work.spec.name) is not work:
            raise unknown_work(work.spec.name)

    async def _state(self, work: RunningWork) -> WorkState:
        backlogs = [await self._store.backlog(work.spec, shard) for shard in work.shards]
        return WorkState(
            work.spec,
            len(work.queue.members),
            work.queue.outstanding,
            sum(one.events for one in backlogs),
            min((one.oldest_ms for one in backlogs if one.oldest_ms), default=0),
            work.queue.expired,
            bool(work.queue.full),
        )

    async def _run(self, spec: WorkSpec) -> RunningWork:
        number = f"{next(self._numbers):x}"
        count = itertools.count(1)
        work = RunningWork(
            spec,
            number,
            self._store,
            self._shards_of(spec.pattern),
            self._clock,
            self._metrics,
            max_attempts=self._max_attempts,
            new_id=lambda: f"{self._start_id}-{number}-{next(count):x}",
            on_dead=self._on_dead,
        )
        await work.load()
        self._works[spec.name] = self._numbered[number] = work
        return work

    def _shards_of(self, pattern: str) -> Sequence[int]:
        """The shards that may hold a pattern's topics: one where it names a topic."""
        engine = self._engine
        return range(engine.shard_count) if "*" in pattern else (engine.shard_of(pattern),)

    def _work(self, name: str) -> RunningWork:
        work = self._works.get(name)
        if work is None:
            raise unknown_work(name)
        return work

    def _of_delivery(self, delivery_id: str) -> RunningWork:
        start, _, rest = delivery_id.partition("-")
        work = self._numbered.get(rest.partition("-")[0])
        if start != self._start_id or work is None:
            raise unknown_delivery()
        return work
