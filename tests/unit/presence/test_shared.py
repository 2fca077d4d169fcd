"""Rooms of several instances tell each other of their leases, and agree."""

from __future__ import annotations

from hub.presence.member import Holder, Lease, MemberKey
from hub.presence.room import GRACE_SECONDS
from hub.presence.shared import Change, SharedRoom
from shipspeak.realtime.v1 import frame_pb2
from tests.support.manual_clock import ManualClock

TOPIC = "meeting/1"
ONLINE = frame_pb2.PRESENCE_STATE_ONLINE


class Instances:
    """Two rooms; what one tells the other takes at once, unless they are apart."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.apart = False
        self.a = SharedRoom(self.clock, "a", lambda change: self._told("a", self.b, change))
        self.b = SharedRoom(self.clock, "b", lambda change: self._told("b", self.a, change))

    def _told(self, instance: str, room: SharedRoom, change: Change) -> None:
        if not self.apart:
            room.told(instance, False, [change])

    def users(self, room: SharedRoom) -> set[str]:
        return {member.key.user for member in room.page(TOPIC, "", 100)[0]}


def lease(instance: str, session: str, user: str, client: str = "") -> Lease:
    return Lease(Holder(instance, session), MemberKey(user, client or session), ONLINE, (), 1)


def test_a_lease_is_seen_at_both_until_it_is_left():
    two = Instances()
    two.a.put(TOPIC, lease("a", "s1", "alice"))
    assert two.users(two.a) == two.users(two.b) == {"alice"}
    two.a.leave(TOPIC, Holder("a", "s1"))
    assert two.users(two.a) == two.users(two.b) == set()


def test_a_session_that_ends_is_seen_for_its_grace_at_both():
    two = Instances()
    two.a.put(TOPIC, lease("a", "s1", "alice"))
    two.a.end(Holder("a", "s1"), two.clock() + 2.0)
    two.b.advance()
    assert two.users(two.b) == {"alice"}
    two.clock.advance(2.5)
    two.a.advance()
    two.b.advance()
    assert two.users(two.a) == two.users(two.b) == set()


def test_the_leases_of_an_instance_that_is_gone_end_after_the_grace():
    """G12: within 6 s of an instance's crash."""
    two = Instances()
    two.a.put(TOPIC, lease("a", "s1", "alice"))
    two.b.gone("a")
    two.b.advance()
    assert two.users(two.b) == {"alice"}
    two.clock.advance(GRACE_SECONDS + 0.1)
    two.b.advance()
    assert two.users(two.b) == set()


def test_a_client_that_comes_back_elsewhere_never_left():
    two = Instances()
    two.a.put(TOPIC, lease("a", "s1", "alice", "phone"))
    two.b.gone("a")
    two.b.put(TOPIC, lease("b", "s2", "alice", "phone"))
    two.clock.advance(GRACE_SECONDS + 0.1)
    two.b.advance()
    assert two.users(two.b) == {"alice"}
    assert two.b.counts(TOPIC) == (1, 1)


def test_one_that_comes_in_is_told_everything_and_forgets_what_is_over():
    two = Instances()
    two.a.put(TOPIC, lease("a", "s1", "alice"))
    two.apart = True
    two.a.leave(TOPIC, Holder("a", "s1"))
    two.a.put(TOPIC, lease("a", "s2", "bob"))
    two.b.told("a", True, two.a.everything())
    two.b.advance()
    assert two.users(two.a) == two.users(two.b) == {"bob"}


def test_one_that_was_thought_to_be_gone_stays():
    two = Instances()
    two.a.put(TOPIC, lease("a", "s1", "alice"))
    two.b.gone("a")
    two.b.told("a", True, two.a.everything())
    two.clock.advance(GRACE_SECONDS + 0.1)
    two.b.advance()
    assert two.users(two.b) == {"alice"}
