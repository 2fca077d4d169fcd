"""Members of one work subscription: they acknowledge most events and put some back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from shipspeak_realtime import AdminClient, RealtimeClient, RealtimeError
from tests.chaos.ending import end
from tests.chaos.legs import no_jitter
from tests.guarantees.works import Handout
from tests.support.until import until

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence
    from random import Random

    from shipspeak_realtime import Delivery
    from tests.guarantees.history import Log
    from tests.guarantees.works import Works

WORK = "chaos"
# One first attempt in so many is put back.
NACK_ONE_IN = 10


class Workers:
    """All members.

    Args:
        targets: host:port for each member.
        topic: that they work on.
        works: gets what they were handed, and what was confirmed to them.
        random: of what they put back.
    """

    def __init__(self, targets: Sequence[str], topic: str, works: Works, random: Random) -> None:
        self._targets, self._topic = targets, topic
        self._works, self._random = works, random
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, group: asyncio.TaskGroup) -> None:
        """Begin to work; any member that fails fails the trial."""
        self._tasks = [
            group.create_task(self._work(target, f"worker-{number}"))
            for number, target in enumerate(self._targets)
        ]

    async def joined(self, hub: str) -> None:
        """Return when the hub knows all of them."""
        async with AdminClient(hub) as admin:
            while [work.members for work in await admin.work()] != [len(self._targets)]:
                pass

    async def finish(self, log: Log, patience: float) -> bool:
        """Let them work up to the end of a log, then stop; False when patience ended first."""
        owed = {event.offset for event in log.events if not event.expires_ms}
        self._works.owed[WORK, self._topic] = log.head

        def has_all() -> bool:
            return owed <= {handout.offset for handout in self._works.handouts}

        try:
            await until(has_all, seconds=patience)
        except TimeoutError:
            return False
        finally:
            await end(self._tasks)
        return True

    async def _work(self, target: str, name: str) -> None:
        async with RealtimeClient(target, client_id=name, random=no_jitter) as client:
            # One at a time: what waits in a member's own hands would be taken from them late.
            async for delivery in client.work(WORK, self._topic, max_outstanding=1):
                await self._settle(delivery, name)

    async def _settle(self, delivery: Delivery, name: str) -> None:
        event, now = delivery.event, time.monotonic()
        handout = Handout(WORK, delivery.topic, event.offset, event.id, delivery.attempt, name, now)
        self._works.handouts.append(handout)
        try:
            if delivery.attempt == 1 and not self._random.randrange(NACK_ONE_IN):
                await delivery.nack()
                return
            await delivery.ack()
        except RealtimeError:
            return  # the hub or the way to it was gone: nothing was confirmed
        handout.confirmed_at = time.monotonic()
