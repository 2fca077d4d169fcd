"""The presence room: merging, coalescing, grace, slow watchers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.presence.member import Holder, MemberKey
from hub.presence.room import COALESCE_SECONDS, SLICE
from hub.presence.roster import LISTED_AGAIN, MAX_LISTED
from tests.support.presence_bench import AWAY, OFFLINE, ONLINE, TOPIC, Bench, View

if TYPE_CHECKING:
    import pytest


def test_the_full_state_first_then_what_changes() -> None:
    bench, view = Bench(), View("w")
    bench.put("s1")
    bench.room.watch(TOPIC, view)
    assert [frame.full for frame in view.frames] == [True]
    bench.put("s2", "bob", state=AWAY, metadata={"page": "3"})
    bench.run(1)
    assert [frame.full for frame in view.frames] == [True, False]
    assert [member.user for member in view.frames[1].members] == ["bob"]
    assert view.members == {("alice", "s1"): (ONLINE, {}), ("bob", "s2"): (AWAY, {"page": "3"})}
    assert view.counts == (2, 2)
    bench.room.leave(TOPIC, Holder("i", "s1"))
    bench.run(1)
    assert set(view.members) == {("bob", "s2")}


def test_changes_are_gathered() -> None:
    bench, view = Bench(), View("w")
    bench.room.watch(TOPIC, view)
    for number in range(100):
        bench.put("s", metadata={"at": str(number)})
        bench.run(0.01)
    bench.run(1)
    # One second of changes, one frame each COALESCE_SECONDS, and the full state before.
    assert len(view.frames) <= 2 + 1 / COALESCE_SECONDS + 1
    assert view.members["alice", "s"][1] == {"at": "99"}


def test_a_leave_and_a_return_at_once_are_no_news() -> None:
    bench, view = Bench(), View("w")
    bench.put("s1")
    bench.room.watch(TOPIC, view)
    bench.run(1)
    bench.room.leave(TOPIC, Holder("i", "s1"))
    bench.put("s1")
    since = bench.room.page(TOPIC, "", 10)[0][0].since_ms
    bench.run(1)
    changed = [member for frame in view.frames[1:] for member in frame.members]
    assert all(member.state != OFFLINE for member in changed)
    assert since == int(bench.clock() * 1000) - 1000


def test_who_came_in_between_is_told_of_a_leave_that_is_no_news_to_others() -> None:
    bench, early, late = Bench(), View("early"), View("late")
    bench.room.watch(TOPIC, early)
    bench.put("s1")
    bench.room.watch(TOPIC, late)
    bench.room.leave(TOPIC, Holder("i", "s1"))
    bench.run(1)
    assert not late.members
    assert not early.members


def test_a_client_that_comes_back_within_the_grace_never_left() -> None:
    bench, view = Bench(), View("w")
    bench.put("old", client="tab")
    bench.room.watch(TOPIC, view)
    bench.room.end(Holder("i", "old"), bench.clock() + 5)
    bench.run(3)
    bench.put("new", client="tab")
    bench.run(1)
    assert len(view.frames) == 1, "nothing has changed"
    assert set(view.members) == {("alice", "tab")}
    bench.room.leave(TOPIC, Holder("i", "new"))
    bench.run(1)
    assert not view.members, "the former session holds nothing any more"


def test_a_client_that_does_not_come_back_leaves_when_the_grace_is_over() -> None:
    bench, view = Bench(), View("w")
    bench.put("s1")
    bench.room.watch(TOPIC, view)
    bench.room.end(Holder("i", "s1"), bench.clock() + 5)
    bench.run(4.9)
    assert view.members
    bench.run(0.2)
    assert not view.members
    assert bench.room.next_due is None


def test_above_the_limit_counts_only_and_below_it_members_again() -> None:
    bench, view = Bench(), View("w")
    bench.room.watch(TOPIC, view)
    for number in range(MAX_LISTED + 1):
        bench.put(f"s{number}", f"u{number % 50}")
    bench.run(1)
    assert view.counts == (MAX_LISTED + 1, 50)
    assert not view.members
    assert all(len(frame.members) <= MAX_LISTED for frame in view.frames)
    for number in range(MAX_LISTED - LISTED_AGAIN):
        bench.room.leave(TOPIC, Holder("i", f"s{number}"))
        bench.run(1)
        assert not view.members
    bench.room.leave(TOPIC, Holder("i", "s99"))
    bench.run(1)
    assert len(view.members) == LISTED_AGAIN


def test_one_who_comes_and_goes_at_the_limit_costs_no_lists() -> None:
    """G12: whoever counts goes on to count."""
    bench, view = Bench(), View("w")
    bench.room.watch(TOPIC, view)
    for number in range(MAX_LISTED + 1):
        bench.put(f"s{number}", f"u{number}")
    bench.run(1)
    before = len(view.frames)
    for _ in range(10):
        bench.room.leave(TOPIC, Holder("i", "s0"))
        bench.run(1)
        bench.put("s0", "u0")
        bench.run(1)
    flaps = view.frames[before:]
    assert [frame.sessions for frame in flaps] == [MAX_LISTED, MAX_LISTED + 1] * 10
    assert not any(frame.members for frame in flaps)


def test_a_stalled_watcher_gathers_no_frames_and_gets_the_full_state_later() -> None:
    bench, view = Bench(), View("w")
    bench.room.watch(TOPIC, view)
    view.stalled = True
    for number in range(50):
        bench.put(f"s{number % 5}", metadata={"n": str(number)})
        bench.run(1)
    assert view.control_backlog == 1
    view.recover()
    bench.run(1)
    assert view.frames[-1].full
    assert view.members["alice", "s4"][1] == {"n": "49"}
    assert bench.room.next_due is None


def test_who_has_no_right_any_more_is_told_nothing() -> None:
    bench, view = Bench(), View("w")
    bench.room.watch(TOPIC, view)
    view.rights_until = bench.clock()
    bench.put("s1")
    bench.run(1)
    assert not view.members
    view.rights_until = float("inf")
    bench.run(1)
    assert view.members


def test_many_watchers_are_told_in_slices_and_share_the_bytes() -> None:
    bench = Bench()
    views = [View(f"w{number}") for number in range(SLICE * 3)]
    for view in views:
        bench.room.watch(TOPIC, view)
    bench.put("s1")
    bench.clock.advance(1)
    bench.room.advance()
    assert sum(len(view.frames) == 2 for view in views) == SLICE
    views[-1].stalled = True
    bench.room.unwatch(TOPIC, "w0")
    bench.run(1)
    assert sum(len(view.frames) == 2 for view in views) == SLICE * 3 - 1


def test_pages_hold_every_member_once() -> None:
    bench = Bench()
    for number in range(25):
        bench.put(f"s{number}")
    seen, token = [], ""
    while True:
        members, token = bench.room.page(TOPIC, token, 10)
        seen += [member.key.client_id for member in members]
        if not token:
            break
    assert sorted(seen) == sorted(f"s{number}" for number in range(25))
    assert bench.room.counts(TOPIC) == (25, 1)


def test_a_page_costs_no_look_at_all_members(monkeypatch: pytest.MonkeyPatch) -> None:
    """A member's place in the pages is found when it comes, and not for every page anew."""
    bench = Bench()
    for number in range(300):
        bench.put(f"s{number}")
    for number in range(0, 300, 3):
        bench.room.leave(TOPIC, Holder("i", f"s{number}"))
    looked_at = list[MemberKey]()
    place_of = MemberKey.digest

    def look(key: MemberKey) -> str:
        looked_at.append(key)
        return place_of(key)

    monkeypatch.setattr(MemberKey, "digest", look)
    seen, token = list[MemberKey](), ""
    while members := bench.room.page(TOPIC, token, 10):
        seen += [member.key for member in members[0]]
        token = members[1]
        if not token:
            break
    assert len(seen) == 200
    assert looked_at == []
    assert [place_of(key) for key in seen] == sorted(place_of(key) for key in seen)


def test_nothing_is_kept_of_who_has_gone() -> None:
    bench, view = Bench(), View("w")
    for number in range(100):
        topic = f"meeting/{number}"
        bench.put("s1", topic=topic)
        bench.room.watch(topic, view)
    for number in range(100):
        bench.room.unwatch(f"meeting/{number}", "w")
    bench.room.end(Holder("i", "s1"), 0.0)
    bench.run(1)
    assert not bench.room._topics
    assert not bench.room._held
    assert bench.room.next_due is None
