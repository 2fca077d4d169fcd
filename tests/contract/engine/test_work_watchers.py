"""Watchers of work subscriptions: told after each commit of what concerns them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.engine.sqlite import Retention
from hub.engine.work import WorkSpec
from tests.contract.engine.harness import MAKERS, TOPIC, WITH_WORK, RecordingFeed, Store, work_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
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


class Watcher:
    def __init__(self) -> None:
        self.stored: list[int] = []
        self.trims: list[int] = []

    def on_stored(self, shard: int) -> None:
        self.stored.append(shard)

    def on_trimmed(self, shard: int) -> None:
        self.trims.append(shard)


async def test_a_watcher_hears_of_its_topics_alone(
    engine: Engine, store: Store, work: WorkStore, shard: int
) -> None:
    watcher = Watcher()
    work.watch(SPEC, watcher)
    await engine.publish(store.drafts("x", topic="user/alice"))
    await engine.publish(store.drafts("x", topic="meeting/42/notes"))
    assert watcher.stored == []
    await engine.publish(store.drafts("a"))
    assert watcher.stored == [shard]
    work.unwatch(NAME)
    await engine.publish(store.drafts("b"))
    assert watcher.stored == [shard]


async def test_a_watcher_of_rare_topics_is_called_now_and_then(
    engine: Engine, store: Store, work: WorkStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.engine.sqlite.watchers.FOLLOW_EVENTS", 3)
    watcher = Watcher()
    work.watch(SPEC, watcher)
    for number in range(7):
        await engine.publish(store.drafts(f"{number}", topic="user/alice"))
    assert watcher.stored == [engine.shard_of("user/alice")] * 2


async def test_a_watcher_hears_of_trims(
    engine: Engine, store: Store, work: WorkStore, shard: int
) -> None:
    watcher, feed = Watcher(), RecordingFeed()
    work.watch(SPEC, watcher)
    store.retention[TOPIC] = Retention(max_events=1)
    await engine.open(TOPIC, feed)
    await engine.publish(store.drafts("a", "b", "c", "d"))
    await feed.until(lambda seen: bool(seen.floors))
    assert watcher.trims[:1] == [shard]
