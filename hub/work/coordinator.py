"""All work subscriptions of this instance."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from typing import TYPE_CHECKING, Final

from hub.engine.work import WorkSpec, WorkStore
from hub.errors import HubError, ResourceExhausted
from hub.work.acknowledging import carry_out
from hub.work.finishing import Finishing
from hub.work.refusals import fixed_already, unknown_delivery, unknown_work
from hub.work.running import RunningWork
from hub.work.state import WorkState, state_of
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from hub.engine.contract import Engine
    from hub.telemetry.metrics import Metrics
    from hub.work.acks import Ack
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
        # Deleted, but the register may still have parts of them.
        self._leftovers: set[str] = set()
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
        for work in self._works.values():
            await work.give_back()

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
            await self._clear(name)
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

    def release(self, session_id: str, *, lost: bool) -> None:
        """The session has ended; ``lost`` = it broke off, and nobody ended it."""
        for work in self._works.values():
            work.leave(session_id, lost=lost)

    async def acknowledge(self, acks: Sequence[Ack], subject: str) -> list[HubError | None]:
        """Carry out acknowledgements; None = committed, in their order."""
        return await carry_out(acks, subject, self._clock(), self._of_delivery)

    # For administrators

    async def states(self, after: str = "", limit: int = MAX_WORK) -> tuple[list[WorkState], str]:
        """Work subscriptions, by name, with their backlogs counted; and the token of the next page.

        Args:
            after: token of the page before; empty = from the beginning.
            limit: at most this many.
        """
        names = sorted(name for name in self._works if name > after)
        page = names[:limit]
        # One may be deleted while another's backlog is counted.
        works = [self._works[name] for name in page]
        states = [await state_of(work, self._store) for work in works]
        return states, page[-1] if len(names) > limit else ""

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
        """Forget one; its members are told. Raises as ``seek_time``.

        From then on it is unknown, also when the storage fails: delete it again to be sure that
        nothing of it is left.
        """
        await self._begun.finish(self._delete(name))

    async def _delete(self, name: str) -> None:
        if name not in self._works and name in self._leftovers:
            async with self._making:
                await self._clear(name)
            return
        work = self._work(name)
        # In this order: a move may take long, and others are made meanwhile.
        async with work.moving, self._making:
            self._require_current(work)
            # What fails may be done in some shards: it must not go on with the others.
            self._leftovers.add(name)
            del self._works[name], self._numbered[work.number]
            await work.end(unknown_work(name))
            await self._clear(name)

    async def _clear(self, name: str) -> None:
        """Have the register forget what an earlier removal has left."""
        if name in self._leftovers:
            await self._store.remove(name)
            self._leftovers.discard(name)

    def _require_current(self, work: RunningWork) -> None:
        if self._works.get(work.spec.name) is not work:
            raise unknown_work(work.spec.name)

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
