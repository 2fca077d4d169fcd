"""One session: what goes out, when, and how it ends."""

from __future__ import annotations

import math

import pytest

from hub.errors import Unavailable
from hub.session.position import Subscription
from hub.session.session import Session
from hub.session.sink import Caller
from hub.session.states import State
from shipspeak.realtime.v1 import error_reason_pb2, frame_pb2
from tests.support.fake_sink import FakeSink
from tests.support.manual_clock import ManualClock
from tests.support.sessions import ScriptedSource, open_session

CRITICAL, NORMAL = 1, 3
ERROR = Unavailable(error_reason_pb2.ERROR_REASON_DRAINING, "going")


@pytest.fixture
def sink() -> FakeSink:
    return FakeSink()


def test_control_frames_go_before_runs(sink: FakeSink) -> None:
    session = open_session(sink=sink)
    session.send_control(b"1")
    ScriptedSource("a", [(CRITICAL, b"run")]).subscribe(session)
    session.send_control(b"2")
    session.send_control(b"3")
    sink.take_all()
    assert sink.frames == [b"1", b"2", b"3", b"run"]


def test_an_idle_session_sends_at_once(sink: FakeSink) -> None:
    session = open_session(sink=sink)
    ScriptedSource("a", [(NORMAL, b"run")]).subscribe(session)
    assert sink.frames == [b"run"]


def test_the_window_stops_runs_and_a_report_lets_them_go_on(sink: FakeSink) -> None:
    session = open_session(sink=sink, window=100)
    ScriptedSource("a", [(NORMAL, bytes(60))] * 5).subscribe(session)
    sink.take_all()
    assert len(sink.frames) == 2
    session.send_control(b"control")
    sink.take_all()
    assert sink.frames[2:] == [b"control"]
    session.on_handled(20)
    sink.take_all()
    assert len(sink.frames) == 3
    session.on_handled(60)
    sink.take_all()
    assert len(sink.frames) == 4


def test_a_full_window_lets_one_critical_run_pass_until_it_has_opened(sink: FakeSink) -> None:
    """G8: a client that reports byte by byte gets no more urgent frames than any other."""
    session = open_session(sink=sink, window=100)
    ScriptedSource("bulk", [(NORMAL, bytes(100))] * 3).subscribe(session)
    sink.take_all()
    urgent = ScriptedSource("urgent", [(CRITICAL, b"c1"), (CRITICAL, b"c2")])
    urgent.subscribe(session)
    sink.take_all()
    assert sink.frames[1:] == [b"c1"]
    for handled in (1, 2):
        session.on_handled(handled)
        sink.take_all()
    assert sink.frames[2:] == []
    session.on_handled(3)
    sink.take_all()
    assert sink.frames[2:3] == [b"c2"]


def test_a_critical_topic_that_is_offered_again_does_not_pass_twice(sink: FakeSink) -> None:
    session = open_session(sink=sink, window=100)
    ScriptedSource("bulk", [(NORMAL, bytes(100))] * 3).subscribe(session)
    sink.take_all()
    urgent = ScriptedSource("urgent", [(CRITICAL, b"c1")])
    subscription = urgent.subscribe(session)
    sink.take_all()
    urgent.waiting.append((CRITICAL, b"c2"))
    session.offer(subscription)
    sink.take_all()
    assert sink.frames[1:] == [b"c1"]


def test_a_sink_that_is_never_writable_costs_no_growing_memory(sink: FakeSink) -> None:
    session = open_session(sink=sink, window=100)
    session.send_control(b"in flight")
    source = ScriptedSource("a", [(NORMAL, b"run")])
    subscription = source.subscribe(session)
    for _ in range(10_000):
        session.offer(subscription)
    assert len(session._turns) == 1
    assert session.control_backlog == 0
    assert sink.frames == [b"in flight"]


def test_a_right_that_has_ended_stops_runs_at_once(sink: FakeSink) -> None:
    clock = ManualClock()
    session = open_session(clock, sink)
    source = ScriptedSource("a", [(NORMAL, b"1"), (NORMAL, b"2"), (NORMAL, b"3")])
    session.rights_until = clock.now + 10
    subscription = source.subscribe(session)
    assert sink.frames == [b"1"]
    clock.advance(10)
    sink.take_all()
    session.offer(subscription)
    assert sink.frames == [b"1"]


def test_a_topics_own_right_ends_alone(sink: FakeSink) -> None:
    clock = ManualClock()
    session = open_session(clock, sink)
    short, lasting = ScriptedSource("a", []), ScriptedSource("b", [])
    ended = short.subscribe(session)
    ended.rights_until = clock.now
    kept = lasting.subscribe(session)
    for source, subscription in ((short, ended), (lasting, kept)):
        source.waiting.append((NORMAL, source.name.encode()))
        session.offer(subscription)
        sink.take_all()
    assert sink.frames == [b"b"]


def test_after_a_refresh_goes_out_what_waited_meanwhile(sink: FakeSink) -> None:
    clock = ManualClock()
    session = open_session(clock, sink)
    session.rights_until = clock.now
    source = ScriptedSource("a", [(NORMAL, b"1"), (NORMAL, b"2")])
    source.subscribe(session)
    assert sink.frames == []
    session.renew(clock.now + 60)
    sink.take_all()
    assert sink.frames == [b"1", b"2"]


def test_close_sends_what_was_queued_then_ends_once(sink: FakeSink) -> None:
    ended: list[Session] = []
    session = Session("s1", Caller(), sink, ManualClock(), ended.append)
    session.send_control(b"1")
    session.send_control(b"2")
    session.close(ERROR, [b"last"])
    session.close(None)
    session.send_control(b"too late")
    assert sink.closed == []
    sink.take_all()
    assert sink.frames == [b"1", b"2", b"last"]
    assert sink.closed == [ERROR]
    session.detach()
    assert ended == [session]


def test_nothing_of_a_topic_follows_its_end(sink: FakeSink) -> None:
    session = open_session(sink=sink)
    session.send_control(b"in flight")
    source = ScriptedSource("a", [(NORMAL, b"run")])
    subscription = source.subscribe(session)
    assert session.remove_subscription("a") is subscription
    # A flush under way may still hold the subscription.
    session.offer(subscription)
    sink.take_all()
    session.offer(subscription)
    sink.take_all()
    assert sink.frames == [b"in flight"]
    assert session.remove_subscription("a") is None


def test_a_closed_session_that_cannot_send_is_given_up(sink: FakeSink) -> None:
    session = open_session(sink=sink)
    session.send_control(b"in flight")
    session.close(ERROR, [b"last"])
    assert sink.closed == []
    session.abort(None)
    assert sink.closed == [ERROR]
    assert session.control_backlog == 0


def test_a_peer_that_is_gone_ends_everything_once(sink: FakeSink) -> None:
    ended: list[Session] = []
    session = Session("s1", Caller(), sink, ManualClock(), ended.append)
    session.send_control(b"1")
    session.send_control(b"2")
    session.detach()
    session.detach()
    sink.take()
    assert ended == [session]
    assert session.state is State.CLOSED
    assert sink.frames == [b"1"]


def test_go_away_is_told_once_and_answers_go_on(sink: FakeSink) -> None:
    session = open_session(sink=sink)
    for _ in range(2):
        session.go_away(
            error_reason_pb2.ERROR_REASON_DRAINING, frame_pb2.GO_AWAY_ACTION_RESUME, 1.5
        )
    assert session.state is State.DRAINING
    sink.take_all()
    session.send_control(frame_pb2.ServerFrame(pong=frame_pb2.Pong(nonce=1)).SerializeToString())
    assert sink.controls == ["go_away", "pong"]
    assert sink.messages[0].go_away.within.ToMilliseconds() == 1500


def test_a_flush_is_told_when_the_sink_has_the_frame_or_the_session_ends(sink: FakeSink) -> None:
    taken: list[int] = []

    class InFlight:
        def taken(self) -> None:
            taken.append(1)

    session = open_session(sink=sink)
    assert not session.join_in_flight(InFlight())
    session.send_control(b"in flight")
    assert session.join_in_flight(InFlight())
    assert not session.join_in_flight(InFlight())
    sink.take()
    assert len(taken) == 1
    session.send_control(b"in flight")
    assert session.join_in_flight(InFlight())
    session.close(None)
    assert len(taken) == 2


def test_lagging_means_that_anything_waits(sink: FakeSink) -> None:
    session = open_session(sink=sink)
    assert not session.lagging()
    source = ScriptedSource("a", [])
    subscription = Subscription(session, source, epoch=1, offset=0, slot=0, rights_until=math.inf)
    session.add_subscription(subscription)
    assert not session.lagging()
    source.waiting.append((NORMAL, b"run"))
    assert session.lagging()
    session.offer(subscription)
    assert not session.lagging()
    session.send_control(b"1")
    assert session.lagging()
