"""The steward: a look at all topics, and content taken out while offsets and ids stay."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hub.engine.contract import Verdict
from hub.engine.sqlite import Retention, SqliteEngine
from hub.engine.sqlite.removal import Purge
from hub.engine.work import WorkSpec
from shipspeak.realtime.v1 import event_pb2
from tests.contract.engine.harness import (
    MAKERS,
    TOPIC,
    WITH_STEWARD,
    RecordingFeed,
    Store,
    cursor_at,
    offsets,
    read_all,
    steward_of,
    stored,
    work_of,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hub.engine.contract import Engine
    from hub.engine.sqlite.reader import ShardReader
    from hub.model.events import Append

SECRET = b"what-alice-wrote"


@pytest.fixture(params=WITH_STEWARD)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store of each engine that has a steward."""
    made = Store(MAKERS[request.param](tmp_path))
    yield made
    await made.close()


def _body(text: bytes = SECRET) -> bytes:
    event = event_pb2.Event(id="x")
    event.content.other.value = text * 400  # more than a page, so that it overflows
    return event.SerializeToString()


def _letter(store: Store, topic: str) -> Append:
    event = event_pb2.Event(id=topic)
    event.content.attributes["topic"] = topic
    return store.draft(
        topic.replace("/", "."), "dead/user", publisher="work", body=event.SerializeToString()
    )


async def _named(engine: Engine, publisher: str) -> int:
    """Rows with a publisher's name, over all shards; of topics that the erasure has not purged."""
    assert isinstance(engine, SqliteEngine)
    count = "SELECT count(*) FROM event WHERE publisher = ?"

    def look(reader: ShardReader) -> int:
        return int(reader.connection.execute(count, (publisher,)).fetchone()[0])

    return sum([await engine.look(shard, look) for shard in range(engine.shard_count)])


async def test_topics_are_listed_by_name_over_all_shards(engine: Engine, store: Store) -> None:
    """E2: a look inside."""
    names = [f"meeting/{n:03d}" for n in range(40)] + ["user/alice", "user/alice/more"]
    await engine.publish([store.draft("a", name) for name in reversed(names)])
    steward = steward_of(engine)

    seen, after, pages = list[str](), "", 0
    while True:
        page = await steward.list_topics("", after, 7)
        assert len(page.topics) <= 7
        seen += [name for name, _ in page.topics]
        pages += 1
        after = page.after
        if not after:
            break

    assert seen == names
    assert pages >= 6
    user = await steward.list_topics("user/*", "", 100)
    assert [name for name, _ in user.topics] == ["user/alice"]
    exact = await steward.list_topics("meeting/007", "", 100)
    assert [(name, state.head) for name, state in exact.topics] == [("meeting/007", 1)]


async def test_a_purged_topic_is_empty_and_its_offsets_go_on(engine: Engine, store: Store) -> None:
    """E2: purging; readers are told, those at the head too."""
    feed = RecordingFeed()
    await engine.open(TOPIC, feed)
    await engine.publish([store.draft(f"{n}") for n in range(1_200)])

    assert await steward_of(engine).purge(TOPIC) == 1_200

    head = await engine.head(TOPIC)
    assert (head.head, head.floor, head.floor_id, head.oldest_ms) == (1_200, 1_200, "1199", 0)
    assert await read_all(engine) == []
    assert feed.purges == [1_200], "told once, with the last part"
    assert offsets(await engine.publish(store.drafts("next"))) == [1_201]
    (again,) = stored(await engine.publish(store.drafts("3")))
    assert (again.offset, again.duplicate) == (4, True), "ids are remembered beyond a purge"
    behind = await engine.resume(TOPIC, await cursor_at(engine, 5, "4"))
    assert (behind.verdict, behind.lost) == (Verdict.GAP, 1_195)
    at_head = await engine.resume(TOPIC, await cursor_at(engine, 1_200, "1199"))
    assert (at_head.verdict, at_head.lost) == (Verdict.GAP, 0), "it read what is gone now"
    assert await steward_of(engine).purge("meeting/never") == 0


async def test_a_purge_behind_retention_is_told_all_the_same(engine: Engine, store: Store) -> None:
    """Readers may still have in memory what has left the log by age."""
    feed = RecordingFeed()
    await engine.open(TOPIC, feed)
    await engine.publish(store.drafts("a", "b"))
    store.retention[TOPIC] = Retention(max_age_s=1.0)
    store.clock.advance(10)
    await feed.until(lambda one: one.floors == [2])
    assert feed.purges == []

    assert await steward_of(engine).purge(TOPIC) == 0
    assert feed.purges == [2]
    head = await engine.head(TOPIC)
    assert (head.head, head.floor, head.floor_id, head.oldest_ms) == (2, 2, "b", 0)


async def test_retention_between_two_parts_of_a_purge_hides_it_from_nobody(
    engine: Engine, store: Store
) -> None:
    assert isinstance(engine, SqliteEngine)
    feed = RecordingFeed()
    await engine.open(TOPIC, feed)
    await engine.publish([store.draft(f"{n}") for n in range(1_200)])
    shard = engine.shard_of(TOPIC)
    part = await engine.operate(shard, Purge(TOPIC, store.clock))
    assert (part.done, feed.floors, feed.purges) == (False, [500], [])
    store.retention[TOPIC] = Retention(max_age_s=1.0)
    store.clock.advance(10)
    await feed.until(lambda one: one.floors[-1] == 1_200)

    last = await engine.operate(shard, Purge(TOPIC, store.clock, part.upto))
    assert (last.removed, last.done, feed.purges) == (0, True, [1_200])


async def test_a_purge_goes_on_when_its_caller_goes_away(engine: Engine, store: Store) -> None:
    feed = RecordingFeed()
    await engine.open(TOPIC, feed)
    await engine.publish([store.draft(f"{n}") for n in range(1_200)])
    steward = steward_of(engine)
    purge = asyncio.ensure_future(steward.purge(TOPIC))
    await feed.until(lambda one: bool(one.floors))
    purge.cancel()
    await feed.until(lambda one: bool(one.purges))
    assert purge.cancelled()
    assert feed.purges == [1_200]
    assert await read_all(engine) == []


async def test_a_withdrawn_event_keeps_its_place_and_its_id(engine: Engine, store: Store) -> None:
    feed = RecordingFeed()
    await engine.open(TOPIC, feed)
    await engine.publish(
        [store.draft("a"), store.draft("b", body=_body(), key="k"), store.draft("c")]
    )

    assert await steward_of(engine).withdraw(TOPIC, "b") == 1

    events = await read_all(engine)
    assert [(e.offset, e.event_id, e.withdrawn) for e in events] == [
        (1, "a", False),
        (2, "b", True),
        (3, "c", False),
    ]
    assert (events[1].data, events[1].key) == (b"", "")
    assert feed.withdrawn == [2]
    resumed = await engine.resume(TOPIC, await cursor_at(engine, 2, "b"))
    assert resumed.verdict is Verdict.OK
    (repeat,) = stored(await engine.publish(store.drafts("b")))
    assert (repeat.offset, repeat.duplicate) == (2, True)
    assert await steward_of(engine).withdraw(TOPIC, "b") == 1, "again: it is as wanted"
    assert feed.withdrawn == [2], "and nothing is told twice"
    assert await steward_of(engine).withdraw(TOPIC, "unknown") == 0


async def test_every_publishers_event_of_the_id_is_withdrawn(engine: Engine, store: Store) -> None:
    await engine.publish([store.draft("a", publisher="x"), store.draft("a", publisher="y")])
    assert await steward_of(engine).withdraw(TOPIC, "a") == 2
    assert [e.withdrawn for e in await read_all(engine)] == [True, True]


async def test_one_of_several_with_the_id_can_be_named(engine: Engine, store: Store) -> None:
    await engine.publish([store.draft("a", publisher=name) for name in ("x", "y", "z")])
    steward = steward_of(engine)
    assert await steward.withdraw(TOPIC, "a", publisher="y") == 1
    assert await steward.withdraw(TOPIC, "a", offset=3) == 1
    assert await steward.withdraw(TOPIC, "a", offset=3, publisher="x") == 0
    assert await steward.withdraw(TOPIC, "b", offset=1) == 0
    assert [e.withdrawn for e in await read_all(engine)] == [False, True, True]


async def test_nothing_of_a_withdrawn_event_is_left_on_the_disk(
    store: Store, tmp_path: Path
) -> None:
    engine = await store.open()
    await engine.publish(
        [store.draft("a"), store.draft("b", body=_body()), store.draft("c", body=_body(b"kept"))]
    )

    def on_disk(text: bytes) -> bool:
        return any(text in path.read_bytes() for path in tmp_path.rglob("*.db*"))

    assert on_disk(SECRET)
    await steward_of(engine).withdraw(TOPIC, "b")
    while on_disk(SECRET):  # the write-ahead log is emptied in an idle moment; a test may take 60 s
        await engine.head(TOPIC)
    assert len(await read_all(engine)) == 3
    await store.close()
    assert not on_disk(SECRET)
    assert on_disk(b"kept")


async def test_a_user_is_erased_everywhere_and_the_erasure_can_be_repeated(
    engine: Engine, store: Store
) -> None:
    rooms = [f"meeting/{n}" for n in range(20)]
    mine = {"publisher": "alice", "body": _body()}
    await engine.publish([store.draft(f"{n}", room, **mine) for room in rooms for n in range(40)])
    await engine.publish([store.draft("other", room) for room in rooms])
    await engine.publish([store.draft("n", "user/alice"), store.draft("n", "user/alice/more")])
    await engine.publish([store.draft("n", "user/alicent"), store.draft("n", "user/bob", **mine)])
    await engine.publish([_letter(store, "user/alice"), _letter(store, "user/alicent")])
    await engine.publish([store.draft("withdrawn", rooms[0], **mine)])
    steward = steward_of(engine)
    await steward.withdraw(rooms[0], "withdrawn")

    assert await steward.erase("alice") == 20 * 40 + 2 + 1 + 1

    for room in rooms:
        left = [event for event in await read_all(engine, room) if not event.withdrawn]
        assert [event.event_id for event in left] == ["other"]
    assert await read_all(engine, "user/alice") == []
    assert await read_all(engine, "user/alice/more") == []
    assert [e.withdrawn for e in await read_all(engine, "user/alicent")] == [False]
    assert [e.withdrawn for e in await read_all(engine, "user/bob")] == [True]
    assert [e.withdrawn for e in await read_all(engine, "dead/user")] == [True, False]
    assert await _named(engine, "alice") == 0, "no tombstone keeps the name"
    assert await _named(engine, "back-end") == 20 + 1, "others keep theirs"
    assert await steward.erase("alice") == 0
    assert await steward.erase("*") == 0
    assert len(await read_all(engine, "user/alicent")) == 1


async def test_copies_that_wait_to_be_dead_letters_are_erased_too(
    engine: Engine, store: Store
) -> None:
    """Also where retention has taken the event, so that the copy is all there is."""
    names = ("meeting/1", "user/alice", "user/alicent")
    for number, name in enumerate(names):
        await work_of(engine).create(WorkSpec(f"w{number}", name, ordered=False, created_ms=1))
        store.retention[name] = Retention(max_age_s=1.0)
    alice = event_pb2.Event(id="a", publisher="alice").SerializeToString()
    feeds = [RecordingFeed() for _ in names]
    for name, feed in zip(names, feeds, strict=True):
        await engine.open(name, feed)
        await engine.publish([store.draft("other", name)])
    await engine.publish([store.draft("a", names[0], publisher="alice", body=alice)])
    store.clock.advance(10)
    for feed in feeds:
        await feed.until(lambda one: bool(one.floors) and one.floors[-1] == len(one.events))

    async def waiting() -> list[tuple[str, str]]:
        shards = range(engine.shard_count)
        letters = [one for shard in shards for one in await work_of(engine).dead(shard, 10)]
        return sorted((one.topic, one.event_id) for one in letters)

    assert len(await waiting()) == 4
    assert await steward_of(engine).erase("alice") == 2
    assert await waiting() == [("meeting/1", "other"), ("user/alicent", "other")]
