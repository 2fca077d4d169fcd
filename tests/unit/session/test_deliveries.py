"""Work that is handed out shares the window with runs, and its order with their priorities."""

from __future__ import annotations

import itertools
from math import inf

import pytest

from hub.session.deliveries import UNWINDOWED_BYTES
from tests.support.fake_sink import FakeSink
from tests.support.manual_clock import ManualClock
from tests.support.sessions import ScriptedSource, open_session

CRITICAL, NORMAL, LOW = 1, 3, 4


@pytest.fixture
def sink() -> FakeSink:
    return FakeSink()


def test_deliveries_count_against_the_window_and_wait_for_it(sink: FakeSink) -> None:
    """G8: nothing but control frames and one CRITICAL run passes a full window."""
    session = open_session(sink=sink, window=100)
    for letter in b"abc":
        session.work.send("w", bytes([letter]) * 60, inf)
    sink.take_all()
    assert [frame[:1] for frame in sink.frames] == [b"a", b"b"]
    assert session.window.in_flight == 120
    session.send_control(b"control")
    sink.take_all()
    session.on_handled(60)
    sink.take_all()
    assert [frame[:1] for frame in sink.frames[2:]] == [b"c", b"c"]


@pytest.mark.parametrize("window", [0, 1000])
def test_a_critical_run_goes_before_deliveries_that_wait(sink: FakeSink, window: int) -> None:
    """G8: once the reader reads, no further delivery comes before it."""
    session = open_session(sink=sink, window=window)
    for number in range(4):
        session.work.send("w", b"work%d" % number, inf)
    ScriptedSource("urgent", [(CRITICAL, b"critical")]).subscribe(session)
    sink.take_all()
    assert sink.frames == [b"work0", b"critical", b"work1", b"work2", b"work3"]


def test_a_critical_run_passes_a_window_that_deliveries_have_filled(sink: FakeSink) -> None:
    """G8."""
    session = open_session(sink=sink, window=100)
    for _ in range(3):
        session.work.send("w", bytes(100), inf)
    sink.take_all()
    ScriptedSource("urgent", [(CRITICAL, b"c1"), (CRITICAL, b"c2")]).subscribe(session)
    sink.take_all()
    assert sink.frames[1:] == [b"c1"]


def test_runs_and_deliveries_take_turns(sink: FakeSink) -> None:
    """G8: LOW does not starve behind work, nor work behind runs."""
    session = open_session(sink=sink)
    session.send_control(b"")
    for _ in range(3):
        session.work.send("w", b"work", inf)
    ScriptedSource("bulk", [(LOW, b"run")] * 4).subscribe(session)
    sink.take_all()
    turns = sink.frames[1:]
    assert sorted(turns[:6]) == [b"run"] * 3 + [b"work"] * 3
    assert all(one != other for one, other in itertools.pairwise(turns))


def test_deliveries_do_not_starve_behind_critical_runs(sink: FakeSink) -> None:
    session = open_session(sink=sink)
    session.send_control(b"")
    session.work.send("w", b"work", inf)
    ScriptedSource("urgent", [(CRITICAL, b"run")] * 20).subscribe(session)
    sink.take_all()
    assert sink.frames.index(b"work") <= 8


def test_what_it_may_be_given_is_what_the_window_has_left(sink: FakeSink) -> None:
    """G7: one bound for all its work subscriptions."""
    session = open_session(sink=sink, window=100)
    rooms = [session.work.room_for("w")]
    session.work.send("w", bytes(60), inf)
    rooms.append(session.work.room_for("w"))
    session.work.send("v", bytes(60), inf)
    rooms.append(session.work.room_for("w"))
    sink.take_all()
    session.on_handled(120)
    rooms.append(session.work.room_for("w"))
    assert rooms == [100, 40, 0, 100]


def test_without_a_window_it_is_given_more_when_its_transport_has_taken_all(
    sink: FakeSink,
) -> None:
    session = open_session(sink=sink)
    rooms = [session.work.room_for("w")]
    session.work.send("w", b"1", inf)
    session.work.send("w", b"2", inf)
    rooms.append(session.work.room_for("w"))
    sink.take()
    rooms.append(session.work.room_for("w"))
    assert rooms == [UNWINDOWED_BYTES, 0, UNWINDOWED_BYTES]


def test_members_are_told_when_there_is_room_again_the_last_served_last(sink: FakeSink) -> None:
    session = open_session(sink=sink, window=100)
    told: list[str] = []
    for work in ("v", "w"):
        session.work.join(work, lambda work=work: told.append(work), lambda _: None)  # type: ignore[misc]
    session.work.send("v", bytes(100), inf)
    sink.take_all()
    assert told == []
    session.on_handled(100)
    assert told == ["w", "v"]


def test_nothing_is_handed_out_without_a_right(sink: FakeSink) -> None:
    """G10: neither after the token's end, nor after a membership's; a newer token lets it go on."""
    clock = ManualClock()
    session = open_session(clock, sink)
    session.rights_until = clock() + 5
    session.work.join("w", lambda: None, lambda _: None)
    for work in ("v", "w", "w"):
        session.work.send(work, work.encode(), inf)
    clock.advance(5)
    sink.take_all()
    assert sink.frames == [b"v"]
    session.work.leave("w")
    session.work.send("v", b"v2", inf)
    session.renew(clock() + 5)
    sink.take_all()
    assert sink.frames == [b"v", b"v2"]
    assert session.work.taken == session.work.given == 4


def test_a_frame_that_is_too_late_is_not_sent_and_its_work_is_told(sink: FakeSink) -> None:
    """E1: its leases have ended."""
    clock = ManualClock()
    session = open_session(clock, sink)
    late: list[int] = []
    session.work.join("w", lambda: None, late.append)
    for until in (inf, 5.0, inf):
        session.work.send("w", b"until %.0f" % until, clock() + until)
    clock.advance(5)
    sink.take_all()
    assert sink.frames == [b"until inf", b"until inf"]
    assert late == [2]


def test_what_one_work_subscription_reads_for_is_not_there_for_the_others(sink: FakeSink) -> None:
    """G7: they are told when it needs it no more."""
    session = open_session(sink=sink, window=100)
    told: list[str] = []
    for work in ("v", "w"):
        session.work.join(work, lambda work=work: told.append(work), lambda _: None)  # type: ignore[misc]
    session.work.claim("v", 70)
    assert [session.work.room_for("v"), session.work.room_for("w")] == [100, 30]
    session.work.claim("v", 0)
    assert told == ["v", "w"]
    session.work.claim("w", 100)
    session.work.leave("w")
    assert session.work.room_for("v") == 100
