"""The presence of all topics: leases of sessions, and watchers that are told what changes.

Sans-I/O: whoever drives it calls ``advance`` at ``next_due``. Leases are keyed (topic, instance,
session) and merged by topic, so that those of other instances can be put in beside this one's.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from hub.model.agenda import Agenda
from hub.presence.roster import Roster

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.presence.member import Holder, Lease, Member

# Changes of one topic are gathered for this long, and the first ones after a rest for less: a
# reader who comes in with others is told once, and a leave is told while it is news.
COALESCE_SECONDS = 0.25
FIRST_SECONDS = 0.02
# A session that was cut off may come back this long before its members are told that it left.
GRACE_SECONDS = 5.0
# Frames given to sinks in one turn; others of the loop have theirs in between.
SLICE = 128


class Watcher(Protocol):
    """A session that is told of a topic's presence."""

    session_id: str
    rights_until: float

    @property
    def control_backlog(self) -> int:
        """Control frames that its transport has not taken yet."""

    def send_control(self, frame: bytes) -> None:
        """Queue a control frame."""


@dataclass(slots=True, eq=False)
class _Watch:
    watcher: Watcher
    # It missed a frame and needs the full state.
    stale: bool = False
    ended: bool = False


class _Topic:
    __slots__ = ("frame", "last_flush", "roster", "sending", "watches")

    def __init__(self, name: str) -> None:
        self.roster = Roster(name)
        self.watches: dict[str, _Watch] = {}
        self.last_flush = float("-inf")
        self.sending: deque[_Watch] = deque()
        self.frame: bytes | None = None


class PresenceRoom:
    """All topics' presence.

    Args:
        clock: seconds since the epoch.

    Attributes:
        on_moved: called when something was told from elsewhere, and ``next_due`` may be sooner.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.on_moved: Callable[[], None] | None = None
        self._clock = clock
        self._topics: dict[str, _Topic] = {}
        self._held: dict[Holder, dict[str, None]] = {}
        self._watching: dict[str, dict[str, None]] = {}
        self._flushes: Agenda[str] = Agenda()
        self._graces: Agenda[Holder] = Agenda()

    def __len__(self) -> int:
        """Leases."""
        return sum(len(topics) for topics in self._held.values())

    def holds(self, holder: Holder) -> int:
        """Topics in which a session is present."""
        return len(self._held.get(holder, ()))

    def held(self, holder: Holder) -> tuple[str, ...]:
        """Their names."""
        return tuple(self._held.get(holder, ()))

    def says(self, topic: str, lease: Lease) -> bool:
        """Whether a lease only repeats what its session has said in a topic."""
        place = self._topics.get(topic)
        before = place.roster.lease(lease.holder) if place is not None else None
        return before is not None and before.same(lease)

    def watched(self, session_id: str) -> tuple[str, ...]:
        """Topics that a session watches."""
        return tuple(self._watching.get(session_id, ()))

    # Leases

    def put(self, topic: str, lease: Lease) -> None:
        """A session is present, or says something new of itself."""
        place = self._topics.get(topic)
        if place is None:
            place = self._topics[topic] = _Topic(topic)
        self._held.setdefault(lease.holder, {})[topic] = None
        place.roster.put(lease)
        # The same client, back again: nobody waits for its former session any more.
        for former in place.roster.others(lease.holder, lease.key):
            if former in self._graces:
                self._drop(topic, former)
        self._changed(topic, place)

    def leave(self, topic: str, holder: Holder) -> None:
        """A session leaves a topic, at once; nothing where it is not present."""
        self._drop(topic, holder)

    def end(self, holder: Holder, grace_until: float) -> None:
        """A session has ended: its leases end at that time, or now when it has passed."""
        if holder not in self._held:
            return
        if grace_until > self._clock():
            self._graces.put(holder, grace_until)
        else:
            self._expire(holder)

    def _expire(self, holder: Holder) -> None:
        for topic in self.held(holder):
            self._drop(topic, holder)

    def _drop(self, topic: str, holder: Holder) -> None:
        topics = self._held.get(holder)
        if topics is None or topic not in topics:
            return
        del topics[topic]
        if not topics:
            del self._held[holder]
            self._graces.remove(holder)
        place = self._topics[topic]
        place.roster.drop(holder)
        self._changed(topic, place)

    # Watchers

    def watch(self, topic: str, watcher: Watcher) -> None:
        """Tell a session the topic's full state now, and then what changes."""
        place = self._topics.get(topic)
        if place is None:
            place = self._topics[topic] = _Topic(topic)
        watch = place.watches.get(watcher.session_id)
        if watch is None:
            watch = place.watches[watcher.session_id] = _Watch(watcher)
            self._watching.setdefault(watcher.session_id, {})[topic] = None
        watch.stale = False
        watcher.send_control(place.roster.full())

    def unwatch(self, topic: str, session_id: str) -> None:
        """Tell a session no more; nothing where it does not watch."""
        topics = self._watching.get(session_id)
        if topics is None or topic not in topics:
            return
        del topics[topic]
        if not topics:
            del self._watching[session_id]
        place = self._topics[topic]
        place.watches.pop(session_id).ended = True
        self._forget_if_empty(topic, place)

    # Time

    @property
    def next_due(self) -> float | None:
        """When ``advance`` has something to do, seconds since the epoch; None = never."""
        times = [due for due in (self._flushes.next_due, self._graces.next_due) if due is not None]
        return min(times, default=None)

    def advance(self) -> None:
        """Do what is due: end graces, tell changes; at most one slice of frames."""
        now = self._clock()
        while (holder := self._graces.pop(now)) is not None:
            self._expire(holder)
        budget = SLICE
        while budget > 0 and (topic := self._flushes.pop(now)) is not None:
            budget -= self._flush(topic, self._topics[topic], now, budget)

    def _changed(self, topic: str, place: _Topic) -> None:
        if not place.watches:
            # Nobody to be told: what comes later begins with the full state.
            place.roster.settle()
            self._forget_if_empty(topic, place)
        elif place.roster.changed and topic not in self._flushes:
            now = self._clock()
            self._flushes.put(topic, max(now + FIRST_SECONDS, place.last_flush + COALESCE_SECONDS))

    def _flush(self, topic: str, place: _Topic, now: float, budget: int) -> int:
        """Give out one slice; how many frames it was."""
        if not place.sending:
            place.frame = place.roster.delta()
            place.last_flush = now
            place.sending.extend(
                watch for watch in place.watches.values() if place.frame or watch.stale
            )
        sent = 0
        while place.sending and sent < budget:
            self._tell(place, place.sending.popleft(), now)
            sent += 1
        if place.sending:
            self._flushes.put(topic, now)
        else:
            place.frame = None
            stale = any(watch.stale for watch in place.watches.values())
            if stale or place.roster.changed:
                self._flushes.put(topic, place.last_flush + COALESCE_SECONDS)
            self._forget_if_empty(topic, place)
        return max(sent, 1)

    def _tell(self, place: _Topic, watch: _Watch, now: float) -> None:
        watcher = watch.watcher
        if watch.ended:
            return
        if watcher.control_backlog or now >= watcher.rights_until:
            # A stalled reader must not gather frames for as long as it stalls; whoever's right has
            # ended is told nothing, unless it comes back.
            watch.stale = True
        elif watch.stale:
            watch.stale = False
            watcher.send_control(place.roster.full())
        elif place.frame is not None:
            watcher.send_control(place.frame)

    def _forget_if_empty(self, topic: str, place: _Topic) -> None:
        if not place.watches and not len(place.roster) and not place.sending:
            self._topics.pop(topic, None)
            self._flushes.remove(topic)

    # Readers

    def counts(self, topic: str) -> tuple[int, int]:
        """(members, users) of a topic."""
        place = self._topics.get(topic)
        return (len(place.roster), place.roster.users) if place else (0, 0)

    def page(self, topic: str, after: str, limit: int) -> tuple[list[Member], str]:
        """Members of one page and the token of the next; see ``Roster.page``."""
        place = self._topics.get(topic)
        return place.roster.page(after, limit) if place else ([], "")
