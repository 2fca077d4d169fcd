"""What counts as an attempt, and what is told with it (E1)."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from hub.engine.work import WorkSpec
from tests.contract.engine.harness import MAKERS, TOPIC, WITH_WORK, Store, work_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hub.engine.contract import Engine

SPEC = WorkSpec("analyse", "meeting/*", ordered=False, created_ms=1)


@pytest.fixture(params=WITH_WORK)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store of each engine that has a register."""
    made = Store(MAKERS[request.param](tmp_path))
    yield made
    await made.close()


async def test_an_attempt_that_reached_nobody_counts_as_the_next_one(
    engine: Engine, store: Store
) -> None:
    work, shard = work_of(engine), engine.shard_of(TOPIC)
    await work.create(SPEC)
    await engine.publish(store.drafts("a", "b"))
    taken = await work.take(SPEC.name, shard, again=(), fresh=2, hand_out=True)
    a, b = (item.ref for item, _ in taken.handed_out)
    again = await work.take(SPEC.name, shard, again=(a, b), fresh=0, hand_out=True, uncounted=(b,))
    assert [item.attempts for item, _ in again.handed_out] == [2, 1]
    kept = await work.open_items(SPEC.name, shard)
    assert [item.attempts for item in kept] == [2, 1]


async def test_what_is_handed_out_says_when_it_expires(engine: Engine, store: Store) -> None:
    """G9."""
    work, shard = work_of(engine), engine.shard_of(TOPIC)
    await work.create(SPEC)
    expires = store.clock() + 60_000
    a, b = store.drafts("a", "b")
    await engine.publish([a, dataclasses.replace(b, expires_ms=expires)])
    taken = await work.take(SPEC.name, shard, again=(), fresh=2, hand_out=True)
    assert [item.expires_ms for item, _ in taken.handed_out] == [0, expires]
