"""A durable outbox while a client is open: the file, and the task that sends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from shipspeak_realtime.durable.drain import Drainer

if TYPE_CHECKING:
    from shipspeak_realtime.clock import Clock
    from shipspeak_realtime.durable.outbox import SqliteOutbox
    from shipspeak_realtime.publish import Publisher


class OpenOutbox:
    """What a client holds of its outbox.

    Args:
        outbox: open.
        publisher: of the client.
        clock: time.
    """

    def __init__(self, outbox: SqliteOutbox, publisher: Publisher, clock: Clock) -> None:
        self.outbox = outbox
        drainer = Drainer(outbox, publisher, clock)
        self._task = asyncio.create_task(drainer.run(), name=f"outbox {outbox.path}")

    async def stop(self) -> None:
        """Send nothing more; what waits stays in the file."""
        self._task.cancel()
        await asyncio.wait({self._task})

    async def close(self) -> None:
        """Close the file."""
        await self.outbox.close()
