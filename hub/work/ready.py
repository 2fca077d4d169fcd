"""Events whose attempt is written down, on their way to members in the same turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.work.items import Deliver, Handover, Item, Phase

if TYPE_CHECKING:
    from hub.engine.work import OpenItem
    from hub.work.leases import Leases
    from hub.work.members import Members
    from hub.work.waiting import Waiting


class Ready:
    """Gives each event to a member.

    Args:
        members: of the queue.
        waiting: knows whose topic it is.
        leases: say who has it then.
    """

    def __init__(self, members: Members, waiting: Waiting, leases: Leases) -> None:
        self._members = members
        self._waiting = waiting
        self._leases = leases
        self._items: list[Item] = []

    def add(self, item: Item, handed_out: OpenItem, data: bytes) -> None:
        """An event may go to a member."""
        item.attempts, item.data, item.phase = handed_out.attempts, data, Phase.READY
        item.expires_ms = handed_out.expires_ms
        self._items.append(item)

    def assign(self, now: float) -> tuple[list[Deliver], list[Item]]:
        """Who gets what, and what nobody gets: no member has room, or it has expired."""
        chosen: dict[str, list[Handover]] = {}
        left: list[Item] = []
        for item in self._items:
            line = self._waiting.lines.get(item.topic)
            member = self._members.choose(None if line is None else line.owner)
            if member is None or 0 < item.expires_ms <= now * 1000:
                left.append(item)
                continue
            if line is not None:
                line.owner = member.name
            data, expires_ms = item.data, item.expires_ms
            lease = self._leases.give(item, member, now)
            handover = Handover(
                lease.delivery_id, item.topic, item.attempts, lease.deadline, expires_ms, data
            )
            chosen.setdefault(member.name, []).append(handover)
        self._items = []
        return [Deliver(name, deliveries) for name, deliveries in chosen.items()], left

    def clear(self) -> list[Item]:
        """Nothing goes to anybody now; what would have gone."""
        left, self._items = self._items, []
        return left
