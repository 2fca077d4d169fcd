"""Where a reader begins, and what it takes to begin."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hub.auth.grants import Grants, Principal
from hub.errors import HubError, Unavailable
from hub.fanout.registry import LINGER_SECONDS
from hub.model.cursor import Cursor, decode_cursor, encode_cursor
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2, frame_pb2
from tests.support.fake_sink import FakeSink
from tests.support.memory_engine import append
from tests.support.pipelines import ALICE, PipelineBench, draft
from tests.support.sessions import open_session
from tests.support.until import until

if TYPE_CHECKING:
    from hub.engine.contract import Resume
    from hub.pipeline.starts import Begin
    from hub.session.session import Session

TOPIC = "meeting/1"
NOBODY = Principal("alice", Grants())


@pytest.fixture
async def bench() -> PipelineBench:
    made = PipelineBench()
    await made.publish(*(draft(f"e{number}") for number in range(1, 6)))
    return made


def _position(
    bench: PipelineBench, cursor: Cursor, handled: int = 0, event_id: str = ""
) -> frame_pb2.Subscribe:
    token = encode_cursor(TOPIC, cursor)
    position = event_pb2.Position(cursor=token, handled_offset=handled, handled_id=event_id)
    return frame_pb2.Subscribe(topic=TOPIC, position=position)


def _epoch(bench: PipelineBench) -> int:
    return bench.engine.log(TOPIC).epoch


def _session(bench: PipelineBench) -> tuple[Session, FakeSink]:
    sink = FakeSink(automatic=True)
    return open_session(bench.clock, sink), sink


async def test_latest_begins_at_the_head_and_earliest_at_the_floor(bench: PipelineBench) -> None:
    latest = await bench.subscriber.begin(ALICE, frame_pb2.Subscribe(topic=TOPIC))
    assert latest.position == 5
    bench.engine.trim(TOPIC, 2)
    earliest = await bench.subscriber.begin(
        ALICE, frame_pb2.Subscribe(topic=TOPIC, at=frame_pb2.START_EARLIEST)
    )
    assert (earliest.position, earliest.state.head) == (2, 5)
    for begin in (latest, earliest):
        cursor = decode_cursor(TOPIC, begin.cursor)
        assert (cursor.epoch, cursor.offset) == (_epoch(bench), begin.position)
        assert begin.verdict == frame_pb2.VERDICT_OK


async def test_every_start_gives_a_cursor_that_proves_its_place(bench: PipelineBench) -> None:
    bench.engine.trim(TOPIC, 2)
    starts = [
        (frame_pb2.Subscribe(topic=TOPIC), "e5"),
        (frame_pb2.Subscribe(topic=TOPIC, at=frame_pb2.START_EARLIEST), "e2"),
        (_position(bench, Cursor(_epoch(bench), 1)), "e2"),  # GAP
        (_position(bench, Cursor(77, 1)), "e2"),  # RESET
        (_position(bench, Cursor(_epoch(bench), 3), handled=4, event_id="e4"), "e4"),
    ]
    for request, event_id in starts:
        begin = await bench.subscriber.begin(ALICE, request)
        assert decode_cursor(TOPIC, begin.cursor).event_id == event_id
    await bench.publish(draft("e6"))
    latest = await bench.subscriber.begin(ALICE, frame_pb2.Subscribe(topic=TOPIC))
    assert decode_cursor(TOPIC, latest.cursor).event_id == "e6"


async def test_the_head_of_a_log_without_kept_events_is_proved_too(bench: PipelineBench) -> None:
    bench.engine.trim(TOPIC, 5)
    latest = await bench.subscriber.begin(ALICE, frame_pb2.Subscribe(topic=TOPIC))
    cursor = decode_cursor(TOPIC, latest.cursor)
    assert (cursor.offset, cursor.event_id) == (5, "e5")


async def test_a_cursor_that_the_ring_proves_does_not_touch_the_engine(
    bench: PipelineBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.registry.open(TOPIC)

    async def fail(_topic: str, _cursor: Cursor) -> None:
        raise AssertionError("asked the engine")

    monkeypatch.setattr(bench.engine, "resume", fail)
    begin = await bench.subscriber.begin(ALICE, _position(bench, Cursor(_epoch(bench), 3, "e3")))
    assert (begin.verdict, begin.position) == (frame_pb2.VERDICT_OK, 3)
    with pytest.raises(AssertionError, match="asked the engine"):
        await bench.subscriber.begin(ALICE, _position(bench, Cursor(_epoch(bench), 3, "other")))


@pytest.mark.parametrize(
    ("handled", "event_id", "position"),
    [
        (0, "", 2),
        (1, "e1", 2),
        (2, "e2", 2),
        (4, "e4", 4),
        (5, "e5", 5),
        (99, "e99", 2),
        (4, "", 2),
        (4, "from before the backup", 2),
    ],
)
@pytest.mark.parametrize("in_ring", [True, False])
async def test_what_was_handled_inside_a_run_counts_where_the_log_proves_it(
    bench: PipelineBench, handled: int, event_id: str, position: int, in_ring: bool
) -> None:
    """G2, G6: after a restore other events stand there, which nobody has read."""
    live = await bench.registry.open(TOPIC)
    if not in_ring:
        live.ring.release()
    begin = await bench.subscriber.begin(
        ALICE, _position(bench, Cursor(_epoch(bench), 2, "e2"), handled, event_id)
    )
    assert begin.position == position
    assert decode_cursor(TOPIC, begin.cursor).offset == position


async def test_verdicts_of_the_engine_are_passed_on(bench: PipelineBench) -> None:
    bench.engine.trim(TOPIC, 3)
    gap = await bench.subscriber.begin(ALICE, _position(bench, Cursor(_epoch(bench), 1), 5))
    assert (gap.verdict, gap.position, gap.lost) == (frame_pb2.VERDICT_GAP, 3, 2)
    reset = await bench.subscriber.begin(ALICE, _position(bench, Cursor(77, 1), 5))
    assert (reset.verdict, reset.position) == (frame_pb2.VERDICT_RESET, 3)
    for begin in (gap, reset):
        assert decode_cursor(TOPIC, begin.cursor).epoch == _epoch(bench)
        assert decode_cursor(TOPIC, begin.cursor).offset == 3


async def test_the_verdict_comes_before_the_first_run(bench: PipelineBench) -> None:
    session, sink = _session(bench)
    request = frame_pb2.Subscribe(topic=TOPIC, at=frame_pb2.START_EARLIEST)
    await bench.subscriber.subscribe(session, lambda: ALICE, request, request_id=9)
    await asyncio.sleep(0)
    assert sink.controls == ["subscribed", ""]
    assert sink.messages[0].subscribed.request_id == 9
    assert [event.id for run in sink.runs for event in run.events] == [f"e{n}" for n in range(1, 6)]


async def test_rights_that_end_while_the_topic_opens_do_not_count(bench: PipelineBench) -> None:
    session, sink = _session(bench)
    principals = [ALICE, NOBODY]
    with pytest.raises(HubError) as caught:
        await bench.subscriber.subscribe(
            session, lambda: principals.pop(0), frame_pb2.Subscribe(topic=TOPIC)
        )
    assert caught.value.reason_name == "RIGHT_MISSING"
    assert not session.subscriptions
    assert sink.frames == []


async def test_a_session_that_ends_while_the_topic_opens_is_not_subscribed(
    bench: PipelineBench,
) -> None:
    session, _ = _session(bench)
    bench.engine.opening.clear()
    beginning = asyncio.ensure_future(
        bench.subscriber.subscribe(session, lambda: ALICE, frame_pb2.Subscribe(topic=TOPIC))
    )
    await asyncio.sleep(0)
    session.detach()
    bench.engine.opening.set()
    await beginning
    live = bench.registry.live(TOPIC)
    assert live is not None
    assert not live.subscribers


async def test_the_number_of_subscriptions_is_bounded(bench: PipelineBench) -> None:
    session, _ = _session(bench)
    outcomes = await asyncio.gather(
        *(
            bench.subscriber.subscribe(
                session, lambda: ALICE, frame_pb2.Subscribe(topic=f"meeting/{number}")
            )
            for number in range(5)
        ),
        return_exceptions=True,
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, HubError)]
    assert [error.reason_name for error in refused] == ["SUBSCRIPTION_LIMIT"] * 2
    assert len(session.subscriptions) == 3


async def test_new_rights_end_what_they_do_not_cover(bench: PipelineBench) -> None:
    session, sink = _session(bench)
    for topic in (TOPIC, "user/alice"):
        await bench.subscriber.subscribe(session, lambda: ALICE, frame_pb2.Subscribe(topic=topic))
    less = Principal("alice", Grants(subscribe=("user/{sub}",)), expires_at=bench.clock.now + 9)
    bench.subscriber.renew(session, less)
    await asyncio.sleep(0)
    assert list(session.subscriptions) == ["user/alice"]
    assert session.rights_until == bench.clock.now + 9
    ended = sink.messages[-1].unsubscribed
    assert (ended.topic, ended.error.reason) == (TOPIC, reasons.ERROR_REASON_RIGHT_MISSING)


async def test_a_failed_subscription_takes_its_presence_along(bench: PipelineBench) -> None:
    """Nobody is told who is in a topic that it reads no more (G10), nor seen in it."""
    await bench.engine.publish([append(TOPIC, f"x{number}") for number in range(600)])
    session, sink = _session(bench)
    bench.presence.set(session, ALICE, "tab", frame_pb2.SetPresence(topic=TOPIC))
    live = await bench.registry.open(TOPIC)
    bench.engine.fail_reads = Unavailable(
        reasons.ERROR_REASON_SHARD_UNAVAILABLE, "not now", retry_after=1.0
    )
    request = frame_pb2.Subscribe(topic=TOPIC, presence=True)
    request.position.CopyFrom(_position(bench, Cursor(_epoch(bench), 1, "e1")).position)
    await bench.subscriber.subscribe(session, lambda: ALICE, request)
    assert bench.presence._room.watched(session.session_id) == (TOPIC,)
    await until(lambda: "unsubscribed" in sink.controls)
    assert not live.subscribers
    assert bench.presence._room.watched(session.session_id) == ()
    assert len(bench.presence._room) == 0
    assert not session.must_live


async def test_new_rights_end_a_watch_of_which_no_subscription_is_left(
    bench: PipelineBench,
) -> None:
    session, sink = _session(bench)
    bench.presence.watch(session, TOPIC)
    bench.presence.watch(session, "meeting/2")
    rest = Grants(subscribe=("meeting/2",), presence=("meeting/*",))
    bench.subscriber.renew(session, Principal("alice", rest, expires_at=bench.clock.now + 9))
    assert bench.presence._room.watched(session.session_id) == ("meeting/2",)
    await until(lambda: "error" in sink.controls)
    (refused,) = (one.error for one in sink.messages if one.HasField("error"))
    assert (refused.topic, refused.reason) == (TOPIC, reasons.ERROR_REASON_RIGHT_MISSING)


async def test_a_topic_is_not_let_go_of_while_a_position_is_judged(
    bench: PipelineBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, sink = _session(bench)
    judge = bench.engine.resume

    async def slowly(topic: str, cursor: Cursor) -> Resume:
        bench.clock.advance(2 * LINGER_SECONDS)
        bench.registry.sweep()
        return await judge(topic, cursor)

    monkeypatch.setattr(bench.engine, "resume", slowly)
    request = _position(bench, Cursor(_epoch(bench), 3, "unknown to the ring"))
    await bench.subscriber.subscribe(session, lambda: ALICE, request)
    await bench.publish(draft("e6"))
    await until(lambda: sink.runs and sink.runs[-1].through_offset == 6)
    assert sink.controls[0] == "subscribed"
    session.detach()
    bench.registry.release(session)
    bench.clock.advance(2 * LINGER_SECONDS)
    bench.registry.sweep()
    assert bench.registry.live(TOPIC) is None


async def test_who_cannot_be_served_is_not_told_that_it_is_subscribed(
    bench: PipelineBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, sink = _session(bench)

    async def gone(principal: Principal, request: frame_pb2.Subscribe) -> Begin:
        begin = await type(bench.subscriber).begin(bench.subscriber, principal, request)
        bench.clock.advance(2 * LINGER_SECONDS)
        bench.registry.sweep()
        return begin

    monkeypatch.setattr(bench.subscriber, "begin", gone)
    with pytest.raises(HubError) as caught:
        await bench.subscriber.subscribe(session, lambda: ALICE, frame_pb2.Subscribe(topic=TOPIC))
    assert caught.value.reason_name == "SHARD_UNAVAILABLE"
    assert sink.frames == []
    assert not [one for metric in bench.metrics.subscribes.collect() for one in metric.samples]
