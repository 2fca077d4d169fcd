"""One topic's leases merged into members, and what has changed since it was last told."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import TYPE_CHECKING

from hub.presence.member import Holder, Lease, Member, MemberKey, departed
from shipspeak.realtime.v1 import frame_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable

# Above this many members watchers are told counts only, until there are few enough again: one who
# comes and goes at the limit must not make every watcher drop the list and get it anew.
MAX_LISTED = 100
LISTED_AGAIN = 90


class Roster:
    """Who is in a topic.

    Leases come from any instance and in any order: the merge depends on nothing but their set.

    Args:
        topic: its name.
    """

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self._leases: dict[Holder, Lease] = {}
        self._of_member: dict[MemberKey, dict[Holder, Lease]] = {}
        self._members: dict[MemberKey, Member] = {}
        self._users: dict[str, int] = {}
        # Digests and keys of the members, in the order of the pages.
        self._places: list[tuple[str, MemberKey]] = []
        # What watchers were last told of each member that has changed; None = not there.
        self._told: dict[MemberKey, Member | None] = {}
        # Changed ones that somebody who came in between has seen: to be told even when they are
        # again what the others know.
        self._shown: set[MemberKey] = set()
        # Counts only, now; and at any time since the watchers were last told.
        self._crowded = self._was_crowded = False
        self._full: bytes | None = None

    def __len__(self) -> int:
        """Members."""
        return len(self._members)

    @property
    def users(self) -> int:
        """Distinct users."""
        return len(self._users)

    @property
    def changed(self) -> bool:
        """Whether something is new since ``delta``."""
        return bool(self._told)

    def lease(self, holder: Holder) -> Lease | None:
        """What a session holds here."""
        return self._leases.get(holder)

    def put(self, lease: Lease) -> None:
        """Take a new lease, or the newer form of one."""
        before = self._leases.get(lease.holder)
        if before is not None and before.key != lease.key:
            self.drop(lease.holder)
        self._leases[lease.holder] = lease
        self._of_member.setdefault(lease.key, {})[lease.holder] = lease
        self._merge(lease.key)

    def drop(self, holder: Holder) -> None:
        """A session's lease has ended."""
        lease = self._leases.pop(holder, None)
        if lease is None:
            return
        leases = self._of_member[lease.key]
        del leases[holder]
        if not leases:
            del self._of_member[lease.key]
        self._merge(lease.key)

    def others(self, holder: Holder, key: MemberKey) -> list[Holder]:
        """The other sessions that make a member visible."""
        return [other for other in self._of_member.get(key, {}) if other != holder]

    def _merge(self, key: MemberKey) -> None:
        before = self._members.get(key)
        leases = self._of_member.get(key)
        if leases:
            seen = max(leases.values(), key=lambda lease: (lease.set_at, lease.holder))
            since = before.since_ms if before else seen.set_at
            after: Member | None = Member(key, seen.state, seen.metadata, since)
        else:
            after = None
        if after == before:
            return
        self._told.setdefault(key, before)
        self._full = None
        if after is None:
            del self._members[key]
            place = (key.digest(), key)
            del self._places[bisect_left(self._places, place)]
            self._users[key.user] -= 1
            if not self._users[key.user]:
                del self._users[key.user]
            if len(self._members) <= LISTED_AGAIN:
                self._crowded = False
            return
        if before is None:
            insort(self._places, (key.digest(), key))
            self._users[key.user] = self._users.get(key.user, 0) + 1
        self._members[key] = after
        if len(self._members) > MAX_LISTED:
            self._crowded = self._was_crowded = True

    # Told to watchers

    def full(self) -> bytes:
        """ServerFrame{presence}: all there is; encoded once for all who ask between two changes."""
        self._shown.update(self._told)
        if self._full is None:
            self._full = self._frame(
                (member.message() for member in self._members.values()), full=True
            )
        return self._full

    def settle(self) -> None:
        """Nobody is to be told what has changed so far."""
        self._told.clear()
        self._shown.clear()
        self._was_crowded = self._crowded

    def delta(self) -> bytes | None:
        """ServerFrame{presence}: what has changed since the last call; None = nothing that is seen.

        A member that left and came back as it was has not changed.
        """
        changed = [
            key
            for key, then in self._told.items()
            if key in self._shown or self._members.get(key) != then
        ]
        crowded = self._was_crowded
        self.settle()
        if not changed:
            return None
        if crowded:
            # Whoever was told counts only holds no members that a delta could change.
            return self.full()
        members = (
            departed(key) if (now := self._members.get(key)) is None else now.message()
            for key in changed
        )
        return self._frame(members, full=False)

    def _frame(self, members: Iterable[frame_pb2.PresenceMember], *, full: bool) -> bytes:
        frame = frame_pb2.PresenceFrame(
            topic=self.topic,
            full=full,
            members=() if self._crowded else members,
            sessions=len(self._members),
            users=self.users,
        )
        return frame_pb2.ServerFrame(presence=frame).SerializeToString()

    # Told to readers

    def page(self, after: str, limit: int) -> tuple[list[Member], str]:
        """Members of one page and the token of the next; the token is empty at the end.

        Args:
            after: token of the page before; empty = from the beginning.
            limit: members at most.
        """
        begin = bisect_right(self._places, after, key=lambda place: place[0])
        chosen = self._places[begin : begin + limit]
        token = chosen[-1][0] if len(self._places) > begin + limit else ""
        return [self._members[key] for _, key in chosen], token
