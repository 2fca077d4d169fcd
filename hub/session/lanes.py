"""Which topic goes next: the highest waiting priority, but never so that the rest starves.

Two queues, since a session has one page of the log in hand at most: topics whose next frame can be
made now, and topics whose next frame must be read first. Each queue is kept by priority and by age,
so that a choice costs the same with two topics and with a thousand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shipspeak.realtime.v1 import event_pb2

if TYPE_CHECKING:
    from hub.session.position import Subscription

# Every 8th frame goes to the topic that has waited longest, whatever its priority (G8: LOW never
# starves).
FAIR_SHARE: Final = 8
_CRITICAL: Final = event_pb2.PRIORITY_CRITICAL
_NOTHING: Final = event_pb2.PRIORITY_LOW + 1


class _Queue:
    """Waiting subscriptions, by priority and by age."""

    __slots__ = ("_by_age", "_by_priority")

    def __init__(self) -> None:
        self._by_age: dict[Subscription, int] = {}
        self._by_priority: tuple[dict[Subscription, None], ...] = tuple({} for _ in range(_NOTHING))

    def put(self, subscription: Subscription, priority: int, turn: int) -> None:
        self._by_age[subscription] = turn
        self._by_priority[priority][subscription] = None

    def move(self, subscription: Subscription, old: int, new: int) -> None:
        """To the end of another priority; its age stays."""
        del self._by_priority[old][subscription]
        self._by_priority[new][subscription] = None

    def drop(self, subscription: Subscription, priority: int) -> None:
        del self._by_age[subscription]
        del self._by_priority[priority][subscription]

    @property
    def best(self) -> int:
        """The highest priority that waits; _NOTHING when none does."""
        for priority in range(_CRITICAL, _NOTHING):
            if self._by_priority[priority]:
                return priority
        return _NOTHING

    def first(self, priority: int) -> Subscription:
        return next(iter(self._by_priority[priority]))

    def oldest(self) -> tuple[int, Subscription] | None:
        """The longest waiting, with its turn."""
        for subscription, turn in self._by_age.items():
            return turn, subscription
        return None


class Lanes:
    """Subscriptions with something to send.

    What a topic has waiting is asked of its source when it is added and again when it is chosen.
    """

    __slots__ = ("_frames", "_log", "_log_is_owed", "_places", "_ready", "_turn")

    def __init__(self) -> None:
        self._ready, self._log = _Queue(), _Queue()
        self._places: dict[Subscription, tuple[_Queue, int]] = {}
        self._frames = 0  # since the last fair turn
        self._log_is_owed = False
        self._turn = 0

    def __bool__(self) -> bool:
        return bool(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def add(self, subscription: Subscription) -> bool:
        """It may have something to send, or something more urgent than before.

        One that waits already keeps its age; one that turns out to need the log queues anew.

        Returns:
            Whether it waits.
        """
        source = subscription.source
        priority = source.waiting_priority(subscription)
        before = self._places.get(subscription)
        if not priority:
            self.remove(subscription)
            return False
        queue = self._log if source.needs_log(subscription) else self._ready
        if before == (queue, priority):
            return True
        if before is not None and before[0] is queue:
            queue.move(subscription, before[1], priority)
        else:
            self.remove(subscription)
            self._turn += 1
            queue.put(subscription, priority, self._turn)
        self._places[subscription] = (queue, priority)
        return True

    def remove(self, subscription: Subscription) -> None:
        """It has nothing to send, or is gone."""
        place = self._places.pop(subscription, None)
        if place is not None:
            place[0].drop(subscription, place[1])

    def requeue(self, subscription: Subscription) -> None:
        """It was served: to the end of the waiting, if it has more."""
        self.remove(subscription)
        self.add(subscription)

    def next(self, reader: Subscription | None = None) -> Subscription | None:
        """The subscription to serve now; None when none may be.

        Args:
            reader: whose page of the log is being read or in hand. While there is one, no other
                that needs the log is chosen; where a more urgent one needs it, the reader goes
                first, to make way.
        """
        fair = self._frames >= FAIR_SHARE - 1
        while True:
            chosen = self._oldest(reader) if fair else self._most_urgent(reader)
            if chosen is None:
                return None  # nobody was served: the next fair turn is as far away as before
            if self._is_as_noted(chosen):
                self._count(chosen, fair=fair)
                return chosen

    def next_critical(self, reader: Subscription | None = None) -> Subscription | None:
        """A subscription with CRITICAL waiting, which may pass a full window; None without one."""
        while True:
            if self._ready.best == _CRITICAL:
                chosen = self._ready.first(_CRITICAL)
            elif reader is None and self._log.best == _CRITICAL:
                chosen = self._log.first(_CRITICAL)
            else:
                return None
            if self._is_as_noted(chosen):
                return chosen

    @property
    def critical(self) -> bool:
        """Whether CRITICAL waits in any topic, as it was noted."""
        return _CRITICAL in (self._ready.best, self._log.best)

    @property
    def critical_needs_log(self) -> bool:
        """Whether CRITICAL waits in a topic that must be read from the log."""
        return self._log.best == _CRITICAL

    def _most_urgent(self, reader: Subscription | None) -> Subscription | None:
        ready, log = self._ready.best, self._log.best
        if log < ready:
            if reader is None:
                oldest = self._log.oldest() if self._log_is_owed else None
                return oldest[1] if oldest is not None else self._log.first(log)
            if reader in self._places:
                return reader
        return self._ready.first(ready) if ready != _NOTHING else None

    def _oldest(self, reader: Subscription | None) -> Subscription | None:
        ready = self._ready.oldest()
        log = self._log.oldest() if reader is None else None
        oldest = min(filter(None, (ready, log)), key=lambda one: one[0], default=None)
        return oldest[1] if oldest is not None else None

    def _count(self, chosen: Subscription, *, fair: bool) -> None:
        """A turn is a frame: a topic that must be read takes its turn when its page is there.

        Counted by choices, the fair turn could fall on the page in hand each time, when no other
        topic can be read, and the lowest in the log would starve. Where one that must be read has
        waited longest while a page is in hand, it is the next to be read.
        """
        if self._places[chosen][0] is self._log:
            self._log_is_owed = False
            self._frames = -1 if fair else self._frames
        elif fair:
            log, ready = self._log.oldest(), self._ready.oldest()
            if log is not None and ready is not None and log[0] < ready[0]:
                self._log_is_owed = True
            self._frames = 0
        else:
            self._frames += 1

    def _is_as_noted(self, subscription: Subscription) -> bool:
        """Whether it waits as it was noted; else it is noted anew."""
        noted = self._places[subscription]
        self.add(subscription)
        return self._places.get(subscription) == noted
