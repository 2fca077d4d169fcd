"""One work subscription that is running: its queue, its members, its timer and its writes."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

import structlog

from hub.engine.work import Ruling, Settlement
from hub.errors import HubError, NotFound
from hub.work.audience import Audience
from hub.work.items import Deliver
from hub.work.queue import RETRY_SECONDS, WorkQueue
from hub.work.writes import Writes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from hub.engine.work import WorkSpec, WorkStore
    from hub.telemetry.metrics import Metrics
    from hub.work.audience import WorkMember

log = structlog.get_logger(__name__)


class RunningWork:
    """Carries out what the queue asks for.

    Args:
        spec: of the subscription.
        number: names it in delivery ids.
        store: the register.
        shards: that may hold its topics.
        clock: seconds since the epoch.
        metrics: counted by name.
        max_attempts: before an event is dead.
        new_id: makes delivery ids.
        on_dead: called with a shard whose register has new dead events.

    Attributes:
        moving: held by whoever moves or ends it.
    """

    def __init__(
        self,
        spec: WorkSpec,
        number: str,
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
        self.number = number
        self.shards = shards
        self.moving = asyncio.Lock()
        self.queue = WorkQueue(
            shards, ordered=spec.ordered, max_attempts=max_attempts, new_id=new_id
        )
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._on_dead = on_dead
        self._members = Audience(spec.name, self.queue.members, self._wake, self._not_sent)
        self._writes = Writes(
            spec.name, store, self.queue, clock, metrics, on_dead=on_dead, wake=self._wake
        )
        self._turn_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._told_full: set[int] = set()
        self._stopping = False
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

    def leave(self, session_id: str, *, lost: bool = False) -> bool:
        """Give what a session holds to others, as in ``WorkQueue``; False = it was no member."""
        self._members.look()
        self._members.leave(session_id)
        left = self.queue.leave(session_id, self._clock(), lost=lost)
        if left:
            self._wake()
        return left

    def dismiss(self, session_id: str, error: HubError) -> None:
        """End a membership, and tell the member why."""
        if session_id in self._members:
            self._members.dismiss(session_id, error)
            self.leave(session_id)

    def _not_sent(self, session_id: str, frame: int) -> None:
        self.queue.not_sent(session_id, frame, self._clock())
        self._wake()

    # The engine's news

    def on_stored(self, shard: int) -> None:
        """As in WorkWatcher."""
        self.queue.stored(shard)
        self._wake()

    def on_trimmed(self, shard: int) -> None:
        """As in WorkWatcher."""
        self._on_dead(shard)

    def settle(self, rulings: Sequence[tuple[int, Settlement]]) -> Awaitable[list[HubError | None]]:
        """As in ``Writes``."""
        return self._writes.settle(rulings)

    # Moving

    async def move(self, how: Callable[[], Awaitable[None]]) -> None:
        """Change the register's place: open deliveries are unknown from now on.

        It must run to its end, since nothing is handed out meanwhile. One at a time, each within
        ``moving``, as ``end``.

        Raises:
            HubError: it was not moved.
        """
        self.queue.moving = True
        try:
            await self._writes.done()
            self.queue.reset()
            try:
                await how()
            finally:
                await self._restore()
        finally:
            self.queue.moving = False
            self._wake()

    async def end(self, error: HubError) -> None:
        """Hand out nothing more, for ever; members are told why."""
        self.drain()
        self._store.unwatch(self.spec.name)
        for session_id in tuple(self._members):
            self.dismiss(session_id, error)
        await self._writes.done()
        self.queue.reset()
        if self._timer is not None:
            self._timer.cancel()

    async def _restore(self) -> None:
        """Take over what is open after all; again until it works, or events would be forgotten."""
        for shard in self.shards:
            while not self._stopping:
                try:
                    items = await self._store.open_items(self.spec.name, shard)
                except NotFound:
                    return  # there is no such subscription any more
                except Exception as error:  # noqa: BLE001 - logged, and tried again
                    log.warning(
                        "work_not_read", work=self.spec.name, shard=shard, error=repr(error)
                    )
                    await asyncio.sleep(RETRY_SECONDS)
                else:
                    self.queue.restore(shard, items)
                    break

    def drain(self) -> None:
        """Hand out nothing more; acknowledgements are still taken."""
        self.queue.draining = True

    def stop(self) -> None:
        """The hub ends: a move that cannot read the register waits for it no longer."""
        self._stopping = True
        self.drain()

    async def give_back(self) -> None:
        """The hub ends, and nobody works on it any more: note which attempts do not count."""
        for session_id in tuple(self._members):
            self.leave(session_id)
        await self._writes.done()
        rulings = [
            (item.shard, Settlement(item.ref, Ruling.GIVEN_BACK, int(item.not_before * 1000)))
            for item in self.queue.given_back()
        ]
        if rulings:
            await self._writes.settle(rulings)

    # Turns

    def _wake(self) -> None:
        """Let the queue say what is to be done, soon and once."""
        if not self._turn_due:
            self._turn_due = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._turn_due = False
        self._members.look()
        now = self._clock()
        for effect in self.queue.poll(now):
            if isinstance(effect, Deliver):
                self._deliver(effect, now)
            else:
                self._writes.begin(effect)
        self._members.claim(reading=self.queue.reading)
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
        for delivery_ids, frame in self._members.deliver(effect.member, effect.deliveries):
            self.queue.sent(delivery_ids, frame)
        self._metrics.work_handed_out.labels(self.spec.name).inc(len(effect.deliveries))

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
