"""The machine of one work subscription: who holds which event, for how long, and what goes next.

No I/O and no clock of its own. Inputs change its state; ``poll`` gives what is to be done. An event
is in one phase at a time (``Phase``), so that none is handed to two members, and a ruling that is
on its way to the disk cannot be overtaken by the end of its lease.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hub.engine.work import OpenItem, Ruling, Settlement, Taken
from hub.work.asks import Asks
from hub.work.items import Effect, Item, Lease, Phase, Settle, Take, settles
from hub.work.leases import Leases
from hub.work.members import Members
from hub.work.ready import Ready
from hub.work.waiting import Waiting
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

# After a failure of the storage, seconds.
RETRY_SECONDS = 1.0


class WorkQueue:
    """One work subscription.

    Args:
        shards: numbers of the shards that may hold its topics.
        ordered: of each topic one event at a time, in order, to one member.
        max_attempts: an event handed out so often and not acknowledged is dead.
        new_id: makes delivery ids.

    Attributes:
        members: by name of the session.
        expired: events left out since they had expired, since the start.
        draining: nothing more is handed out, for ever.
        moving: nothing is handed out, for as long as the register's place is changed.
    """

    def __init__(
        self,
        shards: Iterable[int],
        *,
        ordered: bool,
        max_attempts: int,
        new_id: Callable[[], str],
    ) -> None:
        self.members = Members()
        self.expired = 0
        self.draining = False
        self.moving = False
        self._max_attempts = max_attempts
        self._items: dict[tuple[int, int], Item] = {}
        self._leases = Leases(new_id)
        self._waiting = Waiting(ordered=ordered)
        self._asks = Asks(shards, self._waiting, ordered=ordered)
        self._ready = Ready(self.members, self._waiting, self._leases)
        self._dead: dict[int, list[Item]] = {}
        self._paused_until = -math.inf
        self._uncounted: dict[tuple[int, int], int] = {}

    # Members

    def join(self, name: str, subject: str, max_outstanding: int, lease_seconds: float) -> None:
        """As in ``Members``."""
        self.members.join(name, subject, max_outstanding, lease_seconds)

    def leave(self, name: str, now: float, *, lost: bool = False) -> bool:
        """A session takes part no more: what it holds goes to others. False = it did not.

        Args:
            name: of the session.
            now: seconds since the epoch.
            lost: it has broken off with what it was working on, which may be the reason: that was
                an attempt. What is given back was none.
        """
        member = self.members.pop(name, None)
        if member is None:
            return False
        for lease in tuple(member.leases.values()):
            self._leases.end(lease)
            if lease.item.phase is Phase.LEASED:
                lease.item.uncounted = not (lost and lease.seen)
                self._wait(lease.item, now)
        for line in self._waiting.lines.values():
            if line.owner == name:
                line.owner = None
        return True

    def sent(self, delivery_ids: Iterable[str], frame: int) -> None:
        """Deliveries are in a member's frame of this number; see ``Member.taken``."""
        self._leases.sent(delivery_ids, frame)

    def not_sent(self, name: str, frame: int, now: float) -> None:
        """A member's frame was dropped, since it was too late: its deliveries wait again."""
        member = self.members.get(name)
        for lease in tuple(member.leases.values()) if member is not None else ():
            if lease.frame == frame:
                self._leases.end(lease)
                self._let_go(lease.item, now, counted=False)

    def given_back(self) -> Iterator[Item]:
        """Open events whose last attempt does not count, though the register has counted it."""
        return (item for item in self._items.values() if item.uncounted and item.attempts)

    @property
    def reading(self) -> bool:
        """Whether events are being read for members."""
        return self._asks.reserved > 0

    @property
    def outstanding(self) -> int:
        """Events that members hold."""
        return len(self._leases)

    @property
    def full(self) -> set[int]:
        """Shards in which the span of open events has reached its limit."""
        return self._asks.full

    # The register

    def restore(self, shard: int, items: Iterable[OpenItem]) -> None:
        """Open events that the register knows and no member holds: after a start, or a seek."""
        for item in items:
            opened = self._open(shard, item)
            opened.uncounted = self._uncounted.pop((shard, item.ref), 0) == item.attempts > 0
            if opened.counted >= self._max_attempts:
                self._wait(opened, 0)
        self._asks.news(shard)

    def reset(self) -> None:
        """Forget all open events, and who holds them: their deliveries are unknown from now on.

        Call it while no effect is under way.
        """
        # If it stays open after all, because a move failed, its attempt is still nobody's.
        self._uncounted = {
            key: item.attempts for key, item in self._items.items() if item.given_to_nobody
        }
        self._items.clear()
        self._leases.clear()
        self._waiting.clear()
        self._ready.clear()
        self._dead.clear()
        self._asks.reset()

    def stored(self, shard: int) -> None:
        """There may be new events."""
        self._asks.news(shard)

    def taken(self, take: Take, answer: Taken | None, now: float) -> None:
        """The answer to a Take; None = it failed, and the register is as it was."""
        self._asks.answered(take)
        asked = {
            ref: item
            for ref in take.again
            if (item := self._items.get((take.shard, ref))) is not None
            and item.phase is Phase.TAKING
        }
        if answer is None:
            self._paused_until = now + RETRY_SECONDS
            if take.fresh:
                self._asks.news(take.shard)
        else:
            self._accept(take, answer, asked)
        for item in asked.values():
            # Neither handed out nor gone: it did not fit.
            if item.phase is Phase.TAKING:
                self._wait(item, now)

    def _accept(self, take: Take, answer: Taken, asked: dict[int, Item]) -> None:
        shard = take.shard
        self.expired += answer.expired
        for ref in answer.gone:
            if ref in asked:
                self._close(asked[ref])
        again = set(take.again)
        for handed_out, data in answer.handed_out:
            ref = handed_out.ref
            item = asked.get(ref) if ref in again else self._open(shard, handed_out)
            if item is not None:
                self._ready.add(item, handed_out, data)
        for registered in answer.registered:
            self._open(shard, registered)
        if answer.more:
            self._asks.news(shard)
        if answer.full:
            self.full.add(shard)

    # Acknowledgements

    def lease(self, delivery_id: str, subject: str, now: float) -> Lease:
        """A lease that runs; what is done with it must come before anything else happens.

        Raises:
            NotFound: DELIVERY_UNKNOWN.
        """
        return self._leases.of(delivery_id, subject, now)

    def extend(self, lease: Lease, seconds: float, now: float) -> None:
        """The lease runs until ``seconds`` from now; 0 = as long as the member asked for."""
        self._leases.run(lease, now + (seconds or lease.member.lease_seconds))

    def rule(self, lease: Lease, settlement: Settlement) -> Settlement:
        """A ruling on an event is on its way to the register, to be told to ``settled``.

        Returns:
            The ruling to write down: an event that comes back after its last attempt is dead.
        """
        self._leases.hold(lease)
        if settlement.ruling is Ruling.BACK and lease.item.counted >= self._max_attempts:
            return _exhausted(lease.item)
        return settlement

    def settled(
        self,
        shard: int,
        settlements: Sequence[Settlement],
        answers: Sequence[bool] | None,
        now: float,
    ) -> None:
        """Rulings are written down; an answer False = the register had closed the event before.

        Args:
            shard: of the events.
            settlements: the rulings.
            answers: one each; None = it failed, and the register is as it was.
            now: seconds since the epoch.
        """
        if answers is None:
            self._paused_until = now + RETRY_SECONDS
        for index, settlement in enumerate(settlements):
            item = self._items.get((shard, settlement.ref))
            if item is None:
                continue
            lease = item.lease
            if answers is None:
                self._resume(item, now)
                continue
            if lease is not None:
                self._leases.end(lease)
            if settlement.ruling in (Ruling.BACK, Ruling.GIVEN_BACK) and answers[index]:
                if settlement.ruling is Ruling.GIVEN_BACK:
                    item.attempts, item.uncounted = item.attempts - 1, False
                self._wait(item, settlement.not_before_ms / 1000)
            else:
                self._close(item)

    def _resume(self, item: Item, now: float) -> None:
        lease = item.lease
        if lease is not None and lease.deadline > now:
            self._leases.run(lease, lease.deadline)
            return
        if lease is not None:
            self._leases.end(lease)
        self._wait(item, now + RETRY_SECONDS)

    # What is to be done

    def poll(self, now: float) -> list[Effect]:
        """What is to be done now; call it after every input, and when ``next_due`` has come."""
        self._end_leases(now)
        self._waiting.wake(now)
        if self.draining or self.moving:
            self._take_back(self._ready.clear(), now)
            return []
        effects: list[Effect] = []
        deliveries, left = self._ready.assign(now)
        effects.extend(deliveries)
        self._take_back(left, now)
        if now >= self._paused_until:
            effects.extend(self._give_up())
            effects.extend(self._asks.next(self.members.free))
        return effects

    def next_due(self) -> float:
        """When ``poll`` has something to do without any input; infinity = never."""
        ends = self._leases.next_end()
        if math.isfinite(self._paused_until):
            ends = min(ends, self._paused_until)
        return min(ends, self._waiting.next_due())

    def _end_leases(self, now: float) -> None:
        if now >= self._paused_until:
            self._paused_until = -math.inf
        for lease in self._leases.end_due(now):
            self._let_go(lease.item, now, counted=lease.seen)

    def _let_go(self, item: Item, now: float, *, counted: bool) -> None:
        """Its lease has ended without a ruling: in ordered mode its topic goes to anybody."""
        item.uncounted = not counted
        line = self._waiting.lines.get(item.topic)
        if line is not None:
            line.owner = None
        self._wait(item, now)

    def _take_back(self, items: Iterable[Item], now: float) -> None:
        """What nobody gets now is asked for again: until then it may expire, or be removed."""
        for item in items:
            item.data, item.uncounted = b"", True
            self._wait(item, now)

    def _give_up(self) -> Iterable[Settle]:
        dead, self._dead = self._dead, {}
        for shard, items in dead.items():
            yield from settles(shard, [_exhausted(item) for item in items])

    # Events

    def _open(self, shard: int, item: OpenItem) -> Item:
        opened = Item(
            shard, item.ref, item.topic, item.offset, item.attempts, item.not_before_ms / 1000
        )
        self._items[shard, item.ref] = opened
        self._waiting.add(opened)
        return opened

    def _wait(self, item: Item, not_before: float) -> None:
        if item.counted >= self._max_attempts:
            item.phase = Phase.SETTLING
            self._dead.setdefault(item.shard, []).append(item)
            return
        item.phase, item.not_before = Phase.WAITING, not_before
        self._waiting.back(item)

    def _close(self, item: Item) -> None:
        del self._items[item.shard, item.ref]
        item.phase = Phase.SETTLING
        self._waiting.remove(item)
        self.full.discard(item.shard)


def _exhausted(item: Item) -> Settlement:
    return Settlement(item.ref, Ruling.DEAD, reason=reasons.ERROR_REASON_ATTEMPTS_EXHAUSTED)
