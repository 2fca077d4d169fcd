"""One trial: load, readers, and a hub that is killed again and again; gives the history."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from tests.chaos.logs import read_logs
from tests.chaos.mishaps import fill_disk, lose_file, pause
from tests.chaos.readers import Readers
from tests.chaos.writers import Writers
from tests.guarantees.history import History
from tests.support.hub_process import HubProcess

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.chaos.recorder import Recorder

HEARTBEAT_SECONDS = "1"
# One kill in so many does not wait for the first word after the last start.
EARLY_ONE_IN = 4
INBOX = "user/chaos"
# Of as many topics as there are: so much of the load goes there.
INBOX_SHARE = 4
EARLY_SECONDS = 0.5
UP_SECONDS = 2.0
DOWN_SECONDS = 0.4


@dataclass(frozen=True, slots=True)
class Plan:
    """What a trial does.

    Attributes:
        rounds: kills of the hub.
        seed: of every choice that the trial makes itself.
        topics: number of topics.
        patience: seconds that readers have, after the last event, to come to the end.
        others: what happens after the kills, in order: "pause", "full disk", "lose a file".
        env: more environment variables of the hub.
        tamper: called with the data folder while the hub is dead, to play a hub that cheats.
    """

    rounds: int = 20
    seed: int = 0
    topics: int = 16
    patience: float = 60.0
    others: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    tamper: Callable[[Path], None] | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """One kill.

    Attributes:
        number: counts from 1.
        up: seconds that the hub had served.
        in_flight: publish calls without an answer at that moment.
        acknowledged: events acknowledged since the last kill.
        served_at: when the next hub served.
        start: seconds that it took to start.
    """

    number: int
    up: float
    in_flight: int
    acknowledged: int
    served_at: float
    start: float

    def __str__(self) -> str:
        return (
            f"round {self.number:2}: kill -9 after {self.up:4.2f} s, "
            f"{self.acknowledged:5} acknowledged in it, {self.in_flight:2} calls open; "
            f"serves again {self.start:4.2f} s after its start"
        )


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it.

    Attributes:
        history: for the validators.
        rounds: one for each kill.
        behind: readers that did not come to the end in time.
        misgiven: readers and topics in which an application got other events than were taken.
    """

    history: History
    rounds: list[Round]
    behind: list[str]
    misgiven: list[str] = field(default_factory=list)


async def run(plan: Plan, folder: Path, tell: Callable[[str], None]) -> Trial:
    """Carry out a trial in an empty folder; `tell` gets a line for each round."""
    options = ["--accept-lost-shards"] if "lose a file" in plan.others else []
    hub = HubProcess(folder, "--heartbeat", HEARTBEAT_SECONDS, *options, env=plan.env)
    await asyncio.to_thread(hub.start)
    try:
        return await _run(plan, hub, tell)
    finally:
        await asyncio.to_thread(hub.stop)


async def _run(plan: Plan, hub: HubProcess, tell: Callable[[str], None]) -> Trial:
    random = Random(plan.seed)  # noqa: S311 - a trial must be repeatable
    # An inbox keeps less than half of the others: its log is trimmed under the readers.
    topics = [f"meeting/{number}" for number in range(1, plan.topics)] + [INBOX] * INBOX_SHARE
    writers = Writers(hub.grpc, topics, random)
    topics = list(dict.fromkeys(topics))
    readers = Readers(hub, topics, random)
    async with asyncio.TaskGroup() as group:
        reading = readers.start(group)
        writing = group.create_task(writers.run())
        rounds = await _kill_rounds(plan, hub, writers, random, tell)
        lost = await _others(plan, hub, writers, topics, tell)
        await _settled(readers, plan.patience)
        writers.stop()
        await writing
        logs = await asyncio.to_thread(read_logs, hub.data_dir, topics)
        for topic, epoch in lost.items():
            logs[topic].lost.add(epoch)
        heads = {topic: (log.epoch, log.head) for topic, log in logs.items()}
        behind = await _catch_up(readers.recorders, heads, plan.patience)
        for task in reading:
            task.cancel()
    subscribers = [recorder.subscriber for recorder in readers.recorders]
    for subscriber in subscribers:
        subscriber.owed = {topic: log.head for topic, log in logs.items()}
    misgiven = [
        f"{recorder.subscriber.name} in {topic}"
        for recorder in readers.by_sdk
        for topic in recorder.misgiven()
    ]
    return Trial(History(writers.publishes, logs, subscribers), rounds, behind, misgiven)


async def _others(
    plan: Plan, hub: HubProcess, writers: Writers, topics: list[str], tell: Callable[[str], None]
) -> dict[str, int]:
    """What else happens; gives the epochs of logs that went with their file."""
    lost: dict[str, int] = {}
    for kind in plan.others:
        await writers.next_acknowledged()
        if kind == "pause":
            await pause(hub)
        elif kind == "full disk":
            await fill_disk(hub)
        else:
            await asyncio.to_thread(hub.kill)
            lost = await asyncio.to_thread(lose_file, hub, topics)
            await asyncio.to_thread(hub.start)
        await writers.next_acknowledged()
        tell(f"{kind}: it goes on")
    return lost


async def _kill_rounds(
    plan: Plan, hub: HubProcess, writers: Writers, random: Random, tell: Callable[[str], None]
) -> list[Round]:
    rounds: list[Round] = []
    served_at, acknowledged = time.monotonic(), 0
    for number in range(1, plan.rounds + 1):
        if number == 1 or random.randrange(EARLY_ONE_IN):
            await writers.next_acknowledged()
            await asyncio.sleep(random.uniform(0, UP_SECONDS))
        else:
            await asyncio.sleep(random.uniform(0, EARLY_SECONDS))
        await asyncio.to_thread(hub.kill)
        killed_at, in_flight = time.monotonic(), writers.in_flight
        gained, acknowledged = writers.count - acknowledged, writers.count
        if plan.tamper is not None:
            await asyncio.to_thread(plan.tamper, hub.data_dir)
        await asyncio.sleep(random.uniform(0, DOWN_SECONDS))
        started_at = time.monotonic()
        await asyncio.to_thread(hub.start)
        up = killed_at - served_at
        served_at = time.monotonic()
        rounds.append(Round(number, up, in_flight, gained, served_at, served_at - started_at))
        tell(str(rounds[-1]))
    await writers.next_acknowledged()
    return rounds


async def _settled(readers: Readers, patience: float) -> None:
    """Keep the load on until every transport had its turn; the record shows it if one had none."""
    waiting = asyncio.create_task(readers.went_round.wait())
    await asyncio.wait({waiting}, timeout=patience)
    waiting.cancel()


async def _catch_up(
    recorders: list[Recorder], heads: dict[str, tuple[int, int]], patience: float
) -> list[str]:
    """Wait for the readers; names those that are still behind when patience ends."""
    waiting = {
        asyncio.create_task(recorder.reach(heads)): recorder.subscriber.name
        for recorder in recorders
    }
    _, late = await asyncio.wait(waiting, timeout=patience)
    for task in late:
        task.cancel()
    return sorted(waiting[task] for task in late)
