"""Polls of public topics: the same few answers for everybody, and nothing lost between them."""

from __future__ import annotations

import asyncio

import pytest

from hub.errors import HubError
from hub.pipeline.public import EARLIEST, LATEST, PAGE_EVENTS, PublicReader
from hub.topics.namespaces import Namespaces
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2
from shipspeak.realtime.v1.realtime_service_pb2 import PollResponse
from tests.support.pipelines import PipelineBench, draft

TOPIC = "public/status"


class Poller:
    """One that follows the protocol's rule for public polls."""

    def __init__(self, reader: PublicReader, since: str | bytes = LATEST) -> None:
        self._reader = reader
        self.since: str | bytes = since
        self.offsets: list[int] = []
        self.verdicts: list[int] = []

    async def poll(self) -> PollResponse:
        answer = await self._reader.read(TOPIC, self.since)
        response = PollResponse.FromString(answer.body)
        for frame in response.frames:
            if frame.HasField("subscribed"):
                self.verdicts.append(frame.subscribed.verdict)
                self.since = frame.subscribed.position.cursor
            for run in frame.runs:
                self.offsets += [event.offset for event in run.events]
                self.since = run.cursor
        return response


@pytest.fixture
def bench() -> PipelineBench:
    return PipelineBench()


@pytest.fixture
def reader(bench: PipelineBench) -> PublicReader:
    return PublicReader(bench.engine, Namespaces(), bench.clock)


async def publish(bench: PipelineBench, first: int, count: int = 1) -> None:
    for number in range(first, first + count):
        await bench.publish(draft(f"e{number}", TOPIC))


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("meeting/1", reasons.ERROR_REASON_RIGHT_MISSING),
        ("user/alice", reasons.ERROR_REASON_RIGHT_MISSING),
        ("system/all", reasons.ERROR_REASON_RIGHT_MISSING),
        ("control/revocations", reasons.ERROR_REASON_RIGHT_MISSING),
        ("nothing/1", reasons.ERROR_REASON_NAMESPACE_UNKNOWN),
        ("public/../user/alice", reasons.ERROR_REASON_TOPIC_INVALID),
        ("public", reasons.ERROR_REASON_TOPIC_INVALID),
    ],
)
async def test_nothing_else_is_public(reader: PublicReader, topic: str, reason: int) -> None:
    """G10."""
    with pytest.raises(HubError) as refused:
        await reader.read(topic, LATEST)
    assert refused.value.reason == reason


async def test_a_poller_gets_everything_once(bench: PipelineBench, reader: PublicReader) -> None:
    """G2, G5: window by window, from the head and from the beginning."""
    await publish(bench, 1, 3)
    fresh, late = Poller(reader), Poller(reader, EARLIEST)
    for number in range(4, 24, 2):
        await fresh.poll()
        await late.poll()
        await publish(bench, number, 2)
        bench.clock.advance(5)
    await fresh.poll()
    await late.poll()
    assert late.offsets == list(range(1, 24))
    assert fresh.offsets == list(range(4, 24))


async def test_pollers_come_to_ask_for_the_same(bench: PipelineBench, reader: PublicReader) -> None:
    """F4: wherever and whenever they began, after a window they share one address."""
    pollers = []
    for number in range(1, 30):
        await publish(bench, number)
        bench.clock.advance(0.5)
        pollers.append(Poller(reader))
        await pollers[-1].poll()
    await asyncio.gather(*(poller.poll() for poller in pollers))
    bench.clock.advance(5)
    await asyncio.gather(*(poller.poll() for poller in pollers))
    assert len({poller.since for poller in pollers}) == 1
    # A quiet topic keeps that address, also for those who come new.
    bench.clock.advance(3600)
    late = Poller(reader)
    await late.poll()
    for poller in pollers:
        assert not (await poller.poll()).frames
    assert {poller.since for poller in pollers} == {late.since}


async def test_an_answer_holds_until_its_window_ends(
    bench: PipelineBench, reader: PublicReader
) -> None:
    bench.clock.advance(5 - bench.clock() % 5)
    first = await reader.read(TOPIC, LATEST)
    assert first.fresh_seconds == 5
    bench.clock.advance(3.5)
    await publish(bench, 1)
    second = await reader.read(TOPIC, LATEST)
    assert (second.body, second.fresh_seconds) == (first.body, 2)
    bench.clock.advance(1.4)
    assert (await reader.read(TOPIC, LATEST)).fresh_seconds == 1
    bench.clock.advance(0.2)
    assert (await reader.read(TOPIC, LATEST)).body != first.body


async def test_an_empty_answer_is_a_few_bytes(bench: PipelineBench, reader: PublicReader) -> None:
    """G2r."""
    await publish(bench, 1)
    poller = Poller(reader)
    await poller.poll()
    assert len((await reader.read(TOPIC, poller.since)).body) <= 8


async def test_a_long_way_back_comes_in_pages(bench: PipelineBench, reader: PublicReader) -> None:
    await publish(bench, 1, PAGE_EVENTS + 20)
    poller = Poller(reader, EARLIEST)
    response = await poller.poll()
    assert response.more
    assert not response.HasField("next_poll_after")
    response = await poller.poll()
    assert not response.more
    assert poller.offsets == list(range(1, PAGE_EVENTS + 21))


async def test_a_cursor_of_another_log_is_told_reset(
    bench: PipelineBench, reader: PublicReader
) -> None:
    """G6."""
    await publish(bench, 1, 3)
    other = PipelineBench()
    await publish(other, 1, 2)
    bench.engine.log(TOPIC).epoch += 1
    stranger = Poller(PublicReader(other.engine, Namespaces(), other.clock))
    await stranger.poll()
    poller = Poller(reader, stranger.since)
    await poller.poll()
    assert poller.verdicts == [frame_pb2.VERDICT_RESET]
    assert poller.offsets == [1, 2, 3]
    assert not (await poller.poll()).frames


async def test_one_looks_for_all(bench: PipelineBench, reader: PublicReader) -> None:
    await publish(bench, 1)
    reads = 0
    head = bench.engine.head

    async def counted(topic: str) -> object:
        nonlocal reads
        reads += 1
        await asyncio.sleep(0)
        return await head(topic)

    bench.engine.head = counted  # type: ignore[method-assign,assignment]
    await asyncio.gather(*(reader.read(TOPIC, LATEST) for _ in range(100)))
    assert reads == 1
