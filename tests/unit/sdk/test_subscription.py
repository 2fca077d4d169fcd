"""What an application sees of a subscription: events, cursors, verdicts, its end."""

from __future__ import annotations

import asyncio

import pytest

from shipspeak.realtime.v1 import event_pb2, frame_pb2
from shipspeak_realtime import (
    ClosedError,
    Cursor,
    InvalidRequestError,
    LeftOut,
    Verdict,
    VerdictKind,
)
from shipspeak_realtime.start import beginning
from tests.unit.sdk.dispatch_bench import TOPIC, Bench, taken

GAP, LIVE = frame_pb2.VERDICT_GAP, frame_pb2.VERDICT_LIVE


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_gap_that_comes_unasked_moves_on_and_is_told(bench: Bench):
    subscription = bench.subscribe()
    bench.answer()
    bench.run(0, 1)
    bench.answer(50, frame_pb2.VERDICT_GAP, request_id=0, head=60)
    bench.run(50, 51)
    assert await taken(subscription, 2) == [1, 51]
    assert [verdict.kind for verdict in subscription.verdicts] == [VerdictKind.OK, VerdictKind.GAP]
    assert (bench.stats.gaps, subscription.caught_up) == (1, False)


async def test_a_gap_of_a_topic_without_history_is_told_and_reading_goes_on(bench: Bench):
    subscription = bench.subscribe()
    told: list[Verdict] = []
    subscription._on_verdict = told.append
    for request_id, verdict, lost in ((bench.wire.sent[-1].request_id, LIVE, None), (0, GAP, 7)):
        bench.dispatcher.control(
            frame_pb2.ServerFrame(
                subscribed=frame_pb2.Subscribed(
                    request_id=request_id, topic=TOPIC, verdict=verdict, lost=lost
                )
            )
        )
    event = event_pb2.Event(id="e")
    for _ in range(2):
        run = event_pb2.TopicRun(topic=TOPIC, events=[event])
        bench.dispatcher.runs(frame_pb2.ServerFrame(runs=[run]))
    assert (await subscription.next_event()).id == "e"
    assert [(each.kind, each.lost) for each in told] == [
        (VerdictKind.LIVE, None),
        (VerdictKind.GAP, 7),
    ]
    assert (bench.stats.gaps, bench.stats.duplicates) == (1, 1)
    assert subscription.caught_up
    assert subscription.cursor is None


async def test_each_event_has_the_cursor_that_resumes_after_it(bench: Bench):
    subscription = bench.subscribe()
    bench.answer()
    bench.run(0, 1, 2)
    bench.run(2, 3)
    cursors = [(await subscription.next_event()).cursor for _ in range(3)]
    assert cursors == [
        Cursor(TOPIC, b"c0", 1, "e1"),
        Cursor(TOPIC, b"c2", 2),
        Cursor(TOPIC, b"c3", 3),
    ]


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


async def test_a_loop_over_an_ended_subscription_says_so(bench: Bench):
    subscription = bench.subscribe()
    bench.answer()
    bench.run(0, 1, 2)
    async for _ in subscription:
        break
    with pytest.raises(ClosedError) as caught:
        aiter(subscription)
    assert (caught.value.reason, caught.value.topic) == ("SUBSCRIPTION_CLOSED", TOPIC)
    with pytest.raises(ClosedError):
        async with subscription:
            pass


async def test_a_loop_over_a_closed_subscription_that_never_began_says_so(bench: Bench):
    subscription = bench.subscribe()
    subscription.close()
    with pytest.raises(ClosedError):
        aiter(subscription)


async def test_a_loop_that_is_under_way_ends_when_its_subscription_is_closed(bench: Bench):
    subscription = bench.subscribe()
    bench.answer()
    bench.run(0, 1)
    async with subscription:
        offsets = []
        async for event in subscription:
            offsets.append(event.offset)
            subscription.close()
    assert offsets == [1]


async def test_a_loop_over_a_failed_subscription_tells_its_error_each_time(bench: Bench):
    subscription = bench.subscribe()
    bench.refuse()
    for _ in range(2):
        with pytest.raises(InvalidRequestError, match="START_UNAVAILABLE"):
            await anext(aiter(subscription))


@pytest.mark.parametrize("last", [0, 1001, -1])
def test_a_number_of_last_events_is_checked(last: int):
    with pytest.raises(InvalidRequestError):
        beginning(TOPIC, "latest", last)


def test_the_last_events_stand_in_place_of_a_start():
    request = frame_pb2.Subscribe(topic=TOPIC)
    beginning(TOPIC, "latest", 5).fill(request)
    assert (request.WhichOneof("start"), request.last) == ("last", 5)
    with pytest.raises(InvalidRequestError):
        beginning(TOPIC, "earliest", 5)


async def test_a_verdict_comes_behind_the_events_of_before_and_ahead_of_those_after(bench: Bench):
    """G6: state that is thrown away at a RESET must not get events of the old log behind it."""
    seen: list[object] = []
    subscription = bench.subscribe()
    subscription._on_verdict = lambda verdict: seen.append(verdict.kind)
    bench.answer()
    bench.run(0, 1, 2)
    bench.answer(1, frame_pb2.VERDICT_RESET, request_id=0, head=2, epoch=8)
    bench.run(1, 2, epoch=8)
    bench.answer(5, frame_pb2.VERDICT_GAP, request_id=0, head=6, epoch=8)
    bench.run(5, 6, epoch=8)
    assert seen == []
    for _ in range(4):
        event = await subscription.next_event()
        seen.append((event.offset, [told.kind for told in subscription.verdicts]))
    ok, reset, gap = VerdictKind.OK, VerdictKind.RESET, VerdictKind.GAP
    assert seen == [
        *(ok, (1, [ok]), (2, [ok])),
        *(reset, (2, [ok, reset])),
        *(gap, (6, [ok, reset, gap])),
    ]


async def test_a_waiting_reader_is_told_a_verdict_without_an_event(bench: Bench):
    told = asyncio.Event()
    subscription = bench.subscribe()
    subscription._on_verdict = lambda _verdict: told.set()
    reading = asyncio.create_task(subscription.next_event())
    await asyncio.sleep(0)
    bench.answer()
    await told.wait()
    assert not reading.done()
    bench.run(0, 1)
    assert (await reading).offset == 1


async def test_counts_are_told_in_line_and_wait_as_one(bench: Bench):
    seen: list[object] = []
    subscription = bench.subscribe()
    subscription._on_left_out = seen.append
    bench.answer()
    bench.run(0, 1)
    for after in (1, 3):
        bench.run(after, after + 2, conflated=2, empty=True)
    bench.run(5, 6)
    for offset in (1, 6):
        event = await subscription.next_event()
        seen.append(event.offset)
        assert event.offset == offset
    assert seen == [1, LeftOut(TOPIC, 1, 5, 4, 0, 0), 6]


async def test_a_listener_that_closes_ends_the_loop(bench: Bench):
    subscription = bench.subscribe()
    subscription._on_verdict = lambda _verdict: subscription.close()
    bench.answer()
    bench.run(0, 1)
    assert [event.offset async for event in subscription] == []
