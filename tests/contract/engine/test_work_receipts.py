"""Receipts are no work: they are passed over, and counted (E1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.engine.sqlite import Retention, SqliteEngine
from hub.engine.work import Ruling, Settlement, WorkSpec
from hub.model.receipts import DISMISSED, READ
from tests.contract.engine.harness import RecordingFeed, work_of
from tests.contract.engine.inbox_bench import TOPIC, Bench, opened
from tests.contract.engine.work_suite import NAME, ids, refs, take

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hub.engine.work import WorkStore

SPEC = WorkSpec(NAME, "user/*", ordered=False, created_ms=1)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with opened(tmp_path) as made:
        yield made


@pytest.fixture
async def work(bench: Bench) -> WorkStore:
    made = work_of(bench.engine)
    await made.create(SPEC)
    return made


@pytest.fixture
def shard(bench: Bench) -> int:
    return bench.engine.shard_of(TOPIC)


async def test_they_are_passed_over_and_counted(bench: Bench, work: WorkStore, shard: int) -> None:
    """E1: a worker for notifications gets notifications."""
    await bench.publish("a")
    await bench.say(("a", READ))
    await bench.publish("b")
    await bench.say(("b", READ), ("b", DISMISSED))
    assert (await work.backlog(SPEC, shard)).events == 2
    taken = await take(work, shard)
    assert ids(taken) == [("a", 1), ("b", 1)]
    assert taken.receipts == 3
    assert (await take(work, shard)).receipts == 0, "counted once"


async def test_only_those_before_the_place_are_counted(
    bench: Bench, work: WorkStore, shard: int
) -> None:
    await bench.publish("a", "b", "c")
    for name in ("a", "b", "c"):
        await bench.say((name, READ))
    await bench.publish("d")
    first = await take(work, shard, fresh=3)
    assert (ids(first), first.receipts, first.more) == (
        [("a", 1), ("b", 1), ("c", 1)],
        3,
        True,
    )
    second = await take(work, shard, fresh=3)
    assert (ids(second), second.receipts) == ([("d", 1)], 0)


async def test_those_that_are_trimmed_are_no_dead_letters(
    bench: Bench, work: WorkStore, shard: int
) -> None:
    """E1: retention tells of work that nobody did, and of nothing else."""
    assert isinstance(bench.engine, SqliteEngine)
    feed = RecordingFeed()
    await bench.engine.open(TOPIC, feed)
    await bench.publish("a")
    taken = await take(work, shard)
    await work.settle(NAME, shard, [Settlement(ref, Ruling.DONE) for ref in refs(taken)])
    await bench.say(("a", READ))
    bench.store.retention[TOPIC] = Retention(max_age_s=60)
    bench.store.clock.advance(120)
    await feed.until(lambda seen: bool(seen.floors) and seen.floors[-1] == 2)
    assert await work.dead(shard, 10) == []
