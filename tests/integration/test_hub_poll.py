"""Poll on a real hub: at once without a position, a real wait with one, and honest verdicts."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import TYPE_CHECKING

import pytest
from google.protobuf import duration_pb2

from hub.model.cursor import Cursor, decode_cursor, encode_cursor
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2, frame_pb2, realtime_service_pb2
from tests.support.raw_client import RawClient, draft

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.hub_process import HubProcess

LONG = duration_pb2.Duration(seconds=25)


@pytest.fixture
async def client(shared_hub: HubProcess) -> AsyncIterator[RawClient]:
    async with RawClient(shared_hub.grpc) as client:
        yield client


@pytest.fixture
def topic() -> str:
    return f"meeting/{secrets.token_hex(4)}"


def _at(topic: str, cursor: bytes, handled: int = 0, event_id: str = "") -> frame_pb2.Subscribe:
    position = event_pb2.Position(cursor=cursor, handled_offset=handled, handled_id=event_id)
    return frame_pb2.Subscribe(topic=topic, position=position)


def _cursor(answer: realtime_service_pb2.PollResponse) -> bytes:
    """The newest cursor in an answer."""
    cursor = b""
    for frame in answer.frames:
        cursor = frame.subscribed.position.cursor or cursor
        for run in frame.runs:
            cursor = run.cursor or cursor
    return cursor


def _ids(answer: realtime_service_pb2.PollResponse) -> list[str]:
    return [event.id for frame in answer.frames for run in frame.runs for event in run.events]


async def test_without_a_position_it_answers_at_once_with_cursors(
    client: RawClient, topic: str
) -> None:
    started = time.monotonic()
    topics = [f"{topic}/{number}" for number in range(3)]
    answer = await client.poll(*(frame_pb2.Subscribe(topic=one) for one in topics), wait=LONG)
    assert time.monotonic() - started < LONG.seconds / 2
    assert [frame.subscribed.topic for frame in answer.frames] == topics
    for frame in answer.frames:
        assert decode_cursor(frame.subscribed.topic, frame.subscribed.position.cursor).epoch


async def test_a_wait_ends_with_the_next_event(client: RawClient, topic: str) -> None:
    cursor = _cursor(await client.poll(frame_pb2.Subscribe(topic=topic)))
    for number in range(3):
        waiting = asyncio.ensure_future(client.poll(_at(topic, cursor), wait=LONG))
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done, "there is nothing to tell yet"
        published = time.monotonic()
        await client.publish(draft(topic, number))
        answer = await waiting
        assert time.monotonic() - published < LONG.seconds / 2
        assert _ids(answer) == [f"e{number}"]
        cursor = _cursor(answer)


async def test_a_wait_that_sees_nothing_ends_on_time(client: RawClient, topic: str) -> None:
    cursor = _cursor(await client.poll(frame_pb2.Subscribe(topic=topic)))
    started = time.monotonic()
    wait = duration_pb2.Duration(nanos=300_000_000)
    answer = await client.poll(_at(topic, cursor), wait=wait)
    assert 0.25 < time.monotonic() - started < 20
    assert not answer.frames


async def test_without_a_wait_it_says_when_to_ask_again(client: RawClient, topic: str) -> None:
    cursor = _cursor(await client.poll(frame_pb2.Subscribe(topic=topic)))
    answer = await client.poll(_at(topic, cursor))
    assert not answer.frames
    assert answer.next_poll_after.ToMilliseconds() > 0


async def test_nothing_is_missed_between_polls(client: RawClient, topic: str) -> None:
    cursor = _cursor(await client.poll(frame_pb2.Subscribe(topic=topic)))
    seen: list[str] = []
    for number in range(20):
        await client.publish(draft(topic, number))
        if number % 3 == 0:
            answer = await client.poll(_at(topic, cursor), wait=LONG)
            seen += _ids(answer)
            cursor = _cursor(answer)
    seen += _ids(await client.poll(_at(topic, cursor)))
    assert seen == [f"e{number}" for number in range(20)]


async def test_a_large_backlog_comes_in_parts(client: RawClient, topic: str) -> None:
    await client.publish(*(draft(topic, number) for number in range(300)))
    subscription = frame_pb2.Subscribe(topic=topic, at=frame_pb2.START_EARLIEST)
    seen: list[str] = []
    parts = 0
    while True:
        answer = await client.poll(subscription, max_events=70)
        seen += _ids(answer)
        parts += 1
        subscription = _at(topic, _cursor(answer))
        if not answer.more:
            break
        assert len(_ids(answer)) <= 70
    assert seen == [f"e{number}" for number in range(300)]
    assert parts == 5


async def test_at_least_one_event_however_small_the_answer_may_be(
    client: RawClient, topic: str
) -> None:
    await client.publish(draft(topic, 1), draft(topic, 2))
    earliest = frame_pb2.Subscribe(topic=topic, at=frame_pb2.START_EARLIEST)
    answer = await client.poll(earliest, max_bytes=1)
    assert _ids(answer) == ["e1"]
    assert answer.more


async def test_a_position_inside_a_run(client: RawClient, topic: str) -> None:
    await client.publish(*(draft(topic, number) for number in range(4)))
    cursor = encode_cursor(topic, Cursor(await _epoch(client, topic), 1, "e0"))
    assert _ids(await client.poll(_at(topic, cursor, handled=3, event_id="e2"))) == ["e3"]


async def test_a_cursor_of_another_log_is_told_to_reload(client: RawClient, topic: str) -> None:
    await client.publish(draft(topic, 1))
    epoch = await _epoch(client, topic)
    answer = await client.poll(_at(topic, encode_cursor(topic, Cursor(epoch ^ 1, 1))), wait=LONG)
    subscribed = answer.frames[0].subscribed
    assert subscribed.verdict == frame_pb2.VERDICT_RESET
    assert subscribed.epoch == epoch


async def test_a_cursor_whose_event_is_not_the_logs_own(client: RawClient, topic: str) -> None:
    await client.publish(draft(topic, 1))
    epoch = await _epoch(client, topic)
    answer = await client.poll(_at(topic, encode_cursor(topic, Cursor(epoch, 1, "other"))))
    assert answer.frames[0].subscribed.verdict == frame_pb2.VERDICT_RESET


async def test_a_cursor_from_beyond_the_head(client: RawClient, topic: str) -> None:
    await client.publish(draft(topic, 1))
    epoch = await _epoch(client, topic)
    answer = await client.poll(_at(topic, encode_cursor(topic, Cursor(epoch, 50, "e50"))))
    assert answer.frames[0].subscribed.verdict == frame_pb2.VERDICT_RESET


async def test_history_that_was_trimmed_is_a_gap(client: RawClient) -> None:
    """An inbox keeps 1000 events; with 1 in 4 more, its oldest must have gone."""
    topic = f"user/{secrets.token_hex(4)}"
    first = _cursor(await client.poll(frame_pb2.Subscribe(topic=topic)))
    head = 0
    for start in range(0, 1500, 250):
        results = await client.publish(*(draft(topic, n) for n in range(start, start + 250)))
        head = results[-1].offset
    async with asyncio.timeout(60):
        while True:  # housekeeping trims in its own time
            answer = await client.poll(_at(topic, first), max_events=2000)
            # Done when the promised ones and one more are left: before that the floor may move
            # between the verdict and the page, which is told by a second GAP.
            if answer.frames[0].subscribed.position.handled_offset == head - 1001:
                break
            await asyncio.sleep(0.2)
    gap = answer.frames[0].subscribed
    assert gap.verdict == frame_pb2.VERDICT_GAP
    floor = gap.position.handled_offset
    assert gap.lost == floor
    assert answer.frames[1].runs[0].after_offset == floor


async def test_a_bad_cursor_is_an_error_frame_and_the_others_are_answered(
    client: RawClient, topic: str
) -> None:
    answer = await client.poll(
        _at(topic, b"nonsense"), frame_pb2.Subscribe(topic=topic + "/b"), wait=LONG
    )
    assert answer.frames[0].error.reason == reasons.ERROR_REASON_CURSOR_INVALID
    assert answer.frames[0].error.topic == topic
    assert answer.frames[1].subscribed.verdict == frame_pb2.VERDICT_OK


async def test_a_volatile_topic_waits_without_a_cursor(client: RawClient, topic: str) -> None:
    signal = topic.replace("meeting", "signal")
    waiting = asyncio.ensure_future(client.poll(frame_pb2.Subscribe(topic=signal), wait=LONG))
    done, _ = await asyncio.wait([waiting], timeout=0.3)
    assert not done
    await client.publish(draft(signal, 1))
    answer = await waiting
    assert answer.frames[0].subscribed.verdict == frame_pb2.VERDICT_LIVE
    assert _ids(answer) == ["e1"]


async def test_a_cursor_moves_between_poll_and_stream(client: RawClient, topic: str) -> None:
    cursor = _cursor(await client.poll(frame_pb2.Subscribe(topic=topic)))
    await client.publish(draft(topic, 0), draft(topic, 1))
    cursor = _cursor(await client.poll(_at(topic, cursor)))
    await client.publish(draft(topic, 2))
    stream, _ = await client.session()
    await stream.subscribe(topic, position=event_pb2.Position(cursor=cursor))
    frame = await stream.until(lambda frame: frame.runs)
    assert [event.id for event in frame.runs[0].events] == ["e2"]
    await client.publish(draft(topic, 3))
    answer = await client.poll(_at(topic, frame.runs[0].cursor))
    assert _ids(answer) == ["e3"]


async def test_a_poll_that_is_given_up_leaves_nothing_waiting(
    client: RawClient, topic: str
) -> None:
    cursor = _cursor(await client.poll(frame_pb2.Subscribe(topic=topic)))
    waiting = asyncio.ensure_future(client.poll(_at(topic, cursor), wait=LONG))
    await asyncio.wait([waiting], timeout=0.2)
    waiting.cancel()
    await client.publish(draft(topic, 1))
    assert _ids(await client.poll(_at(topic, cursor))) == ["e1"]


async def _epoch(client: RawClient, topic: str) -> int:
    answer = await client.poll(frame_pb2.Subscribe(topic=topic))
    epoch: int = answer.frames[0].subscribed.epoch
    return epoch
