"""The register of work subscriptions: handed out in order, counted, settled once, kept (E1)."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from hub.engine.sqlite.work_store import SqliteWorkStore
from hub.engine.work import Ruling, Settlement, WorkSpec
from hub.errors import NotFound, Unavailable
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from tests.contract.engine.harness import (
    MAKERS,
    TOPIC,
    WITH_WORK,
    Store,
    offsets,
    work_of,
)
from tests.contract.engine.work_suite import NAME, SPEC, done, ids, refs, take

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hub.engine.contract import Engine
    from hub.engine.work import WorkStore


@pytest.fixture(params=WITH_WORK)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store of each engine that has a register."""
    made = Store(MAKERS[request.param](tmp_path))
    yield made
    await made.close()


@pytest.fixture
def shard(engine: Engine) -> int:
    return engine.shard_of(TOPIC)


@pytest.fixture
async def work(engine: Engine) -> WorkStore:
    made = work_of(engine)
    await made.create(SPEC)
    return made


async def test_it_begins_with_what_is_stored_after_its_making(
    engine: Engine, store: Store, shard: int
) -> None:
    await engine.publish(store.drafts("before"))
    work = work_of(engine)
    await work.create(SPEC)
    await work.create(SPEC)
    assert await work.specs() == [SPEC]
    await engine.publish(store.drafts("a", "b"))
    taken = await take(work, shard)
    assert ids(taken) == [("a", 1), ("b", 1)]
    assert [item.topic for item, _ in taken.handed_out] == [TOPIC, TOPIC]
    assert (taken.more, taken.full, taken.expired) == (False, False, 0)


async def test_what_a_making_that_was_cut_short_left_gives_way(
    engine: Engine, store: Store, work: WorkStore, shard: int
) -> None:
    """Nobody was told of the first one; the second is another."""
    other = WorkSpec(NAME, "user/*", ordered=True, created_ms=2)
    await work.create(other)
    assert await work.specs() == [other]
    await engine.publish(store.drafts("a"))
    assert ids(await take(work, shard)) == []


async def test_other_topics_are_passed_over(
    engine: Engine, store: Store, work: WorkStore, shard: int
) -> None:
    topics = [f"meeting/{n}/notes" for n in range(40)]
    same_shard = [topic for topic in topics if engine.shard_of(topic) == shard]
    assert same_shard
    for topic in same_shard:
        await engine.publish(store.drafts("x", topic=topic))
    await engine.publish(store.drafts("a"))
    assert ids(await take(work, shard)) == [("a", 1)]


async def test_what_is_asked_for_comes_in_order_and_the_rest_later(
    engine: Engine, store: Store, work: WorkStore, shard: int
) -> None:
    await engine.publish(store.drafts("a", "b", "c"))
    first = await take(work, shard, fresh=2)
    assert (ids(first), first.more) == ([("a", 1), ("b", 1)], True)
    second = await take(work, shard, fresh=2)
    assert (ids(second), second.more) == ([("c", 1)], False)


async def test_an_event_may_be_registered_first_and_handed_out_later(
    engine: Engine, store: Store, work: WorkStore, shard: int
) -> None:
    await engine.publish(store.drafts("a", "b"))
    taken = await take(work, shard, hand_out=False)
    assert taken.handed_out == []
    assert [item.attempts for item in taken.registered] == [0, 0]
    again = await take(work, shard, fresh=0, again=[taken.registered[0].ref])
    assert ids(again) == [("a", 1)]


async def test_attempts_and_acks_outlive_a_restart(store: Store) -> None:
    engine = await store.open()
    work, shard = work_of(engine), engine.shard_of(TOPIC)
    await work.create(SPEC)
    await engine.publish(store.drafts("a", "b", "c"))
    taken = await take(work, shard)
    a, b, c = refs(taken)
    assert await work.settle(NAME, shard, done(b)) == [True]
    later = store.clock() + 60_000
    assert await work.settle(NAME, shard, [Settlement(c, Ruling.BACK, not_before_ms=later)])

    work = work_of(await store.open())
    assert await work.specs() == [SPEC]
    kept = await work.open_items(NAME, shard)
    assert [(item.ref, item.attempts, item.not_before_ms) for item in kept] == [
        (a, 1, 0),
        (c, 1, later),
    ]
    assert ids(await take(work, shard, again=[a, c])) == [("a", 2), ("c", 2)]


async def test_an_event_is_settled_once(
    engine: Engine, store: Store, work: WorkStore, shard: int
) -> None:
    await engine.publish(store.drafts("a"))
    (a,) = refs(await take(work, shard))
    assert await work.settle(NAME, shard, done(a)) == [True]
    assert await work.settle(NAME, shard, done(a)) == [False]
    assert await work.settle(NAME, shard, [Settlement(a, Ruling.BACK)]) == [False]
    assert (await take(work, shard, again=[a])).gone == [a]


async def test_seeking_to_a_time_hands_everything_out_again(
    engine: Engine, store: Store, work: WorkStore, shard: int
) -> None:
    await engine.publish(store.drafts("old"))
    store.clock.advance(60)
    since = store.clock()
    await engine.publish(store.drafts("a", "b"))
    await work.settle(NAME, shard, done(*refs(await take(work, shard))[:2]))
    await work.seek_time(NAME, since)
    assert await work.open_items(NAME, shard) == []
    assert ids(await take(work, shard)) == [("a", 1), ("b", 1)]
    store.clock.advance(60)
    await work.seek_time(NAME, store.clock())
    assert ids(await take(work, shard)) == []


async def test_seeking_to_an_offset(
    engine: Engine, store: Store, work: WorkStore, shard: int
) -> None:
    a, _, _ = offsets(await engine.publish(store.drafts("a", "b", "c")))
    await work.seek_offset(NAME, TOPIC, a)
    assert ids(await take(work, shard)) == [("b", 1), ("c", 1)]


async def test_the_backlog_counts_what_is_not_settled(
    engine: Engine, store: Store, work: WorkStore, shard: int
) -> None:
    assert (await work.backlog(SPEC, shard)).events == 0
    oldest = store.clock()
    await engine.publish(store.drafts("a"))
    store.clock.advance(5)
    await engine.publish(store.drafts("b", "c"))
    (a,) = refs(await take(work, shard, fresh=1))
    backlog = await work.backlog(SPEC, shard)
    assert (backlog.events, backlog.oldest_ms) == (3, oldest)
    await work.settle(NAME, shard, done(a))
    backlog = await work.backlog(SPEC, shard)
    assert (backlog.events, backlog.oldest_ms) == (2, store.clock())


async def test_a_removed_one_is_unknown(
    engine: Engine, store: Store, work: WorkStore, shard: int
) -> None:
    await engine.publish(store.drafts("a"))
    await take(work, shard)
    await work.remove(NAME)
    assert await work.specs() == []
    with pytest.raises(NotFound, match="WORK_UNKNOWN"):
        await take(work, shard)


async def test_removing_what_is_not_there_changes_nothing(work: WorkStore) -> None:
    await work.remove("nobody")
    assert await work.specs() == [SPEC]


async def test_a_removal_that_was_cut_short_is_finished_and_not_undone(
    engine: Engine, store: Store, work: WorkStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E1: it may have reached some shards and not others, whichever step failed."""
    for step in (1, engine.shard_count + 1):
        await work.create(SPEC)
        with monkeypatch.context() as patch:
            fail_at(step, work, patch)
            with pytest.raises(Unavailable):
                await work.remove(NAME)
        assert await work.specs() == []
        await work.create(SPEC)
        assert await work.specs() == [SPEC]
        await work.remove(NAME)
        assert await work.specs() == []


def fail_at(step: int, work: WorkStore, patch: pytest.MonkeyPatch) -> None:
    """The register's write of this number fails, counted from 0, and all after it."""
    assert isinstance(work, SqliteWorkStore)
    shards = work._shards
    operate = shards.operate
    numbers = itertools.count()

    async def failing(shard: int, operation: Any) -> Any:
        if next(numbers) >= step:
            raise Unavailable(reasons.ERROR_REASON_STORAGE_FAILED, "the disk is full")
        return await operate(shard, operation)

    patch.setattr(shards, "operate", failing)


async def test_counting_the_backlog_ends_somewhere(
    engine: Engine, store: Store, work: WorkStore, shard: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E2: an operator's look does not read through a log of any length."""
    monkeypatch.setattr("hub.engine.sqlite.work_scan.COUNT_ROWS", 3)
    await engine.publish(store.drafts("a", "b"))
    await take(work, shard, fresh=1)
    await engine.publish(store.drafts("c"))
    backlog = await work.backlog(SPEC, shard)
    assert (backlog.events, backlog.more) == (3, False)
    await engine.publish(store.drafts("d", "e"))
    backlog = await work.backlog(SPEC, shard)
    assert (backlog.events, backlog.more) == (4, True)
