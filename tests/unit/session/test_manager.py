"""Heartbeats, silence, expiry and draining, by a clock that the test moves."""

from __future__ import annotations

import asyncio

import pytest

from hub.errors import HubError, ResourceExhausted, Unavailable
from hub.session.manager import (
    EXPIRY_NOTICE_SECONDS,
    SILENT_HEARTBEATS,
    STALLED_SECONDS,
)
from hub.session.sink import Caller
from hub.session.states import State
from shipspeak.realtime.v1 import frame_pb2
from tests.support.fake_sink import FakeSink
from tests.support.managed_sessions import BEAT, SessionsBench
from tests.support.sessions import ScriptedSource


def _reason(sink: FakeSink) -> str:
    error = sink.closed[0]
    assert isinstance(error, HubError)
    return error.reason_name


def test_a_heartbeat_each_interval_says_how_far_all_is_complete() -> None:
    """D3: the hub's sign of life."""
    bench = SessionsBench()
    session, sink = bench.open()
    for _ in range(3):
        bench.clock.advance(BEAT / 2)
        bench.sessions.tick()
        session.heard()
        sink.take_all()
    assert sink.controls == ["heartbeat"]
    assert sink.messages[0].heartbeat.complete_as_of.ToMilliseconds() == 123_456
    assert sink.messages[0].heartbeat.server_time.ToMilliseconds() == int(
        (bench.clock.now - BEAT / 2) * 1000
    )


def test_a_lagging_session_is_not_told_that_it_is_complete() -> None:
    bench = SessionsBench()
    session, sink = bench.open(window=1)
    session.window.on_sent(1)
    ScriptedSource("a", [(3, b"waits")]).subscribe(session)
    bench.clock.advance(BEAT)
    bench.sessions.tick()
    assert sink.controls == ["heartbeat"]
    assert not sink.messages[0].heartbeat.HasField("complete_as_of")


def test_a_silent_peer_is_closed_after_two_and_a_half_heartbeats() -> None:
    """D3: silence is death."""
    bench = SessionsBench()
    session, sink = bench.open()
    _, quiet_by_agreement = bench.open(window=0)
    bench.clock.advance(SILENT_HEARTBEATS * BEAT)
    bench.sessions.tick()
    sink.take_all()
    assert sink.closed == []
    bench.clock.advance(0.1)
    bench.sessions.tick()
    sink.take_all()
    assert _reason(sink) == "HEARTBEAT_MISSED"
    assert bench.released == [session]
    assert quiet_by_agreement.closed == []


def test_a_report_is_a_sign_of_life() -> None:
    bench = SessionsBench()
    session, sink = bench.open()
    for _ in range(10):
        bench.clock.advance(SILENT_HEARTBEATS * BEAT)
        session.on_handled(0)
        bench.sessions.tick()
        sink.take_all()
    assert sink.closed == []


def test_a_stream_that_never_says_hello_is_closed() -> None:
    bench = SessionsBench()
    sink = FakeSink()
    bench.sessions.create(Caller(), sink)
    bench.clock.advance(SILENT_HEARTBEATS * BEAT + 1)
    bench.sessions.tick()
    assert _reason(sink) == "HEARTBEAT_MISSED"
    assert len(bench.sessions) == 0


def test_expiry_is_announced_once_then_ends_the_session() -> None:
    bench = SessionsBench()
    session, sink = bench.open(window=0)
    session.rights_until = bench.clock.now + 3 * EXPIRY_NOTICE_SECONDS
    session.next_heartbeat = float("inf")
    bench.sessions.tick()
    assert sink.controls == []
    bench.clock.advance(2 * EXPIRY_NOTICE_SECONDS)
    bench.sessions.tick()
    sink.take_all()
    bench.sessions.tick()
    assert sink.controls == ["session_expiring"]
    at = sink.messages[0].session_expiring.at.ToMilliseconds()
    assert at == int(session.rights_until * 1000)
    bench.clock.advance(EXPIRY_NOTICE_SECONDS)
    bench.sessions.tick()
    sink.take_all()
    assert sink.controls == ["session_expiring", "go_away"]
    assert sink.messages[1].go_away.action == frame_pb2.GO_AWAY_ACTION_REAUTHENTICATE
    assert _reason(sink) == "SESSION_EXPIRED"


@pytest.mark.parametrize("lifetime", [9.0, 30.0, 60.0, 90.0])
def test_a_short_token_is_announced_in_its_last_third_and_not_at_each_tick(
    lifetime: float,
) -> None:
    """A client refreshes when it is told: told at once, it would refresh for ever."""
    bench = SessionsBench()
    session, sink = bench.open(window=0)
    session.next_heartbeat = float("inf")
    session.rights_until = bench.clock.now + lifetime
    renewals = 0
    for _ in range(60):
        bench.clock.advance(1)
        bench.sessions.tick()
        sink.take_all()
        if sink.controls.count("session_expiring") > renewals:
            renewals += 1
            session.renew(bench.clock.now + lifetime)
            told = sink.messages[-1].session_expiring.at.ToMilliseconds() / 1000
            assert told - bench.clock.now <= min(EXPIRY_NOTICE_SECONDS, lifetime / 3) + 0.001
    assert renewals == int(60 / -(-lifetime * 2 // 3))
    assert sink.closed == []


def test_the_end_of_the_shortest_token_is_announced_too() -> None:
    bench = SessionsBench()
    session, sink = bench.open(window=0)
    session.rights_until = bench.clock.now + 1.5
    bench.clock.advance(1)
    bench.sessions.tick()
    sink.take_all()
    assert sink.controls == ["session_expiring"]


def test_a_renewal_that_moves_no_end_is_not_told_again() -> None:
    bench = SessionsBench()
    session, sink = bench.open(window=0)
    session.next_heartbeat = float("inf")
    end = bench.clock.now + 90
    session.rights_until = end
    bench.clock.advance(65)
    for _ in range(20):
        bench.sessions.tick()
        sink.take_all()
        session.renew(end)
        bench.clock.advance(1)
    assert sink.controls == ["session_expiring"]


def test_one_session_that_fails_does_not_stop_the_heartbeats_of_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = SessionsBench()
    broken, broken_sink = bench.open()
    _, sink = bench.open()

    def fail(_frame: bytes) -> None:
        raise RuntimeError("transport")

    monkeypatch.setattr(broken_sink, "send", fail)
    bench.clock.advance(BEAT)
    bench.sessions.tick()
    assert sink.controls == ["heartbeat"]
    assert broken.state is State.CLOSED
    assert bench.released == [broken]


def test_a_closed_session_whose_transport_is_stuck_is_given_up() -> None:
    bench = SessionsBench()
    session, sink = bench.open()
    session.send_control(b"stuck")
    bench.clock.advance(SILENT_HEARTBEATS * BEAT + 1)
    bench.sessions.tick()
    assert session.state is State.CLOSED
    bench.clock.advance(STALLED_SECONDS - 1)
    bench.sessions.tick()
    assert sink.closed == []
    bench.clock.advance(1)
    bench.sessions.tick()
    assert _reason(sink) == "HEARTBEAT_MISSED"


def test_a_full_instance_refuses() -> None:
    bench = SessionsBench(max_sessions=1)
    session, _ = bench.open()
    with pytest.raises(ResourceExhausted) as caught:
        bench.open()
    assert caught.value.retry_after is not None
    session.detach()
    bench.open()


async def test_draining_tells_all_waits_until_they_have_gone_and_refuses_new_ones() -> None:
    bench = SessionsBench()
    session, sink = bench.open()
    draining = asyncio.ensure_future(bench.sessions.drain(spread=30, grace=60))
    await asyncio.sleep(0)
    assert sink.messages[0].go_away.action == frame_pb2.GO_AWAY_ACTION_RESUME
    assert sink.messages[0].go_away.within.seconds == 30
    with pytest.raises(Unavailable) as caught:
        bench.open()
    assert caught.value.reason_name == "DRAINING"
    assert not draining.done()
    session.detach()
    await asyncio.wait_for(draining, 5)


async def test_draining_ends_the_streams_that_stay() -> None:
    bench = SessionsBench()
    _, stays = bench.open()
    before_hello = FakeSink()
    bench.sessions.create(Caller(), before_hello)
    await bench.sessions.drain(spread=0.01, grace=0.01)
    assert _reason(before_hello) == "DRAINING"
    stays.take_all()
    assert stays.controls == ["go_away"]
    assert _reason(stays) == "DRAINING"
    assert len(bench.sessions) == 0


@pytest.mark.parametrize(("spread", "grace"), [(0.3, 0.0), (0.0, 0.3), (0.2, 0.1)])
async def test_draining_leaves_the_whole_spread_and_then_the_grace(
    spread: float, grace: float
) -> None:
    """Who returns at the end of the spread must still be able to go by itself."""
    bench = SessionsBench()
    _, sink = bench.open()
    loop = asyncio.get_running_loop()
    started = loop.time()
    await bench.sessions.drain(spread=spread, grace=grace)
    assert loop.time() - started >= 0.29
    sink.take_all()
    assert _reason(sink) == "DRAINING"
