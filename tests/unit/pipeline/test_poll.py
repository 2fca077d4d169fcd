"""Poll where timing matters: rights that end meanwhile, a ring that is behind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import duration_pb2

from hub.auth.grants import Grants, Principal
from hub.errors import ResourceExhausted, Unauthenticated
from hub.model.cursor import decode_cursor
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2, frame_pb2, realtime_service_pb2
from tests.support.pipelines import ALICE, PipelineBench, draft
from tests.support.until import until

if TYPE_CHECKING:
    from hub.engine.contract import LogPage, TopicHead

TOPIC = "meeting/1"
LONG = duration_pb2.Duration(seconds=30)


@pytest.fixture
async def bench() -> PipelineBench:
    return PipelineBench()


async def _poll(
    bench: PipelineBench, request: realtime_service_pb2.PollRequest, *principals: Principal
) -> realtime_service_pb2.PollResponse:
    left = list(principals or (ALICE,))
    answer = await bench.poller.poll(request, lambda: left.pop(0) if len(left) > 1 else left[0])
    return realtime_service_pb2.PollResponse.FromString(answer)


async def _at_head(bench: PipelineBench) -> realtime_service_pb2.PollRequest:
    first = await _poll(
        bench,
        realtime_service_pb2.PollRequest(subscriptions=[frame_pb2.Subscribe(topic=TOPIC)]),
    )
    cursor = first.frames[0].subscribed.position.cursor
    position = event_pb2.Position(cursor=cursor)
    return realtime_service_pb2.PollRequest(
        subscriptions=[frame_pb2.Subscribe(topic=TOPIC, position=position)], wait=LONG
    )


async def _waits(bench: PipelineBench) -> None:
    live = await bench.registry.open(TOPIC)
    await until(lambda: live.watchers)


async def test_a_right_that_ends_during_the_wait_costs_its_topic_alone(
    bench: PipelineBench,
) -> None:
    """G10: nothing of that topic is answered but the refusal; the others' events are."""
    request = await _at_head(bench)
    request.subscriptions.add(topic="user/alice", at=frame_pb2.START_EARLIEST)
    less = Principal("alice", Grants(subscribe=("user/*",)))
    await bench.publish(draft("u1", "user/alice"))
    first = await _poll(bench, request, ALICE)
    for frame in first.frames:
        for run in frame.runs:
            request.subscriptions[1].position.cursor = run.cursor
    waiting = asyncio.ensure_future(_poll(bench, request, ALICE, less))
    await _waits(bench)
    await bench.publish(draft("e1"), draft("u2", "user/alice"))
    answer = await waiting
    runs = [run for frame in answer.frames for run in frame.runs]
    assert [(run.topic, [event.id for event in run.events]) for run in runs] == [
        ("user/alice", ["u2"])
    ]
    (refused,) = [frame.error for frame in answer.frames if frame.HasField("error")]
    assert (refused.topic, refused.reason) == (TOPIC, reasons.ERROR_REASON_RIGHT_MISSING)


async def test_a_token_that_ends_during_the_wait_refuses_the_answer(bench: PipelineBench) -> None:
    request = await _at_head(bench)
    ended = Unauthenticated(reasons.ERROR_REASON_TOKEN_EXPIRED, "ended")
    asked = 0

    def authenticate() -> Principal:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise ended
        return ALICE

    waiting = asyncio.ensure_future(bench.poller.poll(request, authenticate))
    await _waits(bench)
    await bench.publish(draft("e1"))
    with pytest.raises(Unauthenticated):
        await waiting


async def test_the_head_is_proved_by_the_engine_and_not_by_the_ring(bench: PipelineBench) -> None:
    request = await _at_head(bench)
    bench.engine.skip_feeds = True
    await bench.publish(draft("e1"))
    answer = await _poll(bench, request)
    assert [event.id for event in answer.frames[0].runs[0].events] == ["e1"]


async def test_a_wait_leaves_no_watcher_behind(bench: PipelineBench) -> None:
    request = await _at_head(bench)
    live = await bench.registry.open(TOPIC)
    for end in ("event", "cancel", "drain"):
        waiting = asyncio.ensure_future(_poll(bench, request))
        await until(lambda: live.watchers)
        if end == "event":
            await bench.publish(draft(end))
            assert (await waiting).frames
            request = await _at_head(bench)
        elif end == "cancel":
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        else:
            bench.poller.answer_all()
            assert not (await waiting).frames
        assert not live.watchers


async def test_what_retention_takes_during_the_wait_is_told(bench: PipelineBench) -> None:
    request = await _at_head(bench)
    waiting = asyncio.ensure_future(_poll(bench, request))
    await _waits(bench)
    await bench.publish(draft("e1"), draft("e2"), draft("e3"))
    bench.engine.trim(TOPIC, 2)
    answer = await waiting
    gap = answer.frames[0].subscribed
    assert (gap.verdict, gap.lost, gap.position.handled_offset) == (frame_pb2.VERDICT_GAP, 2, 2)
    cursor = decode_cursor(TOPIC, gap.position.cursor)
    assert (cursor.offset, cursor.event_id) == (2, "e2")
    assert cursor.as_of_ms == int(bench.clock.now * 1000)
    run = answer.frames[1].runs[0]
    assert (run.after_offset, [event.id for event in run.events]) == (2, ["e3"])


async def test_the_number_of_subscriptions_is_bounded(bench: PipelineBench) -> None:
    topics = [f"meeting/{number}" for number in range(4)]
    request = realtime_service_pb2.PollRequest(
        subscriptions=[frame_pb2.Subscribe(topic=topic) for topic in topics]
    )
    with pytest.raises(ResourceExhausted) as caught:
        await _poll(bench, request)
    assert caught.value.reason_name == "SUBSCRIPTION_LIMIT"
    assert bench.engine.opens == 0
    del request.subscriptions[3]
    assert len((await _poll(bench, request)).frames) == 3


async def test_heads_are_read_side_by_side(
    bench: PipelineBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_asked = asyncio.Barrier(3)
    head = bench.engine.head

    async def together(topic: str) -> TopicHead:
        await all_asked.wait()
        return await head(topic)

    monkeypatch.setattr(bench.engine, "head", together)
    topics = [f"meeting/{number}" for number in range(3)]
    request = realtime_service_pb2.PollRequest(
        subscriptions=[frame_pb2.Subscribe(topic=topic) for topic in topics]
    )
    async with asyncio.timeout(10):
        assert len((await _poll(bench, request)).frames) == 3


@pytest.mark.parametrize("how", ["withdrawn", "purged"])
async def test_what_is_taken_out_before_the_polls_turn_is_not_answered(
    bench: PipelineBench, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """G6: the log was read, and the poll has not gone on yet."""
    await bench.publish(draft("e1"), draft("e2"))
    engine, read, taken = bench.engine, bench.engine.read, list[str]()

    async def read_then_take_out(*args: Any, **options: Any) -> LogPage:
        page = await read(*args, **options)
        if not taken:
            taken.append(how)
            if how == "withdrawn":
                engine.withdraw(TOPIC, 1)
            else:
                engine.trim(TOPIC, 1, purged=True, more=True)
        return page

    monkeypatch.setattr(engine, "read", read_then_take_out)
    start = frame_pb2.Subscribe(topic=TOPIC, at=frame_pb2.START_EARLIEST)
    answer = await _poll(bench, realtime_service_pb2.PollRequest(subscriptions=[start]))
    runs = [run for frame in answer.frames for run in frame.runs]
    assert taken
    assert [event.id for run in runs for event in run.events] == ["e2"]
    gaps = [one for one in answer.frames if one.subscribed.verdict == frame_pb2.VERDICT_GAP]
    assert (sum(run.withdrawn for run in runs), len(gaps)) == ((1, 0), (0, 1))[how == "purged"]
