"""Where frames go: answers to questions, holes, refusals, late words."""

from __future__ import annotations

import pytest

from shipspeak.realtime.v1 import error_reason_pb2, event_pb2, frame_pb2
from shipspeak_realtime import (
    Cursor,
    InvalidRequestError,
    NetworkError,
    VerdictKind,
)
from tests.unit.sdk.dispatch_bench import TOPIC, Bench, Wire, taken
from tests.unit.sdk.manual_clock import settle

CURSOR_INVALID = error_reason_pb2.ERROR_REASON_CURSOR_INVALID


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_hole_is_asked_for_once_and_filled(bench: Bench):
    subscription = bench.subscribe()
    bench.answer()
    bench.run(0, 1, 2)
    bench.run(5, 6)
    bench.run(6, 7)
    assert bench.wire.kinds() == ["subscribe", "unsubscribe", "subscribe"]
    assert bench.wire.sent[-1].subscribe.position == event_pb2.Position(
        cursor=b"c2", handled_offset=2
    )
    bench.answer(2)
    bench.run(2, 3, 4, 5, 6, 7)
    assert await taken(subscription, 7) == [1, 2, 3, 4, 5, 6, 7]
    assert bench.stats.holes == 1


async def test_an_answer_to_a_replaced_question_is_ignored(bench: Bench):
    subscription = bench.subscribe()
    first = bench.wire.sent[-1].request_id
    bench.dispatcher._resubscribe(subscription)
    bench.answer(9, request_id=first)
    assert subscription.cursor is None
    bench.answer(3)
    assert subscription.cursor == Cursor(TOPIC, b"c3", 3)


async def test_a_new_session_resumes_from_the_position(bench: Bench):
    subscription = bench.subscribe()
    bench.answer()
    bench.run(0, 1, 2)
    bench.dispatcher.disconnected()
    bench.run(2, 3)
    wire = Wire()
    bench.dispatcher.welcome(frame_pb2.Welcome(), wire)
    assert wire.sent[0].subscribe.position.handled_offset == 3
    assert await taken(subscription, 3) == [1, 2, 3]


async def test_a_refusal_ends_one_subscription_after_its_events(bench: Bench):
    subscription, other = bench.subscribe(), bench.subscribe("meeting/2")
    bench.answer(request_id=bench.wire.sent[0].request_id)
    bench.run(0, 1)
    bench.refuse()
    assert await taken(subscription, 1) == [1]
    with pytest.raises(InvalidRequestError, match="START_UNAVAILABLE"):
        await subscription.next_event()
    assert not other.failed


async def test_a_refusal_names_its_request_when_it_names_no_topic(bench: Bench):
    subscription = bench.subscribe()
    bench.refuse(topic="", request_id=bench.wire.sent[-1].request_id)
    assert subscription.failed


async def test_a_refusal_of_a_replaced_request_harms_nobody(bench: Bench):
    subscription = bench.subscribe()
    first = bench.wire.sent[-1].request_id
    bench.dispatcher._resubscribe(subscription)
    bench.refuse(request_id=first)
    assert not subscription.failed


async def test_a_refusal_with_a_time_is_asked_again(bench: Bench):
    subscription = bench.subscribe()
    for round_ in range(1, 4):
        bench.refuse(retry=2)
        await bench.clock.advance(1.9)
        assert bench.wire.kinds() == ["subscribe"] * round_
        await bench.clock.advance(0.2)
        assert bench.wire.kinds() == ["subscribe"] * (round_ + 1)
    assert not subscription.failed
    assert not bench.dispatcher._asking.later, "what has fired is kept"


async def test_an_error_that_answers_nothing_ends_the_subscription(bench: Bench):
    subscription = bench.subscribe()
    answered = bench.wire.sent[-1].request_id
    bench.answer()
    bench.run(0, 1)
    bench.refuse(request_id=answered)
    assert await taken(subscription, 1) == [1]
    with pytest.raises(InvalidRequestError, match="START_UNAVAILABLE"):
        await subscription.next_event()


async def test_an_error_that_answers_nothing_and_names_a_time_resumes_from_the_cursor(
    bench: Bench,
):
    subscription = bench.subscribe()
    answered = bench.wire.sent[-1].request_id
    bench.answer()
    bench.run(0, 1, 2)
    for _ in range(2):
        bench.refuse(request_id=answered, retry=2)
    assert not bench.dispatcher.caught_up, "nothing comes until it is asked for again"
    await bench.clock.advance(2.1)
    assert bench.wire.kinds() == ["subscribe", "unsubscribe", "subscribe"]
    resumed = bench.wire.sent[-1].subscribe.position
    assert resumed == event_pb2.Position(cursor=b"c2", handled_offset=2)
    bench.refuse(request_id=bench.wire.sent[-2].request_id)
    assert not subscription.failed, "the hub need not have known it any more"
    bench.answer(2)
    bench.run(2, 3)
    assert await taken(subscription, 3) == [1, 2, 3]
    assert bench.dispatcher.caught_up


async def test_what_is_asked_again_is_spread(bench: Bench):
    bench.random = 1.0
    bench.subscribe()
    bench.refuse(retry=2)
    await bench.clock.advance(3.3)
    assert bench.wire.kinds() == ["subscribe"]
    await bench.clock.advance(0.2)
    assert bench.wire.kinds() == ["subscribe", "subscribe"]


async def test_what_is_closed_is_not_asked_again(bench: Bench):
    subscription = bench.subscribe()
    bench.refuse(retry=2)
    subscription.close()
    await bench.clock.advance(3)
    assert bench.wire.kinds() == ["subscribe", "unsubscribe"]


async def test_what_was_to_be_asked_again_dies_with_its_session(bench: Bench):
    bench.subscribe()
    bench.refuse(retry=2)
    await settle()
    bench.dispatcher.disconnected()
    wire = Wire()
    bench.dispatcher.welcome(frame_pb2.Welcome(), wire)
    await bench.clock.advance(3)
    assert wire.kinds() == ["subscribe"]


async def test_a_topic_is_read_once_at_a_time(bench: Bench):
    subscription = bench.subscribe()
    with pytest.raises(InvalidRequestError, match="ALREADY_SUBSCRIBED"):
        bench.subscribe()
    subscription.close()
    bench.subscribe()
    assert bench.wire.kinds() == ["subscribe", "unsubscribe", "subscribe"]
    with pytest.raises(StopAsyncIteration):
        await subscription.next_event()


async def test_a_cursor_that_the_hub_cannot_read_any_more_is_a_reset(bench: Bench):
    subscription = bench.subscribe()
    bench.answer()
    bench.run(0, 1, 2)
    bench.dispatcher.disconnected()
    bench.wire.sent.clear()
    bench.dispatcher.welcome(frame_pb2.Welcome(), bench.wire)
    bench.refuse(request_id=bench.wire.sent[-1].request_id, reason=CURSOR_INVALID)
    assert bench.wire.kinds() == ["subscribe", "subscribe"]
    assert bench.wire.sent[-1].subscribe.at == frame_pb2.START_EARLIEST
    bench.answer(head=1)
    bench.run(0, 1)
    assert await taken(subscription, 3) == [1, 2, 1]
    assert [(told.kind, told.resumed) for told in subscription.verdicts] == [
        (VerdictKind.OK, False),
        (VerdictKind.RESET, True),
    ]
    assert bench.stats.resets == 1
    assert subscription.cursor == Cursor(TOPIC, b"c1", 1)


async def test_a_cursor_that_was_never_read_ends_the_subscription(bench: Bench):
    subscription = bench.subscribe()
    bench.refuse(request_id=bench.wire.sent[-1].request_id, reason=CURSOR_INVALID)
    with pytest.raises(InvalidRequestError, match="CURSOR_INVALID"):
        await subscription.next_event()


async def test_pings_are_answered_or_told_that_they_are_lost(bench: Bench):
    answer = bench.dispatcher.ping()
    nonce = bench.wire.sent[-1].ping.nonce
    bench.dispatcher.control(frame_pb2.ServerFrame(pong=frame_pb2.Pong(nonce=nonce)))
    assert await answer >= 0
    lost = bench.dispatcher.ping()
    bench.dispatcher.disconnected()
    with pytest.raises(NetworkError):
        await lost
    with pytest.raises(NetworkError, match="not connected"):
        bench.dispatcher.ping()


async def test_what_is_unknown_is_skipped(bench: Bench):
    bench.dispatcher.control(frame_pb2.ServerFrame())
    bench.dispatcher.control(frame_pb2.ServerFrame(heartbeat=frame_pb2.Heartbeat()))
    assert (
        bench.dispatcher.runs(
            frame_pb2.ServerFrame(runs=[event_pb2.TopicRun(topic="meeting/9", epoch=1)])
        )
        == []
    )
