"""Which topic goes next: the highest waiting priority, but never so that the rest starves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import event_pb2

if TYPE_CHECKING:
    from hub.session.position import Subscription

# Every 8th frame goes to the topic that has waited longest, whatever its priority (G8: LOW never
# starves).
FAIR_SHARE = 8


class Lanes:
    """Subscriptions with something to send, in the order in which they began to wait."""

    __slots__ = ("_served", "_waiting")

    def __init__(self) -> None:
        self._waiting: dict[Subscription, None] = {}
        self._served = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, subscription: Subscription) -> None:
        """It has something to send; a second call changes nothing."""
        if subscription not in self._waiting:
            self._waiting[subscription] = None

    def remove(self, subscription: Subscription) -> None:
        """It has nothing to send, or is gone."""
        self._waiting.pop(subscription, None)

    def requeue(self, subscription: Subscription) -> None:
        """It was served and has more: to the end of the waiting."""
        self._waiting.pop(subscription, None)
        self._waiting[subscription] = None

    def next(self) -> Subscription:
        """The subscription to serve now. Raises: StopIteration when none waits."""
        self._served += 1
        if len(self._waiting) == 1 or self._served % FAIR_SHARE == 0:
            return next(iter(self._waiting))
        best, best_priority = next(iter(self._waiting)), event_pb2.PRIORITY_LOW + 1
        for subscription in self._waiting:
            priority = subscription.source.waiting_priority(subscription) or event_pb2.PRIORITY_LOW
            if priority < best_priority:
                best, best_priority = subscription, priority
                if priority == event_pb2.PRIORITY_CRITICAL:
                    break
        return best

    def next_critical(self) -> Subscription | None:
        """A subscription with CRITICAL waiting, which may pass a full window; None without one."""
        for subscription in self._waiting:
            if subscription.source.waiting_priority(subscription) == event_pb2.PRIORITY_CRITICAL:
                return subscription
        return None
