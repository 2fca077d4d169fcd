"""The register of work subscriptions: handed out in order, counted, settled once, kept (E1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.engine.sqlite import Retention
from hub.engine.work import Ruling, Settlement, Taken, WorkSpec
from hub.errors import NotFound
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

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from hub.engine.contract import Engine
    from hub.engine.work import WorkStore

NAME = "analyse"
SPEC = WorkSpec(NAME, "meeting/*", ordered=False, created_ms=1)


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


async def take(
    work: WorkStore,
    shard: int,
    fresh: int = 100,
    again: Sequence[int] = (),
    *,
    hand_out: bool = True,
) -> Taken:
    return await work.take(NAME, shard, again=again, fresh=fresh, hand_out=hand_out)


def ids(taken: Taken) -> list[tuple[str, int]]:
    """(event id, attempt) of what was handed out."""
    return [(event_pb2.Event.FromString(data).id, item.attempts) for item, data in taken.handed_out]


def refs(taken: Taken) -> list[int]:
    return [item.ref for item, _ in taken.handed_out]


def done(*numbers: int) -> list[Settlement]:
    return [Settlement(ref, Ruling.DONE) for ref in numbers]


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


async def test_replayed_dead_letters_are_remembered_while_they_are_kept(
    engine: Engine, store: Store, work: WorkStore
) -> None:
    topic = "dead/meeting"
    await engine.publish(store.drafts("a", "b", topic=topic))
    await work.mark_replayed(topic, [1])
    await work.mark_replayed(topic, [1, 2])
    assert await work.replayed(topic) == {1, 2}
    assert await work.replayed("dead/user") == set()
