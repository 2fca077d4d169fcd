"""What was purged is told to every reader; what retention took is told to those who miss it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.model.cursor import decode_cursor
from shipspeak.realtime.v1 import frame_pb2
from tests.support.topic_bench import TOPIC, TopicBench
from tests.support.until import until

if TYPE_CHECKING:
    from tests.support.fake_sink import FakeSink


@pytest.fixture
async def bench() -> TopicBench:
    return TopicBench()


async def _until(sink: FakeSink, through: int) -> None:
    await until(lambda: sink.runs and sink.runs[-1].through_offset >= through)


async def test_a_purge_is_told_to_every_reader_also_at_the_head(bench: TopicBench) -> None:
    """G6: who has read everything is told too; offsets go on."""
    await bench.publish(10)
    ready = await bench.reader(10)
    stalled = await bench.reader(4, automatic=False)
    bench.engine.purge(TOPIC)
    bench.engine.purge(TOPIC)
    stalled.automatic = True
    stalled.take()
    await until(lambda: "subscribed" in ready.controls and "subscribed" in stalled.controls)
    await bench.publish(1)
    await _until(ready, 11)
    await _until(stalled, 11)
    for sink, reached in ((ready, 10), (stalled, stalled.runs[0].through_offset)):
        gaps = [one.subscribed for one in sink.messages if one.HasField("subscribed")]
        assert [gap.verdict for gap in gaps] == [frame_pb2.VERDICT_GAP]
        assert gaps[0].position.handled_offset == 10
        assert gaps[0].lost == 10 - reached
        assert not gaps[0].HasField("oldest_at"), "nothing is kept"
        cursor = decode_cursor(TOPIC, gaps[0].position.cursor)
        assert (cursor.offset, cursor.event_id) == (10, "e10")
        assert [event.offset for event in sink.runs[-1].events] == [11]


async def test_the_news_of_a_purge_say_when_the_oldest_event_that_is_kept_was_published(
    bench: TopicBench,
) -> None:
    """What was stored beside the last part of the purge, or before its news went out."""
    await bench.publish(10)
    sinks = [await bench.reader(10)]
    bench.engine.trim(TOPIC, 6, purged=True)
    await until(lambda: "subscribed" in sinks[0].controls)
    sinks.append(await bench.reader(10))
    bench.engine.trim(TOPIC, 10, purged=True)
    await bench.publish(1)
    await _until(sinks[1], 11)
    for sink in sinks:
        gap = next(one.subscribed for one in sink.messages if one.HasField("subscribed"))
        assert gap.oldest_at.ToMilliseconds() == 1


async def test_retention_that_takes_what_was_read_is_no_news(bench: TopicBench) -> None:
    await bench.publish(10)
    sink = await bench.reader(10)
    bench.engine.trim(TOPIC, 10)
    await bench.publish(1)
    await _until(sink, 11)
    assert sink.controls == [""]


async def test_a_purge_takes_a_page_that_waits(bench: TopicBench) -> None:
    await bench.publish(600)
    sink = await bench.reader(0, automatic=False)
    (subscription,) = (await bench.registry.open(TOPIC)).subscribers
    subscription.session.send_control(b"")
    await until(lambda: subscription.page is not None)
    bench.engine.purge(TOPIC)
    sink.automatic = True
    sink.take()
    await bench.publish(1)
    await _until(sink, 601)
    assert [event.offset for run in sink.runs for event in run.events] == [601]


async def test_each_part_of_a_purge_leaves_memory_at_once(bench: TopicBench) -> None:
    """What a part has removed is in no ring and in no page; the news come with the last part."""
    await bench.publish(10)
    sink = await bench.reader(10)
    live = await bench.registry.open(TOPIC)
    bench.engine.trim(TOPIC, 4, purged=True, more=True)
    assert live.ring.start_offset >= 4
    assert bench.registry.ring_bytes == 0, "what shares a chunk with it is read from the log"
    await bench.publish(1)
    await _until(sink, 11)
    assert sink.controls == [""], "not told yet"
    assert (await bench.registry.open(TOPIC)).ring.start_offset == 10
    bench.engine.trim(TOPIC, 10, purged=True)
    await until(lambda: "subscribed" in sink.controls)


async def test_a_page_in_hand_keeps_nothing_of_a_part(bench: TopicBench) -> None:
    await bench.publish(600)
    sink = await bench.reader(0, automatic=False)
    (subscription,) = (await bench.registry.open(TOPIC)).subscribers
    subscription.session.send_control(b"")
    await until(lambda: subscription.page is not None)
    bench.engine.trim(TOPIC, 500, purged=True, more=True)
    sink.automatic = True
    sink.take()
    await _until(sink, 600)
    assert [event.offset for run in sink.runs for event in run.events] == list(range(501, 601))
