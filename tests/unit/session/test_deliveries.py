"""Work that is handed out shares the window with runs, and its order with their priorities."""

from __future__ import annotations

import itertools

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
        session.send_deliveries("w", bytes([letter]) * 60)
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
        session.send_deliveries("w", b"work%d" % number)
    ScriptedSource("urgent", [(CRITICAL, b"critical")]).subscribe(session)
    sink.take_all()
    assert sink.frames == [b"work0", b"critical", b"work1", b"work2", b"work3"]


def test_a_critical_run_passes_a_window_that_deliveries_have_filled(sink: FakeSink) -> None:
    """G8."""
    session = open_session(sink=sink, window=100)
    for _ in range(3):
        session.send_deliveries("w", bytes(100))
    sink.take_all()
    ScriptedSource("urgent", [(CRITICAL, b"c1"), (CRITICAL, b"c2")]).subscribe(session)
    sink.take_all()
    assert sink.frames[1:] == [b"c1"]


def test_runs_and_deliveries_take_turns(sink: FakeSink) -> None:
    """G8: LOW does not starve behind work, nor work behind runs."""
    session = open_session(sink=sink)
    session.send_control(b"")
    for _ in range(3):
        session.send_deliveries("w", b"work")
    ScriptedSource("bulk", [(LOW, b"run")] * 4).subscribe(session)
    sink.take_all()
    turns = sink.frames[1:]
    assert sorted(turns[:6]) == [b"run"] * 3 + [b"work"] * 3
    assert all(one != other for one, other in itertools.pairwise(turns))


def test_deliveries_do_not_starve_behind_critical_runs(sink: FakeSink) -> None:
    session = open_session(sink=sink)
    session.send_control(b"")
    session.send_deliveries("w", b"work")
    ScriptedSource("urgent", [(CRITICAL, b"run")] * 20).subscribe(session)
    sink.take_all()
    assert sink.frames.index(b"work") <= 8


def test_what_it_may_be_given_is_what_the_window_has_left(sink: FakeSink) -> None:
    """G7: one bound for all its work subscriptions."""
    session = open_session(sink=sink, window=100)
    rooms = [session.delivery_room]
    session.send_deliveries("w", bytes(60))
    rooms.append(session.delivery_room)
    session.send_deliveries("v", bytes(60))
    rooms.append(session.delivery_room)
    sink.take_all()
    session.on_handled(120)
    rooms.append(session.delivery_room)
    assert rooms == [100, 40, 0, 100]


def test_without_a_window_it_is_given_more_when_its_transport_has_taken_all(
    sink: FakeSink,
) -> None:
    session = open_session(sink=sink)
    rooms = [session.delivery_room]
    session.send_deliveries("w", b"1")
    session.send_deliveries("w", b"2")
    rooms.append(session.delivery_room)
    sink.take()
    rooms.append(session.delivery_room)
    assert rooms == [UNWINDOWED_BYTES, 0, UNWINDOWED_BYTES]


def test_members_are_told_when_there_is_room_again_the_last_served_last(sink: FakeSink) -> None:
    session = open_session(sink=sink, window=100)
    told: list[str] = []
    for work in ("v", "w"):
        session.on_room[work] = lambda work=work: told.append(work)  # type: ignore[misc]
    session.send_deliveries("v", bytes(100))
    sink.take_all()
    assert told == []
    session.on_handled(100)
    assert told == ["w", "v"]


def test_nothing_is_handed_out_without_a_right(sink: FakeSink) -> None:
    """G10: neither after the token's end, nor after a membership's; a newer token lets it go on."""
    clock = ManualClock()
    session = open_session(clock, sink)
    session.rights_until = clock() + 5
    for work in ("v", "w", "w"):
        session.send_deliveries(work, work.encode())
    clock.advance(5)
    sink.take_all()
    assert sink.frames == [b"v"]
    session.drop_deliveries("w")
    session.send_deliveries("v", b"v2")
    session.renew(clock() + 5)
    sink.take_all()
    assert sink.frames == [b"v", b"v2"]
    assert session.deliveries_taken == session.deliveries_given == 4
