"""Where frames go: answers to questions, holes, refusals, late words."""

from __future__ import annotations

import asyncio

import pytest

from shipspeak.realtime.v1 import error_reason_pb2, event_pb2, frame_pb2
from shipspeak_realtime import (
    ClosedError,
    Cursor,
    InvalidRequestError,
    NetworkError,
    Stats,
    Subscription,
    VerdictKind,
)
from shipspeak_realtime.dispatch import Dispatcher
from tests.unit.sdk.manual_clock import ManualClock

TOPIC = "meeting/1"


class Wire:
    """Stands where the session stands: keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[frame_pb2.ClientFrame] = []

    def send(self, frame: frame_pb2.ClientFrame) -> None:
        self.sent.append(frame)

    def kinds(self) -> list[str | None]:
        return [frame.WhichOneof("frame") for frame in self.sent]


class Bench:
    """A dispatcher with a session, and a subscription that it knows."""

    def __init__(self) -> None:
        self.stats, self.wire = Stats(), Wire()
        self.dispatcher = Dispatcher(
            self.stats,
            ManualClock(),
            on_progress=lambda: None,
            on_welcome=lambda _welcome: None,
            on_expiring=lambda: None,
        )
        self.dispatcher.welcome(frame_pb2.Welcome(), self.wire)

    def subscribe(self, topic: str = TOPIC, queue_events: int = 1000) -> Subscription:
        subscription = Subscription(
            topic,
            start="earliest",
            stats=self.stats,
            on_open=self.dispatcher.add,
            on_close=self.dispatcher.remove,
            queue_events=queue_events,
        )
        subscription._open()
        return subscription

    def answer(
        self,
        offset: int = 0,
        verdict: frame_pb2.Verdict.ValueType = frame_pb2.VERDICT_OK,
        request_id: int | None = None,
        head: int = 0,
    ) -> None:
        position = event_pb2.Position(cursor=b"c%d" % offset, handled_offset=offset)
        self.dispatcher.control(
            frame_pb2.ServerFrame(
                subscribed=frame_pb2.Subscribed(
                    request_id=self.wire.sent[-1].request_id if request_id is None else request_id,
                    topic=TOPIC,
                    verdict=verdict,
                    epoch=7,
                    position=position,
                    head=head,
                )
            )
        )

    def run(self, after: int, *offsets: int, cursor: bytes = b"") -> list[Subscription]:
        events = [event_pb2.Event(id=f"e{offset}", offset=offset) for offset in offsets]
        run = event_pb2.TopicRun(
            topic=TOPIC,
            epoch=7,
            after_offset=after,
            through_offset=offsets[-1],
            events=events,
            cursor=cursor or b"c%d" % offsets[-1],
        )
        return self.dispatcher.runs(frame_pb2.ServerFrame(runs=[run]))

    def refuse(
        self, *, topic: str = TOPIC, request_id: int = 0, retry: float | None = None
    ) -> None:
        error = event_pb2.Error(
            topic=topic,
            request_id=request_id,
            code=3,
            reason=error_reason_pb2.ERROR_REASON_START_UNAVAILABLE,
        )
        if retry is not None:
            error.retry_after.FromMilliseconds(int(retry * 1000))
        self.dispatcher.control(frame_pb2.ServerFrame(error=error))


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def taken(subscription: Subscription, count: int) -> list[int]:
    return [(await subscription.next_event()).offset for _ in range(count)]


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


async def test_a_gap_that_comes_unasked_moves_on_and_is_told(bench: Bench):
    subscription = bench.subscribe()
    bench.answer()
    bench.run(0, 1)
    bench.answer(50, frame_pb2.VERDICT_GAP, request_id=0, head=60)
    bench.run(50, 51)
    assert await taken(subscription, 2) == [1, 51]
    assert [verdict.kind for verdict in subscription.verdicts] == [VerdictKind.OK, VerdictKind.GAP]
    assert (bench.stats.gaps, subscription.caught_up) == (1, False)


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


async def test_each_event_has_the_cursor_that_resumes_after_it(bench: Bench):
    subscription = bench.subscribe()
    bench.answer()
    bench.run(0, 1, 2)
    bench.run(2, 3)
    cursors = [(await subscription.next_event()).cursor for _ in range(3)]
    assert cursors == [
        Cursor(TOPIC, b"c0", 1),
        Cursor(TOPIC, b"c2", 2),
        Cursor(TOPIC, b"c3", 3),
    ]


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
    asked = asyncio.Event()
    send = bench.wire.send

    def sent(frame: frame_pb2.ClientFrame) -> None:
        send(frame)
        asked.set()

    bench.wire.send = sent  # type: ignore[method-assign]
    bench.refuse(retry=0.01)
    async with asyncio.timeout(5):
        await asked.wait()
    assert bench.wire.kinds() == ["subscribe", "subscribe"]
    assert not subscription.failed


async def test_a_full_queue_is_named_until_half_is_read(bench: Bench):
    subscription = bench.subscribe(queue_events=4)
    bench.answer()
    assert bench.run(0, 1, 2, 3) == []
    assert bench.run(3, 4) == [subscription]
    room = asyncio.create_task(subscription.room())
    assert await taken(subscription, 1) == [1]
    await asyncio.sleep(0)
    assert not room.done()
    assert await taken(subscription, 1) == [2]
    await room
    assert not subscription.full


async def test_a_topic_is_read_once_at_a_time(bench: Bench):
    subscription = bench.subscribe()
    with pytest.raises(InvalidRequestError, match="ALREADY_SUBSCRIBED"):
        bench.subscribe()
    subscription.close()
    bench.subscribe()
    assert bench.wire.kinds() == ["subscribe", "unsubscribe", "subscribe"]
    with pytest.raises(StopAsyncIteration):
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


async def test_an_application_that_fails_in_on_verdict_harms_no_other(
    bench: Bench, caplog: pytest.LogCaptureFixture
):
    subscription = bench.subscribe()

    def fail(_verdict: object) -> None:
        raise KeyError("mine")

    subscription._on_verdict = fail
    bench.answer()
    bench.run(0, 1)
    assert await taken(subscription, 1) == [1]
    assert "on_verdict of meeting/1 failed" in caplog.text


async def test_closing_the_client_wakes_the_reader(bench: Bench):
    subscription = bench.subscribe()
    reading = asyncio.create_task(subscription.next_event())
    await asyncio.sleep(0)
    bench.dispatcher.fail_all(ClosedError("closed"))
    with pytest.raises(ClosedError):
        await reading


async def test_leaving_a_loop_ends_the_subscription(bench: Bench):
    subscription = bench.subscribe()
    bench.answer()
    bench.run(0, 1, 2)
    async for event in subscription:
        assert event.offset == 1
        break
    assert bench.wire.kinds()[-1] == "unsubscribe"


async def test_a_managed_subscription_outlives_its_loops(bench: Bench):
    subscription = bench.subscribe()
    bench.answer()
    bench.run(0, 1, 2)
    offsets = []
    async with subscription:
        for _ in range(2):
            async for event in subscription:
                offsets.append(event.offset)
                break
    assert offsets == [1, 2]
    assert bench.wire.kinds() == ["subscribe", "unsubscribe"]
