"""Operations weigh: what waits for the disk, and what one transaction does, is bounded."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from hub.engine.schedule import ScheduledDraft
from hub.engine.sqlite import SqliteEngine, shard
from hub.engine.sqlite.engine import wall_clock_ms
from hub.engine.sqlite.removal import Purge, Purged
from hub.engine.sqlite.scheduled import AddScheduled
from hub.errors import ResourceExhausted
from tests.unit.engine.sqlite.support import START_MS, TOPIC, draft, drafts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from hub.engine.sqlite.requests import Outcome, Request, Weight

PATIENCE_S = 10.0


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    made = SqliteEngine(tmp_path / "data", shards=1)
    await made.start()
    yield made
    await made.stop()


async def test_operations_with_bodies_are_bounded_like_publishes(
    engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard, "MAX_WAITING_BYTES", 1000)

    def add(number: int, size: int) -> AddScheduled:
        late = ScheduledDraft(draft(f"{number}", body=bytes(size)), START_MS + 10**9)
        return AddScheduled([late])

    calls = [engine.operate(0, add(number, 400)) for number in range(5)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, ResourceExhausted)]
    assert len(refused) == 3
    assert refused[0].reason_name == "OVERLOADED"
    blocked = asyncio.ensure_future(engine.operate(0, add(7, 999)))
    await asyncio.sleep(0)
    assert isinstance(await engine.operate(0, Purge(TOPIC, wall_clock_ms)), Purged), (
        "without bodies: never"
    )
    await blocked
    assert len(await engine.operate(0, add(8, 4000))) == 1, "what was done frees its bytes"


async def test_a_batch_ends_where_its_operations_weigh_enough(engine: SqliteEngine) -> None:
    """So that one transaction does not hold all who come after it."""
    batches: list[list[Weight]] = []
    thread = engine._shards[0]._thread
    assert thread is not None
    commit, held, free = thread.writer.commit, threading.Event(), threading.Event()

    def watch(batch: Sequence[Request]) -> Outcome:
        batches.append([request.weight for request in batch])
        held.set()
        free.wait(PATIENCE_S)
        return commit(batch)

    thread.writer.commit = watch  # type: ignore[method-assign]
    first = asyncio.ensure_future(engine.publish(drafts("a")))
    await asyncio.to_thread(held.wait, PATIENCE_S)
    late = [ScheduledDraft(draft(f"{n}", body=bytes(3000)), START_MS + 10**9) for n in range(500)]
    calls = [asyncio.ensure_future(engine.operate(0, AddScheduled(late))) for _ in range(8)]
    await asyncio.sleep(0)
    free.set()
    await asyncio.gather(first, *calls)
    assert [len(batch) for batch in batches] == [1, 2, 2, 2, 2]
