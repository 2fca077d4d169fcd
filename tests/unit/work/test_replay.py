"""Dead letters are copies: what was deleted since comes back by no replay."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hub.engine.sqlite import SqliteSteward
from shipspeak.realtime.v1 import frame_pb2
from tests.support.until import until
from tests.unit.work.bench import TOPIC, WorkBench

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[WorkBench]:
    made = WorkBench(tmp_path / "data")
    await made.start()
    yield made
    await made.stop()


async def test_a_replay_leaves_out_what_was_deleted(bench: WorkBench) -> None:
    one = bench.join("one")
    await bench.publish("a", "b")
    await until(lambda: len(one.deliveries) == 2)
    for delivery in one.deliveries:
        assert await bench.say(one, delivery, frame_pb2.VERB_REJECT) is None
    letters = bench.room.burials
    async with asyncio.timeout(10):
        while len(await bench.letters()) < 2:
            pass
    assert await SqliteSteward(bench.engine).withdraw(TOPIC, "a") == 1
    assert await letters.replay("meeting", "", 10) == 1
    assert await letters.replay("meeting", "", 10) == 0
    page = await bench.engine.read(TOPIC, 2, max_events=10, max_bytes=1 << 20)
    assert [event.event_id.endswith(":b") for event in page.events] == [True]


async def test_a_replay_leaves_out_what_was_purged(bench: WorkBench) -> None:
    """E2: a purge is for good; what comes after it is replayed like ever."""
    one = bench.join("one")
    for names in (("a", "b"), ("c",)):
        before = len(one.deliveries)
        await bench.publish(*names)
        await until(lambda: len(one.deliveries) == before + len(names))  # noqa: B023 - at once
        for delivery in one.deliveries[before:]:
            assert await bench.say(one, delivery, frame_pb2.VERB_REJECT) is None
        async with asyncio.timeout(30):
            while len(await bench.letters()) < before + len(names):
                pass
        if names == ("a", "b"):
            assert await SqliteSteward(bench.engine).purge(TOPIC) == 2
    assert await bench.room.burials.replay("meeting", "", 10) == 1
    page = await bench.engine.read(TOPIC, 3, max_events=10, max_bytes=1 << 20)
    assert [event.event_id.endswith(":c") for event in page.events] == [True]
