"""Pages of the log are read once for all readers at their place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.memory_engine import append
from tests.support.topic_bench import TOPIC, TopicBench
from tests.support.until import until

if TYPE_CHECKING:
    from tests.support.fake_sink import FakeSink


@pytest.fixture
async def bench() -> TopicBench:
    return TopicBench()


async def _until(sink: FakeSink, through: int) -> None:
    await until(lambda: sink.runs and sink.runs[-1].through_offset >= through)


def _check_chain(sink: FakeSink, after: int) -> list[int]:
    """Runs join without hole or overlap; the offsets delivered."""
    offsets = []
    for run in sink.runs:
        assert run.after_offset == after
        after = run.through_offset
        offsets += [event.offset for event in run.events]
    return offsets


async def test_readers_at_the_same_place_share_the_pages_at_any_pace(bench: TopicBench) -> None:
    """F3: who comes later, or takes longer, costs no read either."""
    await bench.publish(100, size=2_000)
    await bench.registry.open(TOPIC)
    bench.engine.reads = 0
    first = await bench.reader(0)
    await _until(first, 100)
    pages = bench.engine.reads
    assert pages >= 1
    for _ in range(10):
        sink = await bench.reader(0)
        await _until(sink, 100)
        assert _check_chain(sink, 0) == list(range(1, 101))
    assert bench.engine.reads == pages

    bench.engine.trim(TOPIC, 3)
    told = await bench.reader(0)
    await _until(told, 100)
    assert _check_chain(told, 3) == list(range(4, 101)), "what retention has taken is gone"
    assert bench.engine.reads > pages


async def test_pages_are_kept_within_their_budget(bench: TopicBench) -> None:
    await bench.publish(600, size=2_000)
    await bench.registry.open(TOPIC)
    for _ in range(3):
        sink = await bench.reader(0)
        await _until(sink, 600)
        assert _check_chain(sink, 0) == list(range(1, 601))
    assert bench.registry.page_bytes <= (1 << 20) / 4


async def test_a_purge_takes_the_pages_too(bench: TopicBench) -> None:
    await bench.publish(100, size=2_000)
    sink = await bench.reader(0)
    await _until(sink, 100)
    assert bench.registry.page_bytes > 0
    bench.engine.purge(TOPIC)
    assert bench.registry.page_bytes == 0


async def test_a_withdrawn_event_is_in_no_page_that_is_kept(bench: TopicBench) -> None:
    await bench.publish(100, size=2_000)
    await _until(await bench.reader(0), 100)
    bench.engine.withdraw(TOPIC, 2)
    late = await bench.reader(0)
    await _until(late, 100)
    assert 2 not in _check_chain(late, 0)
    assert sum(run.withdrawn for run in late.runs) == 1


async def test_a_kept_snapshot_ends_with_what_supersedes_from_a_later_page(
    bench: TopicBench,
) -> None:
    """G4r: what has expired supersedes nothing, also where its end is in no event of the page."""
    ends = int(bench.clock() * 1000) + 6_000
    await bench.engine.publish([append(TOPIC, "e1", key="k")])
    await bench.publish(599, size=2_000)
    await bench.engine.publish([append(TOPIC, "e601", key="k", expires_ms=ends)])
    assert (await bench.registry.open(TOPIC)).ring.start_offset > 0
    early = await bench.reader(0, snapshot_to=601)
    await _until(early, 601)
    assert _check_chain(early, 0) == list(range(2, 602))
    assert early.runs[0].conflated == 1
    reads = bench.engine.reads
    again = await bench.reader(0, snapshot_to=601)
    await _until(again, 601)
    assert _check_chain(again, 0) == list(range(2, 602))
    shared = bench.engine.reads - reads

    bench.clock.advance(6)
    reads = bench.engine.reads
    late = await bench.reader(0, snapshot_to=601)
    await _until(late, 601)
    assert _check_chain(late, 0) == list(range(1, 601)), "the state of k is e1 again"
    assert bench.engine.reads == reads + shared + 1, "the first page was read once more"
    reads = bench.engine.reads
    assert _check_chain(await _read(bench, 601), 0) == list(range(1, 601))
    assert bench.engine.reads == reads + shared, "and kept from then on"


async def _read(bench: TopicBench, head: int) -> FakeSink:
    sink = await bench.reader(0, snapshot_to=head)
    await _until(sink, head)
    return sink
