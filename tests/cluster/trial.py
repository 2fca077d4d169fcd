"""Load on several workers, readers on every transport, and workers that are killed in turns."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from tests.chaos import legs
from tests.chaos.ending import end
from tests.chaos.logs import read_logs
from tests.chaos.readers import Readers
from tests.chaos.writers import WRITERS, Writers
from tests.cluster.workers import WORKERS, RunningWorkers, make_hub
from tests.guarantees.history import History
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.chaos.recorder import Recorder
    from tests.support.hub_process import HubProcess

# Readers by one SDK client each: the kernel spreads them over the workers.
SDK_READERS = 6
# Between a worker's return and the next stroke: its shards have moved back by then.
CALM_SECONDS = 2.5


@dataclass(frozen=True, slots=True)
class Plan:
    """What a trial does.

    Attributes:
        rounds: strokes; each hits another worker.
        frozen: numbers of the rounds in which it is frozen in place of killed, from 0.
        seed: of the load.
        topics: number of topics.
        patience: seconds that readers have, after the last event, to come to the end.
    """

    rounds: int = 20
    frozen: tuple[int, ...] = (7, 14)
    seed: int = 0
    topics: int = 12
    patience: float = 90.0


@dataclass(frozen=True, slots=True)
class Stroke:
    """One worker was hit.

    Attributes:
        worker: its name.
        frozen: it was stopped, and not killed.
        at: when, by the recorder's clock.
        back_at: when it served again.
    """

    worker: str
    frozen: bool
    at: float
    back_at: float


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it.

    Attributes:
        history: for the validators.
        strokes: one for each round.
        behind: readers that did not come to the end in time.
        misgiven: readers and topics in which an application got other events than were taken.
        by_sdk: the readers that are one SDK client all the time.
    """

    history: History
    strokes: list[Stroke]
    behind: list[str]
    misgiven: list[str]
    by_sdk: list[Recorder]


class ClusterReaders(Readers):
    """Several by the SDK, one by Listen, two by Poll, one that keeps changing."""

    def start(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """Begin reading."""
        by_sdk = [
            group.create_task(
                self._by_sdk(self._recorder(f"connect-{number}"), legs.no_jitter, self._proxied)
            )
            for number in range(SDK_READERS)
        ]
        return [
            *by_sdk,
            group.create_task(self._by(legs.listen, self._recorder("listen"))),
            group.create_task(self._by(legs.poll, self._recorder("poll"))),
            group.create_task(self._by(legs.web_poll, self._recorder("web-poll"))),
            group.create_task(self._in_turn(self._recorder("mover"))),
        ]


async def run(plan: Plan, folder: Path, tell: Callable[[str], None]) -> Trial:
    """Carry out a trial in an empty folder; `tell` gets a line for each stroke."""
    hub = make_hub(folder)
    await asyncio.to_thread(hub.start)
    try:
        return await _run(plan, hub, tell)
    finally:
        await asyncio.to_thread(hub.stop)


async def _run(plan: Plan, hub: HubProcess, tell: Callable[[str], None]) -> Trial:
    random = Random(plan.seed)  # noqa: S311 - a trial must be repeatable
    history = History()
    topics = [f"meeting/{number}" for number in range(1, plan.topics + 1)]
    writers = Writers(hub.grpc, topics, random)
    readers = ClusterReaders(hub, hub.grpc, topics, topics[0], random)
    async with asyncio.TaskGroup() as group:
        reading = readers.start(group)
        writing = group.create_task(writers.run())
        strokes = await _strike(plan, RunningWorkers(hub), writers, tell)
        await asyncio.wait_for(readers.went_round.wait(), plan.patience)
        writers.stop()
        await writing
        logs = await asyncio.to_thread(read_logs, hub.data_dir, topics)
        heads = {topic: (log.epoch, log.head) for topic, log in logs.items()}
        behind = await _catch_up(readers.recorders, heads, plan.patience)
        await end(reading)
    history.publishes, history.logs = writers.publishes, logs
    history.subscribers = [recorder.subscriber for recorder in readers.recorders]
    for subscriber in history.subscribers:
        subscriber.owed = {topic: logs[topic].head for topic in subscriber.started}
    misgiven = [
        f"{recorder.subscriber.name} in {topic}"
        for recorder in readers.by_sdk
        for topic in recorder.misgiven()
    ]
    return Trial(history, strokes, behind, misgiven, readers.by_sdk)


async def _strike(
    plan: Plan, workers: RunningWorkers, writers: Writers, tell: Callable[[str], None]
) -> list[Stroke]:
    await until(lambda: writers.count > WRITERS, seconds=plan.patience)
    strokes: list[Stroke] = []
    for number in range(plan.rounds):
        name, frozen = f"w{number % WORKERS}", number in plan.frozen
        await writers.next_acknowledged()
        await asyncio.sleep(CALM_SECONDS)
        starts = workers.starts()
        before = writers.count
        at = time.monotonic()
        if frozen:
            workers.freeze(name)
        else:
            workers.kill(name)
        starts[name] += 1
        await workers.serving(starts)
        strokes.append(Stroke(name, frozen, at, time.monotonic()))
        how = "frozen" if frozen else "kill -9"
        tell(
            f"round {number + 1:2}: {name} {how}; serves again after "
            f"{strokes[-1].back_at - at:.1f} s, {writers.count - before} acknowledged meanwhile"
        )
    await writers.next_acknowledged()
    return strokes


async def _catch_up(
    recorders: list[Recorder], heads: dict[str, tuple[int, int]], patience: float
) -> list[str]:
    """Wait for the readers; names those that are still behind when patience ends."""
    waiting = {
        asyncio.create_task(recorder.reach(heads)): recorder.subscriber.name
        for recorder in recorders
    }
    _, late = await asyncio.wait(waiting, timeout=patience)
    names = sorted(waiting[task] for task in late)
    await end(late)
    return names
