"""The members of a queue, and which of them gets the next event."""

from __future__ import annotations

from hub.work.items import Member


class Members(dict[str, Member]):
    """Members by name of the session."""

    def join(self, name: str, subject: str, max_outstanding: int, lease_seconds: float) -> None:
        """A session takes part from now on; a second time only changes its numbers."""
        member = self.get(name)
        if member is None:
            self[name] = Member(name, subject, max_outstanding, lease_seconds)
        else:
            member.max_outstanding, member.lease_seconds = max_outstanding, lease_seconds

    @property
    def free(self) -> int:
        """How many more events may be given out."""
        return sum(member.free for member in self.values())

    def choose(self, owner: str | None) -> Member | None:
        """Who gets an event; None = nobody has room.

        Args:
            owner: who has worked on its topic before; but the topic must not wait for it.
        """
        if owner is not None and self[owner].free:
            return self[owner]
        # The one that may take most: members that work faster get more.
        best = max(self.values(), key=lambda member: member.free, default=None)
        return best if best is not None and best.free else None
