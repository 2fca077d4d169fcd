"""One simulation: a hub, a network and people on one clock, from a seed to a judged history."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING
from unittest.mock import patch

from hub.engine.sqlite.files import ShardFiles
from tests.guarantees.history import History, Log
from tests.guarantees.recording import stored
from tests.guarantees.validators import judge
from tests.simulation.faults import eavesdropping, overheard
from tests.simulation.hub import SimulatedHub
from tests.simulation.kinds import kinds_of
from tests.simulation.legs import LegReader
from tests.simulation.loop import VirtualLoop
from tests.simulation.network import Network
from tests.simulation.people import Reader, SdkReader, Writer
from tests.simulation.plan import Mishap, Plan, draw
from tests.simulation.store import Disk
from tests.simulation.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.simulation.link import Link

MEMORY = Path("/dev/shm")  # noqa: S108 - a file system in memory, where the system has one
PATIENCE_SECONDS = 200.0
_MANY = 1 << 30


@dataclass
class Result:
    """What came of a seed.

    Attributes:
        seed: of the plan and of every later choice.
        digest: hash of the trace.
        wrong: broken promises, and whatever else must not happen.
        publishes: number of calls.
        deliveries: number of events handed to readers.
        lines: the trace, where it was kept.
    """

    seed: int
    digest: str
    wrong: list[str]
    publishes: int
    deliveries: int
    lines: list[str] = field(default_factory=list)


def simulate(seed: int, *, keep: bool = False) -> Result:
    """Run one seed from beginning to end."""
    folder = tempfile.mkdtemp(prefix="simulation-", dir=MEMORY if MEMORY.is_dir() else None)
    faults: list[str] = []
    try:
        with eavesdropping(faults), asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(_simulate(draw(seed), Path(folder), faults, keep=keep))
    finally:
        shutil.rmtree(folder)


async def _simulate(plan: Plan, folder: Path, faults: list[str], *, keep: bool) -> Result:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.set_exception_handler(lambda _, context: overheard(faults, context))
    world = _World(plan, folder, loop, Trace(loop))
    await world.run()
    history = world.history
    wrong = [str(violation) for violation in judge(history)] + world.strange() + faults
    deliveries = sum(len(subscriber.deliveries) for subscriber in history.subscribers)
    trace = world.network.trace
    lines = trace.lines if keep else []
    return Result(plan.seed, trace.digest, wrong, len(history.publishes), deliveries, lines)


class _World:
    def __init__(self, plan: Plan, folder: Path, loop: VirtualLoop, trace: Trace) -> None:
        self.plan, self.folder, self.loop = plan, folder, loop
        self.history = History(hub_clock=loop.wall() - loop.time())
        self.random = Random(plan.seed + 1)  # noqa: S311 - to be repeated
        self.network = Network(plan, self.random, loop, self.history, trace)
        self.disk = Disk(self.random)
        self.readers: list[Reader] = [
            SdkReader(self.network, reading)
            if reading.way == "connect"
            else LegReader(self.network, reading)
            for reading in plan.readings
        ]
        self.kinds = kinds_of(self.network)
        self.readers += [reader for kind in self.kinds for reader in kind.readers]
        self._topics = dict.fromkeys(
            (*plan.topics, *(topic for kind in self.kinds for topic in kind.topics))
        )
        self._lost: dict[str, set[int]] = {topic: set() for topic in self._topics}
        self._behind: list[str] = []
        self._down_seconds = 0.1
        self._rising: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Everything, until the readers have come to the end."""
        await self._rise()
        writers = [Writer(self.network, f"writer-{n}") for n in range(self.plan.writers)]
        beside = [person for kind in self.kinds for person in kind.people]
        people = {person.name: person for person in (*writers, *self.readers, *beside)}
        with patch(
            "shipspeak_realtime.client.Transport",
            lambda server, _credentials: self.network.transport(people[server].client),
        ):
            for kind in self.kinds:
                await kind.begin()
            reading = [asyncio.ensure_future(reader.run()) for reader in self.readers]
            writing = [asyncio.ensure_future(writer.run()) for writer in writers]
            writing += [asyncio.ensure_future(kind.run()) for kind in self.kinds]
            for mishap in self.plan.mishaps:
                self.loop.call_at(mishap.at, self._happen, mishap)
            await asyncio.sleep(self.plan.seconds)
            await self._calm()
            await asyncio.wait(writing)
            self._read_logs()
            await self._catch_up(reading)
            self._note_floors()
            for kind in self.kinds:
                kind.finish()
                self._behind += await kind.end()
            for task in reading:
                task.cancel()
            await asyncio.wait(reading)
        for task in (*writing, *reading):
            if not task.cancelled() and task.exception() is not None:
                self._behind.append(f"somebody gave up: {task.exception()!r}")
        assert self.network.hub is not None
        self.network.hub.crash()

    def strange(self) -> list[str]:
        """Nothing of this is a broken promise, and nothing of it may happen."""
        return self._behind + self._misgiven()

    def _misgiven(self) -> list[str]:
        return [
            f"{reader.name}: the application got other events than were taken in {topic}"
            for reader in self.readers
            if isinstance(reader, SdkReader)
            for topic in reader.recorder.misgiven()
        ]

    # The hub's life

    async def _rise(self) -> None:
        self.disk.crash_at = lambda _boundary: False
        hub = SimulatedHub(self.plan, self.folder, self.disk, self.loop, self._kill, self.history)
        await hub.start()
        self.network.hub = hub
        self.network.trace("the hub is up")

    def _kill(self) -> None:
        hub, self.network.hub = self.network.hub, None
        if hub is None:
            return
        self.network.trace("the hub dies")
        hub.crash()
        self.loop.call_later(self._down_seconds, self._begin_again)

    def _begin_again(self) -> None:
        self._rising = asyncio.ensure_future(self._rise())

    # Mishaps

    def _happen(self, mishap: Mishap) -> None:
        hub = self.network.hub
        if hub is None or self.network.calm:
            return
        self.network.trace(mishap.kind)
        self._down_seconds = mishap.seconds
        links = self.network.open_links()
        match mishap.kind:
            case "kill":
                self._kill()
            case "kill before commit" | "kill after commit":
                at = mishap.kind.split()[1]
                self.disk.crash_at = lambda boundary: boundary == at
            case "power loss":
                for link in links:
                    link.hush()
                self._kill()
            case "lose a file":
                self._lose_file(hub)
            case "slow disk" | "full disk":
                self._hurt_disk(hub, mishap)
            case _ if links:
                self._hurt(self.random.choice(links), mishap)

    def _hurt_disk(self, hub: SimulatedHub, mishap: Mishap) -> None:
        if mishap.kind == "slow disk":
            self.disk.slow = self.random.choice((0.05, 0.5))
            self.loop.call_later(mishap.seconds, self._quick)
        else:
            hub.engine.fill(full=True)
            self.loop.call_later(mishap.seconds, self._roomy)

    def _hurt(self, link: Link, mishap: Mishap) -> None:
        if mishap.kind == "cut":
            link.cut()
        elif mishap.kind == "freeze":
            link.freeze(mishap.seconds)
        else:
            link.hush()

    def _lose_file(self, hub: SimulatedHub) -> None:
        shard = hub.engine.shard_of(self.random.choice(self.plan.topics))
        for topic in self._topics:
            if hub.engine.shard_of(topic) == shard:
                self._lost[topic].add(hub.engine.epoch(topic))
        self._kill()
        path = ShardFiles(self.folder, shard).database
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)

    def _quick(self) -> None:
        self.disk.slow = 0.0

    def _roomy(self) -> None:
        if self.network.hub is not None:
            self.network.hub.engine.fill(full=False)

    async def _calm(self) -> None:
        """Everything works from here on."""
        self.network.calm = True
        self.disk.crash_at = lambda _boundary: False
        self._quick()
        self._roomy()
        while self.network.hub is None:  # noqa: ASYNC110 - virtual time costs nothing
            await asyncio.sleep(0.1)
        self.network.trace("calm")

    # The end

    def _read_logs(self) -> None:
        hub = self.network.hub
        assert hub is not None
        for topic in self._topics:
            page = hub.engine.reader(topic).read(topic, 0, _MANY, _MANY)
            self.history.logs[topic] = Log(
                topic,
                page.state.epoch,
                page.state.floor,
                page.state.head,
                [stored(event) for event in page.events],
                self._lost[topic],
            )

    def _note_floors(self) -> None:
        """Age goes on trimming while readers catch up: what went then is not owed to them."""
        hub = self.network.hub
        assert hub is not None
        for topic, log in self.history.logs.items():
            log.floor = hub.engine.reader(topic).head(topic).floor

    async def _catch_up(self, reading: Sequence[asyncio.Future[None]]) -> None:
        logs = self.history.logs
        heads = {topic: (log.epoch, log.head) for topic, log in logs.items()}
        end = self.loop.time() + PATIENCE_SECONDS
        while self.loop.time() < end and not any(task.done() for task in reading):
            if not any(reader.recorder.behind(heads) for reader in self.readers):
                break
            await asyncio.sleep(0.5)
        for reader in self.readers:
            late = reader.recorder.behind(heads)
            if late:
                self._behind.append(f"{reader.name} did not come to the end of {late}")
            subscriber = reader.recorder.subscriber
            subscriber.owed = {topic: logs[topic].head for topic in reader.topics}
            self.history.subscribers.append(subscriber)
        # What waits in the queues of an application is given to it.
        while self.loop.time() < end and self._misgiven():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.5)
