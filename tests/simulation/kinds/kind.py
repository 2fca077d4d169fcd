"""What goes on beside the streams of a simulation."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.simulation.network import Network
    from tests.simulation.people import Person, Reader

LOOK_SECONDS = 0.5
PATIENCE_SECONDS = 120.0


class Kind(ABC):
    """People who use the hub in another way than to publish and to read.

    Attributes:
        topics: whose logs are to be read at the end, beside those of the plan.
        people: all of it but its readers.
        readers: who read topics of its own and are judged as all readers are.
        tasks: what goes on until `end`.
    """

    topics: tuple[str, ...] = ()
    people: Sequence[Person] = ()
    readers: Sequence[Reader] = ()

    def __init__(self, network: Network) -> None:
        self.network = network
        self.tasks: list[asyncio.Future[None]] = []

    async def begin(self) -> None:
        """Before anybody publishes."""
        return

    @abstractmethod
    async def run(self) -> None:
        """Do it until the plan's time is over, and wait until it has come to its end."""

    def finish(self) -> None:
        """Write down what is known only at the end; the logs are read."""
        return

    async def end(self) -> list[str]:
        """Leave nothing that runs; who has given up before."""
        given_up = [f"somebody gave up: {task.exception()!r}" for task in self.tasks if task.done()]
        for task in self.tasks:
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks)
        return given_up

    async def pause(self, longest: float) -> bool:
        """Wait for a while; False = the plan's time is over."""
        await asyncio.sleep(self.network.random.uniform(0.2, 1.0) * longest)
        return self.network.loop.time() < self.network.plan.seconds

    async def calm(self) -> None:
        """Return when everything works."""
        while not self.network.calm or self.network.hub is None:  # noqa: ASYNC110 - costs nothing
            await asyncio.sleep(LOOK_SECONDS)

    async def until(self, done: Callable[[], bool]) -> bool:
        """Whether it came to be before patience ended."""
        loop = self.network.loop
        end = loop.time() + PATIENCE_SECONDS
        while not done():
            if loop.time() >= end:
                return False
            await asyncio.sleep(LOOK_SECONDS)
        return True
