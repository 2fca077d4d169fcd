"""How events leave a work subscription undone (E1): dead, expired, trimmed, taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.engine.sqlite import Retention
from hub.engine.work import Ruling, Settlement
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2
from tests.contract.engine.harness import (
    MAKERS,
    TOPIC,
    WITH_WORK,
    RecordingFeed,
    Store,
    offsets,
    steward_of,
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


async def test_a_dead_event_waits_to_be_published_with_all_that_is_known(
    engine: Engine, store: Store, work: WorkStore, shard: int
) -> None:
    (offset,) = offsets(await engine.publish(store.drafts("a")))
    (a,) = refs(await take(work, shard))
    reason = reasons.ERROR_REASON_REJECTED_BY_MEMBER
    assert await work.settle(NAME, shard, [Settlement(a, Ruling.DEAD, reason=reason)]) == [True]
    (dead,) = await work.dead(shard, 10)
    assert (dead.work, dead.topic, dead.offset, dead.attempts) == (NAME, TOPIC, offset, 1)
    assert (dead.reason, dead.event_id) == (reason, "a")
    assert event_pb2.Event.FromString(dead.data).offset == offset
    await work.bury(shard, [dead.ref])
    assert await work.dead(shard, 10) == []
    assert await work.open_items(NAME, shard) == []


async def test_what_an_operator_takes_out_waits_for_no_burial(
    engine: Engine, store: Store, work: WorkStore, shard: int
) -> None:
    """E2: neither handed out any more, nor kept among the dead events."""
    await engine.publish(store.drafts("a", "b", "c", "d"))
    a, b, *_ = refs(await take(work, shard, fresh=3))
    reason = reasons.ERROR_REASON_REJECTED_BY_MEMBER
    dying = [Settlement(ref, Ruling.DEAD, reason=reason) for ref in (a, b)]
    assert await work.settle(NAME, shard, dying) == [True, True]
    steward = steward_of(engine)
    assert await steward.withdraw(TOPIC, "a")
    assert [dead.event_id for dead in await work.dead(shard, 10)] == ["b"]
    assert await steward.withdraw(TOPIC, "d")
    assert ids(await take(work, shard)) == []
    await steward.purge(TOPIC)
    assert await work.dead(shard, 10) == []
    kept = [item.ref for item in await work.open_items(NAME, shard)]
    assert (await take(work, shard, again=kept)).gone == kept


async def test_expired_events_are_left_out_and_counted(
    engine: Engine, store: Store, work: WorkStore, shard: int
) -> None:
    """G9."""
    await engine.publish([store.draft("a", expires_ms=store.clock() + 1000)])
    await engine.publish([store.draft("b", expires_ms=store.clock() + 9000)])
    await engine.publish(store.drafts("c"))
    store.clock.advance(2)
    taken = await take(work, shard)
    assert (ids(taken), taken.expired) == ([("b", 1), ("c", 1)], 1)
    store.clock.advance(20)
    again = await take(work, shard, again=refs(taken))
    assert (ids(again), again.expired, again.gone) == ([("c", 2)], 1, refs(taken)[:1])


async def test_what_retention_trims_before_its_ack_is_dead(
    engine: Engine, store: Store, work: WorkStore, shard: int
) -> None:
    """G6: handed out or not, it does not vanish."""
    feed = RecordingFeed()
    await engine.open(TOPIC, feed)
    await engine.publish(store.drafts("held", "acked", "waiting"))
    held, acked = refs(await take(work, shard, fresh=2))
    await work.settle(NAME, shard, done(acked))
    store.retention[TOPIC] = Retention(max_events=1)
    await engine.publish(store.drafts("kept", "newest"))
    await feed.until(lambda seen: seen.floors[-1:] == [3])
    letters = await work.dead(shard, 10)
    assert [(dead.event_id, dead.attempts) for dead in letters] == [("held", 1), ("waiting", 0)]
    assert {dead.reason for dead in letters} == {reasons.ERROR_REASON_RETENTION}
    # The ack of a member that was late by less than the burial still counts.
    assert await work.settle(NAME, shard, done(held)) == [True]
    assert [dead.event_id for dead in await work.dead(shard, 10)] == ["waiting"]
    assert ids(await take(work, shard)) == [("kept", 1), ("newest", 1)]


async def test_nothing_more_is_registered_beyond_the_span(
    engine: Engine, store: Store, work: WorkStore, shard: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.engine.sqlite.work_take.MAX_SPAN", 3)
    await engine.publish(store.drafts("a", "b", "c", "d", "e"))
    first = await take(work, shard)
    assert ([name for name, _ in ids(first)], first.full) == (["a", "b", "c"], True)
    a, b, c = refs(first)
    # Newer ones are settled: the oldest still holds the rest.
    await work.settle(NAME, shard, done(b, c))
    held = await take(work, shard)
    assert (ids(held), held.full, held.more) == ([], True, True)
    await work.settle(NAME, shard, done(a))
    assert [name for name, _ in ids(await take(work, shard))] == ["d", "e"]


async def test_replayed_dead_letters_are_remembered_while_they_are_kept(
    engine: Engine, store: Store, work: WorkStore
) -> None:
    topic = "dead/meeting"
    await engine.publish(store.drafts("a", "b", topic=topic))
    await work.mark_replayed(topic, [1])
    await work.mark_replayed(topic, [1, 2])
    assert await work.replayed(topic) == {1, 2}
    assert await work.replayed("dead/user") == set()
