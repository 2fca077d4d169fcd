"""What the engine suite needs: engines, a clock to turn, feeds to look into, drafts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from hub.engine.contract import AppendResult, Engine, Stored
from hub.engine.sqlite import Retention, SqliteEngine, SqliteSteward
from hub.model.cursor import Cursor
from hub.model.events import NORMAL, Append, StoredEvent
from shipspeak.realtime.v1 import event_pb2
from tests.support.memory_engine import MemoryEngine
from tests.support.peer_pair import pair_maker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hub.engine.steward import Steward
    from hub.engine.work import WorkStore
    from tests.support.memory_log import MemoryLog

START_MS = 1_800_000_000_000
TOPIC = "meeting/42"
PATIENCE_S = 10.0


class ManualClock:
    """Milliseconds since the epoch, moved by hand."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms

    def advance(self, seconds: float) -> None:
        self.now_ms += int(seconds * 1000)


class EngineMaker(Protocol):
    """Makes an engine on one store; a second call after ``stop`` is a restart on the same store."""

    def __call__(
        self, clock: Callable[[], int], retention: Callable[[str], Retention], lifetime_s: float
    ) -> Engine: ...


def sqlite_maker(directory: Path) -> EngineMaker:
    def make(
        clock: Callable[[], int], retention: Callable[[str], Retention], lifetime_s: float
    ) -> Engine:
        return SqliteEngine(
            directory / "data",
            clock=clock,
            retention=retention,
            dedup_lifetime_s=lifetime_s,
            round_interval_s=0.02,
        )

    return make


def memory_maker(_directory: Path) -> EngineMaker:
    logs: dict[str, MemoryLog] = {}

    def make(
        clock: Callable[[], int], retention: Callable[[str], Retention], lifetime_s: float
    ) -> Engine:
        return MemoryEngine(lambda: clock() / 1000, logs, retention, lifetime_s)

    return make


def following_maker(directory: Path) -> EngineMaker:
    """An engine that owns nothing: all is done by another one, which is a peer."""
    return pair_maker(directory, owns_some=False)


def sharing_maker(directory: Path) -> EngineMaker:
    """An engine that owns about half of the shards; a peer has the others."""
    return pair_maker(directory, owns_some=True)


# A new engine joins the suite by a line here, and, with a steward or with a register of work
# subscriptions, by a name in the next lines.
MAKERS: dict[str, Callable[[Path], EngineMaker]] = {
    "sqlite": sqlite_maker,
    "following": following_maker,
    "sharing": sharing_maker,
    "memory": memory_maker,
}
# The suite itself; where topics of several shards meet, "sharing" is tried, too.
EVERYWHERE = ("following", "memory", "sqlite")
WITH_STEWARD = ("following", "sharing", "sqlite")
WITH_WORK = ("following", "sharing", "sqlite")


def work_of(engine: Engine) -> WorkStore:
    """The register of work subscriptions of an engine that has one."""
    store: WorkStore = engine.work  # type: ignore[attr-defined]
    return store


class Store:
    """One store, and the engine that is open on it."""

    def __init__(self, make: EngineMaker) -> None:
        self._make = make
        self.clock = ManualClock()
        self.retention: dict[str, Retention] = {}
        self.lifetime_s = 24 * 3600.0
        self.engine: Engine | None = None

    async def open(self) -> Engine:
        """Start the engine, or restart it."""
        await self.close()
        self.engine = self._make(self.clock, self._policy, self.lifetime_s)
        await self.engine.start()
        return self.engine

    async def close(self) -> None:
        if self.engine is not None:
            engine, self.engine = self.engine, None
            await engine.stop()

    def _policy(self, topic: str) -> Retention:
        return self.retention.get(topic, Retention())

    def draft(self, event_id: str, topic: str = TOPIC, **fields: object) -> Append:
        """A draft as the pipeline would hand it over, published now."""
        values: dict[str, object] = {
            "publisher": "back-end",
            "priority": NORMAL,
            "key": "",
            "published_ms": self.clock(),
            "body": event_pb2.Event(id=event_id).SerializeToString(),
            **fields,
        }
        return Append(topic=topic, event_id=event_id, **values)  # type: ignore[arg-type]

    def drafts(self, *event_ids: str, topic: str = TOPIC) -> list[Append]:
        return [self.draft(event_id, topic) for event_id in event_ids]


def steward_of(engine: Engine) -> Steward:
    """The steward of an engine of the suite."""
    assert isinstance(engine, SqliteEngine)
    return SqliteSteward(engine)


async def purge(engine: Engine, topic: str = TOPIC) -> None:
    """Purge a topic of any engine."""
    if isinstance(engine, MemoryEngine):
        engine.purge(topic)
    else:
        await steward_of(engine).purge(topic)


class RecordingFeed:
    """Keeps what it is given; lets a test wait for it."""

    def __init__(self) -> None:
        self.events: list[StoredEvent] = []
        self.floors: list[int] = []
        self.purges: list[int] = []
        self.oldest_ms: list[int] = []
        self.withdrawn: list[int] = []
        self._changed = asyncio.Event()

    def on_events(self, events: Sequence[StoredEvent]) -> None:
        self.events.extend(events)
        self._changed.set()

    def on_trimmed(
        self, floor: int, *, purged: bool = False, more: bool = False, oldest_ms: int = 0
    ) -> None:
        self.floors.append(floor)
        self.oldest_ms.append(oldest_ms)
        if purged and not more:
            self.purges.append(floor)
        self._changed.set()

    def on_withdrawn(self, offsets: Sequence[int]) -> None:
        self.withdrawn.extend(offsets)
        self._changed.set()

    @property
    def ids(self) -> list[str]:
        return [event.event_id for event in self.events]

    async def until(self, reached: Callable[[RecordingFeed], bool]) -> None:
        """Wait until ``reached``; fails after PATIENCE_S."""
        async with asyncio.timeout(PATIENCE_S):
            while not reached(self):
                self._changed.clear()
                await self._changed.wait()


def stored(results: Sequence[AppendResult]) -> list[Stored]:
    """The results, which must all be Stored."""
    assert all(isinstance(result, Stored) for result in results), results
    return [result for result in results if isinstance(result, Stored)]


def offsets(results: Sequence[AppendResult]) -> list[int]:
    return [result.offset for result in stored(results)]


async def read_all(engine: Engine, topic: str = TOPIC, after: int = 0) -> list[StoredEvent]:
    """Everything behind ``after``, page by page."""
    events: list[StoredEvent] = []
    while True:
        page = await engine.read(topic, after, max_events=100, max_bytes=1 << 20)
        events += page.events
        if not page.more:
            return events
        after = page.through


async def cursor_at(engine: Engine, offset: int, event_id: str = "", topic: str = TOPIC) -> Cursor:
    return Cursor((await engine.head(topic)).epoch, offset, event_id)
