"""Starts by name: the last N, and a snapshot that is the log with its superseded events counted."""

from __future__ import annotations

import asyncio

import pytest

from hub.errors import HubError
from hub.model.cursor import decode_cursor
from hub.session.position import LAG_SECONDS
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2, frame_pb2, realtime_service_pb2
from tests.support.fake_sink import FakeSink
from tests.support.memory_engine import append
from tests.support.pipelines import ALICE, PipelineBench
from tests.support.sessions import open_session
from tests.support.until import until

TOPIC = "meeting/1"
SNAPSHOT = frame_pb2.Subscribe(topic=TOPIC, at=frame_pb2.START_SNAPSHOT)


async def _bench(keys: str, *, size: int = 10) -> PipelineBench:
    """A log with one event for each key; "-" has none."""
    bench = PipelineBench()
    await _publish(bench, keys, size=size)
    return bench


async def _publish(bench: PipelineBench, keys: str, *, size: int = 10) -> None:
    head = bench.engine.log(TOPIC).head
    for number, key in enumerate(keys, head + 1):
        name = "" if key == "-" else key
        await bench.engine.publish([append(TOPIC, f"e{number}", key=name, size=size)])


async def _subscribe(bench: PipelineBench, request: frame_pb2.Subscribe) -> FakeSink:
    sink = FakeSink(automatic=True)
    session = open_session(bench.clock, sink)
    await bench.subscriber.subscribe(session, lambda: ALICE, request)
    return sink


def _offsets(sink: FakeSink) -> list[int]:
    return [event.offset for run in sink.runs for event in run.events]


def _check_account(sink: FakeSink, through: int) -> None:
    """Runs join from the beginning, and everything in them is there or counted."""
    position = sink.messages[0].subscribed.position.handled_offset
    for run in sink.runs:
        assert run.after_offset == position
        position = run.through_offset
        counted = len(run.events) + run.conflated + run.expired + run.withdrawn
        assert counted == run.through_offset - run.after_offset
    assert position == through


@pytest.mark.parametrize("in_ring", [True, False])
async def test_a_snapshot_is_the_latest_of_each_key_then_what_comes(in_ring: bool) -> None:
    """G4r, G6: everything up to the head is there or counted; nothing falls in between."""
    bench = await _bench("a-ab-ab")
    live = await bench.registry.open(TOPIC)
    if not in_ring:
        live.ring.release()
    sink = await _subscribe(bench, SNAPSHOT)
    await until(lambda: sink.runs and sink.runs[-1].through_offset == 7)
    assert _offsets(sink) == [2, 5, 6, 7]
    for key in "aa":
        await _publish(bench, key)
        await until(lambda: sink.runs[-1].through_offset == bench.engine.log(TOPIC).head)
    assert _offsets(sink) == [2, 5, 6, 7, 8, 9], "from the head on a quick reader gets all"
    assert sink.messages[0].subscribed.verdict == frame_pb2.VERDICT_OK
    assert sink.messages[0].subscribed.head == 7
    _check_account(sink, 9)


@pytest.mark.parametrize("in_ring", [True, False])
async def test_what_comes_before_the_first_frame_of_a_snapshot_is_none_of_it(in_ring: bool) -> None:
    """G2, G4r: a snapshot ends at the head that its answer names; what follows comes whole."""
    bench = await _bench("a-ab-ab")
    live = await bench.registry.open(TOPIC)
    if not in_ring:
        live.ring.release()
    sink = FakeSink()
    session = open_session(bench.clock, sink)
    session.send_control(b"")  # the sink is busy, so that no frame goes out yet
    await bench.subscriber.subscribe(session, lambda: ALICE, SNAPSHOT)
    await _publish(bench, "ab-aa")
    sink.automatic = True
    sink.take()
    await until(lambda: sink.runs and sink.runs[-1].through_offset == 12)
    assert _offsets(sink) == [2, 5, 6, 7, *range(8, 13)]


async def test_a_snapshots_reader_that_lags_is_conflated_where_it_asked_for_it() -> None:
    bench = await _bench("a-ab-ab")
    sink = FakeSink()
    session = open_session(bench.clock, sink)
    session.send_control(b"")
    asked = frame_pb2.Subscribe(topic=TOPIC, at=frame_pb2.START_SNAPSHOT, conflate=True)
    await bench.subscriber.subscribe(session, lambda: ALICE, asked)
    await _publish(bench, "ab-aa")
    bench.clock.advance(2 * LAG_SECONDS)
    sink.automatic = True
    sink.take()
    await until(lambda: sink.runs and sink.runs[-1].through_offset == 12)
    assert _offsets(sink) == [2, 5, 9, 10, 12]


async def test_what_is_stored_while_a_snapshot_loads_is_not_missed() -> None:
    """The race of load-then-subscribe: there is none, since the subscription comes first."""
    bench = await _bench("aaab" * 200, size=1000)
    bench.engine.reading.clear()
    live_opening = asyncio.ensure_future(bench.registry.open(TOPIC))
    bench.engine.reading.set()
    live = await live_opening
    assert live.ring.start_offset > 0
    bench.engine.reading.clear()
    bench.engine.read_begun.clear()
    sink = await _subscribe(bench, SNAPSHOT)
    await bench.engine.read_begun.wait()
    await _publish(bench, "a-")
    bench.engine.reading.set()
    await until(lambda: sink.runs and sink.runs[-1].through_offset == 802)
    assert _offsets(sink)[-3:] == [800, 801, 802]
    assert len(_offsets(sink)) <= 4
    _check_account(sink, 802)


async def test_a_long_snapshot_comes_in_pages_that_account_for_all() -> None:
    bench = await _bench("-k" * 400, size=1000)
    sink = await _subscribe(bench, SNAPSHOT)
    await until(lambda: sink.runs and sink.runs[-1].through_offset == 800)
    assert _offsets(sink) == [*range(1, 800, 2), 800]
    assert len(sink.runs) > 1
    _check_account(sink, 800)


async def test_late_readers_at_one_head_share_one_read() -> None:
    bench = await _bench("k" * 600, size=1000)
    await bench.registry.open(TOPIC)
    bench.engine.reads = 0
    for _ in range(5):
        sink = await _subscribe(bench, SNAPSHOT)
        await until(lambda: sink.runs and sink.runs[-1].through_offset == 600)  # noqa: B023 - used at once
        assert _offsets(sink) == [600]
    assert bench.engine.reads == 1
    bench.engine.purge(TOPIC)
    sink = await _subscribe(bench, SNAPSHOT)
    assert sink.messages[0].subscribed.position.handled_offset == 600


async def test_a_snapshot_is_refused_where_nothing_may_be_conflated() -> None:
    bench = PipelineBench()
    for request in (
        frame_pb2.Subscribe(topic="user/alice", at=frame_pb2.START_SNAPSHOT),
        frame_pb2.Subscribe(topic="user/alice", conflate=True),
    ):
        with pytest.raises(HubError) as caught:
            await bench.subscriber.begin(ALICE, request)
        assert caught.value.reason_name == "CONFLATION_NOT_ALLOWED"
    history = realtime_service_pb2.ReadHistoryRequest(topic="user/alice", latest_per_key=True)
    with pytest.raises(HubError) as caught:
        await bench.history.read(history, ALICE)
    assert caught.value.reason_name == "CONFLATION_NOT_ALLOWED"


@pytest.mark.parametrize("in_ring", [True, False])
@pytest.mark.parametrize(
    ("last", "position", "event_id"), [(1, 6, "e6"), (3, 4, "e4"), (5, 2, "e2"), (1000, 2, "e2")]
)
async def test_the_last_events_then_what_comes(
    in_ring: bool, last: int, position: int, event_id: str
) -> None:
    bench = await _bench("-------")
    bench.engine.trim(TOPIC, 2)
    live = await bench.registry.open(TOPIC)
    if not in_ring:
        live.ring.release()
    sink = await _subscribe(bench, frame_pb2.Subscribe(topic=TOPIC, last=last))
    await until(lambda: sink.runs and sink.runs[-1].through_offset == 7)
    assert _offsets(sink) == list(range(position + 1, 8))
    told = sink.messages[0].subscribed
    cursor = decode_cursor(TOPIC, told.position.cursor)
    assert (cursor.offset, cursor.event_id, told.head) == (position, event_id, 7)
    await _publish(bench, "-")
    await until(lambda: _offsets(sink)[-1] == 8)


async def test_a_volatile_topic_has_no_last_events() -> None:
    bench = PipelineBench()
    begin = await bench.subscriber.begin(ALICE, frame_pb2.Subscribe(topic="signal/1", last=5))
    assert begin.verdict == frame_pb2.VERDICT_LIVE


async def _poll(
    bench: PipelineBench, request: frame_pb2.Subscribe, *, wait: int = 0, max_events: int = 0
) -> realtime_service_pb2.PollResponse:
    poll = realtime_service_pb2.PollRequest(subscriptions=[request], max_events=max_events)
    if wait:
        poll.wait.FromSeconds(wait)
    answer = await bench.poller.poll(poll, lambda: ALICE)
    return realtime_service_pb2.PollResponse.FromString(answer)


def _polled(answer: realtime_service_pb2.PollResponse) -> list[event_pb2.TopicRun]:
    return [run for frame in answer.frames for run in frame.runs]


async def test_a_poll_begins_with_a_snapshot_or_the_last() -> None:
    bench = await _bench("a-ab-ab")
    (run,) = _polled(await _poll(bench, SNAPSHOT))
    assert [event.offset for event in run.events] == [2, 5, 6, 7]
    assert (run.conflated, run.through_offset) == (3, 7)
    (run,) = _polled(await _poll(bench, frame_pb2.Subscribe(topic=TOPIC, last=2)))
    assert [event.offset for event in run.events] == [6, 7]


async def test_a_poll_does_not_conflate_and_says_so() -> None:
    bench = await _bench("aa")
    (frame,) = (await _poll(bench, frame_pb2.Subscribe(topic=TOPIC, conflate=True))).frames
    assert frame.error.reason == reasons.ERROR_REASON_FEATURE_UNAVAILABLE
    assert frame.error.metadata["feature"] == "conflate"


async def test_a_poll_that_waits_is_told_of_a_purge() -> None:
    bench = await _bench("--")
    begin = await bench.subscriber.begin(ALICE, frame_pb2.Subscribe(topic=TOPIC))
    position = event_pb2.Position(cursor=begin.cursor)
    waiting = asyncio.ensure_future(
        _poll(bench, frame_pb2.Subscribe(topic=TOPIC, position=position), wait=30)
    )
    live = bench.registry.live(TOPIC)
    assert live is not None
    await until(lambda: live.watchers)
    bench.engine.purge(TOPIC)
    (frame,) = (await waiting).frames
    assert frame.subscribed.verdict == frame_pb2.VERDICT_GAP
    assert (frame.subscribed.lost, frame.subscribed.position.handled_offset) == (0, 2)


@pytest.mark.parametrize("reverse", [False, True])
async def test_history_gives_the_latest_of_each_key_where_it_is_asked_for(reverse: bool) -> None:
    bench = await _bench("a-ab-ab")
    request = realtime_service_pb2.ReadHistoryRequest(
        topic=TOPIC, latest_per_key=True, reverse=reverse, limit=3
    )
    got, counted = [], 0
    for _ in range(5):
        answer = await bench.history.read(request, ALICE)
        for run in answer.runs:
            got.append([event.offset for event in run.events])
            counted += len(run.events) + run.conflated
        if not answer.more:
            break
        request.position.CopyFrom(answer.next)
    assert got == ([[5, 6, 7], [2]] if reverse else [[2, 5, 6], [7]])
    assert counted == 7
