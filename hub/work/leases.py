"""The leases of a queue: who holds what until when."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hub.model.agenda import Agenda
from hub.work.items import Item, Lease, Member, Phase
from hub.work.refusals import unknown_delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Leases:
    """Leases by delivery id, and by the time at which they end.

    Args:
        new_id: makes delivery ids.
    """

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._leases: dict[str, Lease] = {}
        self._ends: Agenda[str] = Agenda()

    def __len__(self) -> int:
        return len(self._leases)

    def of(self, delivery_id: str, subject: str, now: float) -> Lease:
        """A lease that runs.

        Raises:
            NotFound: DELIVERY_UNKNOWN: it has ended, a ruling on it is under way, or it is
                another's.
        """
        lease = self._leases.get(delivery_id)
        if (
            lease is None
            or lease.item.phase is not Phase.LEASED
            or lease.deadline <= now
            or lease.member.subject != subject
        ):
            raise unknown_delivery()
        return lease

    def give(self, item: Item, member: Member, now: float) -> Lease:
        """A member has an event from now on."""
        deadline = now + member.lease_seconds
        lease = Lease(self._new_id(), item, member, deadline, len(item.data))
        member.leases[lease.delivery_id] = lease
        member.size += lease.size
        member.room -= lease.size
        member.typical += (lease.size - member.typical) / (8 if member.typical else 1)
        self._leases[lease.delivery_id] = lease
        self.run(lease, deadline)
        item.lease, item.data, item.uncounted = lease, b"", False
        return lease

    def sent(self, delivery_ids: Iterable[str], frame: int) -> None:
        """Deliveries are in a member's frame of this number."""
        for delivery_id in delivery_ids:
            lease = self._leases.get(delivery_id)
            if lease is not None:
                lease.frame = frame

    def run(self, lease: Lease, deadline: float) -> None:
        """A lease runs, until ``deadline``."""
        lease.item.phase = Phase.LEASED
        lease.deadline = deadline
        self._ends.put(lease.delivery_id, deadline)

    def hold(self, lease: Lease) -> None:
        """A ruling is on its way: the lease does not end meanwhile."""
        lease.item.phase = Phase.SETTLING
        self._ends.remove(lease.delivery_id)

    def end(self, lease: Lease) -> None:
        """A member has an event no more."""
        del self._leases[lease.delivery_id]
        self._ends.remove(lease.delivery_id)
        lease.member.leases.pop(lease.delivery_id, None)
        lease.member.size -= lease.size
        lease.item.lease = None

    def end_due(self, now: float) -> list[Lease]:
        """End the leases whose deadline has come, and give them."""
        over: list[Lease] = []
        while (delivery_id := self._ends.pop(now)) is not None:
            lease = self._leases[delivery_id]
            over.append(lease)
            self.end(lease)
        return over

    def next_end(self) -> float:
        """When the next running lease ends; infinity = none runs."""
        due = self._ends.next_due
        return math.inf if due is None else due

    def clear(self) -> None:
        """Nobody holds anything."""
        for lease in tuple(self._leases.values()):
            self.end(lease)
