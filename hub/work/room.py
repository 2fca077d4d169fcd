"""The room as a whole: work subscriptions, and the burial of what they give up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.work.burial import Burials
from hub.work.coordinator import WorkCoordinator

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.engine.contract import Engine
    from hub.engine.work import WorkStore
    from hub.telemetry.metrics import Metrics


class WorkRoom:
    """Starts and ends with the hub.

    Args:
        store: the register.
        engine: whose register it is.
        clock: seconds since the epoch.
        metrics: counted here.
        max_attempts: an event handed out so often and not acknowledged is dead.
    """

    def __init__(
        self,
        store: WorkStore,
        engine: Engine,
        clock: Callable[[], float],
        metrics: Metrics,
        max_attempts: int,
    ) -> None:
        self._engine = engine
        self.burials = Burials(store, engine, clock, metrics)
        self.coordinator = WorkCoordinator(
            store, engine, clock, metrics, max_attempts=max_attempts, on_dead=self.burials.notify
        )

    async def start(self) -> None:
        """Go on with what the register knows; the engine has started.

        Raises:
            HubError: it cannot be read.
        """
        await self.coordinator.start()
        for shard in range(self._engine.shard_count):
            self.burials.notify(shard)

    def drain(self) -> None:
        """Hand out nothing more."""
        self.coordinator.drain()

    def release(self, session_id: str, *, lost: bool) -> None:
        """A session has ended; ``lost`` = it broke off, and nobody ended it."""
        self.coordinator.release(session_id, lost=lost)

    async def stop(self) -> None:
        """End before the engine does; what is not buried waits for the next start."""
        await self.coordinator.stop()
        await self.burials.stop()
