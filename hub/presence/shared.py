"""A room that several instances share: each tells the others of its own sessions' leases.

What one tells is plain (tuples of texts and numbers), so that any link can carry it. An instance
that is gone leaves its leases behind for the grace of a broken session: its clients come back in
elsewhere meanwhile, and nobody sees them leave (G12).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from hub.presence.member import Holder, Lease, MemberKey
from hub.presence.room import GRACE_SECONDS, PresenceRoom

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Change: TypeAlias = tuple[Any, ...]

_PUT, _LEAVE, _END = "put", "leave", "end"


class SharedRoom(PresenceRoom):
    """The presence of all topics, on one of several instances.

    Args:
        clock: seconds since the epoch.
        instance: name of this one.
        tell: called with each change of this instance's own leases.
    """

    def __init__(
        self, clock: Callable[[], float], instance: str, tell: Callable[[Change], None]
    ) -> None:
        super().__init__(clock)
        self._instance = instance
        self._share = tell

    def put(self, topic: str, lease: Lease) -> None:
        """A session is present, or says something new of itself."""
        super().put(topic, lease)
        if lease.holder.instance == self._instance:
            self._share(_put(topic, lease))

    def leave(self, topic: str, holder: Holder) -> None:
        """A session leaves a topic, at once."""
        here = holder.instance == self._instance and topic in self.held(holder)
        super().leave(topic, holder)
        if here:
            self._share((_LEAVE, topic, holder.session))

    def end(self, holder: Holder, grace_until: float) -> None:
        """A session has ended."""
        here = holder.instance == self._instance and self.holds(holder)
        super().end(holder, grace_until)
        if here:
            self._share((_END, holder.session, grace_until))

    def everything(self) -> list[Change]:
        """All of this instance's leases, for one that comes in."""
        return [
            _put(topic, lease)
            for holder in self._of(self._instance)
            for topic in self.held(holder)
            if (lease := self._topics[topic].roster.lease(holder)) is not None
        ]

    def told(self, instance: str, anew: bool, changes: Sequence[Change]) -> None:  # noqa: FBT001
        """Take what another instance says of its own leases.

        Args:
            instance: its name.
            anew: the changes are all that it has.
            changes: in order.
        """
        if anew:
            stay = {change[2] for change in changes if change[0] == _PUT}
            for holder in self._of(instance):
                if holder.session not in stay:
                    super().end(holder, 0.0)
        for change in changes:
            self._take(instance, change)
        self._moved()

    def gone(self, instance: str) -> None:
        """An instance has ended: its leases go after the grace, unless their clients are back."""
        grace_until = self._clock() + GRACE_SECONDS
        for holder in self._of(instance):
            super().end(holder, grace_until)
        self._moved()

    def _moved(self) -> None:
        if self.on_moved is not None:
            self.on_moved()

    def _take(self, instance: str, change: Change) -> None:
        kind, *rest = change
        if kind == _PUT:
            topic, session, user, client_id, state, metadata, set_at = rest
            holder = Holder(instance, session)
            # It may have been thought to be gone.
            self._graces.remove(holder)
            key = MemberKey(user, client_id)
            super().put(topic, Lease(holder, key, state, tuple(metadata), set_at))
        elif kind == _LEAVE:
            topic, session = rest
            super().leave(topic, Holder(instance, session))
        elif kind == _END:
            session, grace_until = rest
            super().end(Holder(instance, session), grace_until)

    def _of(self, instance: str) -> list[Holder]:
        return [holder for holder in self._held if holder.instance == instance]


def _put(topic: str, lease: Lease) -> Change:
    key = lease.key
    return (
        *(_PUT, topic, lease.holder.session, key.user, key.client_id),
        *(lease.state, lease.metadata, lease.set_at),
    )
