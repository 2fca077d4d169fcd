"""The leases of a queue: who holds what until when."""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING

from hub.work.items import Item, Lease, Member, Phase
from hub.work.refusals import unknown_delivery

if TYPE_CHECKING:
    from collections.abc import Callable


class Leases:
    """Leases by delivery id, and by the time at which they end.

    The heap keeps an entry for every deadline that a lease has had; those that do not hold any more
    are dropped when they come up.

    Args:
        new_id: makes delivery ids.
    """

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._leases: dict[str, Lease] = {}
        self._deadlines: list[tuple[float, str]] = []

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
        self._leases[lease.delivery_id] = lease
        self.run(lease, deadline)
        item.lease, item.data = lease, b""
        return lease

    def run(self, lease: Lease, deadline: float) -> None:
        """A lease runs, until ``deadline``."""
        lease.item.phase = Phase.LEASED
        lease.deadline = deadline
        heapq.heappush(self._deadlines, (deadline, lease.delivery_id))

    def end(self, lease: Lease) -> None:
        """A member has an event no more."""
        del self._leases[lease.delivery_id]
        lease.member.leases.pop(lease.delivery_id, None)
        lease.member.size -= lease.size
        lease.item.lease = None

    def end_due(self, now: float) -> list[Item]:
        """End the leases whose deadline has come; their events."""
        over: list[Item] = []
        while self.next_end() <= now:
            lease = self._leases[self._deadlines[0][1]]
            over.append(lease.item)
            self.end(lease)
        return over

    def next_end(self) -> float:
        """When the next running lease ends; infinity = none runs."""
        while self._deadlines:
            deadline, delivery_id = self._deadlines[0]
            lease = self._leases.get(delivery_id)
            if (
                lease is not None
                and lease.deadline == deadline
                and lease.item.phase is Phase.LEASED
            ):
                return deadline
            heapq.heappop(self._deadlines)
        return math.inf

    def clear(self) -> None:
        """Nobody holds anything."""
        for lease in tuple(self._leases.values()):
            self.end(lease)
        self._deadlines.clear()
