"""One start of a hub, wired by `hub.app` itself; its doors, its threads and its clock are ours."""

from __future__ import annotations

import asyncio
from functools import lru_cache, partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self
from unittest.mock import patch

from hub import app, engines
from hub.doors import REALTIME
from hub.rpc.admin import SERVICE as ADMIN_SERVICE
from hub.settings import Settings
from hub.telemetry.metrics import Metrics
from hub.topics.namespaces import Namespaces
from tests.simulation.probes import WatchedSessions
from tests.simulation.rooms import stop_rooms
from tests.simulation.store import Disk, TimedEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from hub.doors import Methods
    from hub.session.sink import Caller
    from tests.guarantees.history import History
    from tests.simulation.loop import VirtualLoop
    from tests.simulation.plan import Plan

SECRET = "a secret of a simulation, 32 bytes or more"
TICK_SECONDS = 1.0
WINDOW_BYTES = 65_536
# Of a work subscription before an event is dead.
ATTEMPTS = 4


class _Absent:
    """Stands where a door would: takes whatever is said and does nothing."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __getattr__(self, _name: str) -> Self:
        return self

    def __call__(self, *_: Any, **__: Any) -> Self:
        return self

    def __await__(self) -> Generator[None, None, None]:
        return
        yield


@lru_cache(maxsize=1)
def _metrics() -> Metrics:
    return Metrics()


@lru_cache(maxsize=8)
def _settings(heartbeat: float, ring_bytes: int, shards: int) -> Settings:
    settings = Settings(
        auth_hs256_secret=SECRET,  # type: ignore[arg-type]  # pydantic wraps it
        heartbeat_interval=heartbeat,
        window_bytes=WINDOW_BYTES,
        shards=shards,
    )
    # Smaller rings than an operator may choose: readers fall behind them sooner.
    return settings.model_copy(update={"ring_bytes": ring_bytes, "work_max_attempts": ATTEMPTS})


class _Doors:
    """Catches what the composition root gives to its doors."""

    methods: Methods

    def take(self, _settings: Settings, _metrics: Metrics, methods: Methods, *_: Any) -> _Absent:
        self.methods = methods
        return _Absent()


class SimulatedHub:
    """The rooms of one hub process.

    Attributes:
        alive: False after the crash; whatever still runs of it is cut off from everything.
        on_death: called at the crash.
        death: done at the crash.
    """

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        disk: Disk,
        loop: VirtualLoop,
        died: Callable[[], None],
        history: History,
    ) -> None:
        self.alive = True
        self.on_death: list[Callable[[], None]] = []
        self.death: asyncio.Future[None] = loop.create_future()
        self._loop, self._doors = loop, _Doors()
        ours: dict[str, Any] = {
            "time": SimpleNamespace(time=loop.wall, monotonic=loop.time),
            "Sessions": WatchedSessions,
            "Namespaces": lambda **_: Namespaces(plan.namespaces),
            "Metrics": _metrics,
            "back_end_door": self._doors.take,
            **dict.fromkeys(("Health", "browser_door"), _Absent),
        }
        engine = partial(TimedEngine, disk, died, folder)
        with patch.multiple(app, **ours), patch.object(engines, "SqliteEngine", engine):
            self._hub = app.Hub(_settings(plan.heartbeat, plan.ring_bytes, plan.shards))
        assert isinstance(self._hub.engine, TimedEngine)
        assert isinstance(self._hub.sessions, WatchedSessions)
        self.engine, self.sessions = self._hub.engine, self._hub.sessions
        self.sessions.watch(history, loop.time)
        self.connect, self.listen = self._doors.methods.connect, self._doors.methods.listen
        self._ticker: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the store and begin to tick."""
        await self.engine.start()
        await self._hub.work.start()
        self._hub.schedule.start()
        self._ticker = asyncio.ensure_future(self._hub._tick_every_second())
        self._loop.call_later(TICK_SECONDS, self._sample)

    def has_work(self, name: str) -> bool:
        """Whether there is a work subscription of that name."""
        return name in self._hub.work.coordinator._works

    async def call(self, method: str, request: bytes, caller: Caller) -> bytes:
        """Carry out a unary call.

        Raises:
            HubError: its refusal.
        """
        tables = self._doors.methods.tables
        service = REALTIME if method in tables[REALTIME] else ADMIN_SERVICE.full_name
        return await tables[service][method](request, caller)

    def crash(self) -> None:
        """Die: memory is gone, connections break, the files stay as they are."""
        if not self.alive:
            return
        self.alive = False
        if self._ticker is not None:
            self._ticker.cancel()
        stop_rooms(self._hub)
        self.engine.crash()
        self.death.set_result(None)
        for told in tuple(self.on_death):
            told()

    def _sample(self) -> None:
        if self.alive:
            self.sessions.sample(self._loop.time())
            self._loop.call_later(TICK_SECONDS, self._sample)
