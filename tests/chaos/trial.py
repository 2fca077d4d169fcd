"""One trial: load, readers, members, and a hub that is killed again and again."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from tests.chaos.attendance import Attendance
from tests.chaos.ending import end
from tests.chaos.logs import read_logs
from tests.chaos.mishaps import Mishaps, lose_file
from tests.chaos.proxy import FaultProxy
from tests.chaos.readers import Readers
from tests.chaos.workers import Workers
from tests.chaos.writers import WRITERS, Writers
from tests.guarantees.history import History, Outcome
from tests.guarantees.presence import Presence
from tests.support.hub_process import HubProcess
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.chaos.recorder import Recorder
    from tests.chaos.slow_disk import SlowDisk
    from tests.guarantees.history import Publish

HEARTBEAT_SECONDS = 1.0
# One kill in so many does not wait for the first word after the last start.
EARLY_ONE_IN = 4
INBOX = "user/chaos"
# Of as many topics as there are: so much of the load goes there.
INBOX_SHARE = 4
# Newest events that the inbox keeps: its log is trimmed under the readers all the time.
INBOX_EVENTS = 200
WORK_TOPIC = "meeting/1"
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
        prompt: seconds beyond its time that a watcher of presence may be late.
        mishaps: what happens before each kill, in turns; "" = nothing.
        lose_file: a shard file is lost in the end.
        disk: of the hub's, where it is to be slow.
        tamper: called while the hub is dead, with its data folder and all acknowledged publishes,
            to play a hub that cheats.
    """

    rounds: int = 20
    seed: int = 0
    topics: int = 16
    patience: float = 60.0
    prompt: float = 2.0
    mishaps: tuple[str, ...] = ("",)
    lose_file: bool = False
    disk: SlowDisk | None = None
    tamper: Callable[[Path, Sequence[Publish]], None] | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """One kill.

    Attributes:
        number: counts from 1.
        mishap: what happened before; empty = nothing.
        up: seconds that the hub had served.
        in_flight: publish calls without an answer at that moment.
        acknowledged: events acknowledged since the last kill.
        served_at: when the next hub served.
        start: seconds that it took to start.
    """

    number: int
    mishap: str
    up: float
    in_flight: int
    acknowledged: int
    served_at: float
    start: float

    def __str__(self) -> str:
        return (
            f"round {self.number:2}: {f'{self.mishap}, then ' if self.mishap else ''}"
            f"kill -9 after {self.up:4.2f} s, "
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
        trimmed: where the inbox's log began when the sleeping reader came back; 0 = at its start.
        gap_told: that reader was told that events are gone.
    """

    history: History
    rounds: list[Round]
    behind: list[str]
    misgiven: list[str] = field(default_factory=list)
    trimmed: int = 1
    gap_told: bool = True


async def run(plan: Plan, folder: Path, tell: Callable[[str], None]) -> Trial:
    """Carry out a trial in an empty folder; `tell` gets a line for each round."""
    options = ["--accept-lost-shards"] if plan.lose_file else []
    env = {
        "RTHUB_INBOX_EVENTS": str(INBOX_EVENTS),
        "RTHUB_WORK_MAX_ATTEMPTS": "100",
        **(plan.disk.env if plan.disk is not None else {}),
    }
    hub = HubProcess(folder, "--heartbeat", str(HEARTBEAT_SECONDS), *options, env=env)
    await asyncio.to_thread(hub.start)
    try:
        async with FaultProxy(int(hub.grpc.rpartition(":")[2])) as proxy:
            return await _run(plan, hub, proxy, tell)
    finally:
        await asyncio.to_thread(hub.stop)


async def _run(
    plan: Plan, hub: HubProcess, proxy: FaultProxy, tell: Callable[[str], None]
) -> Trial:
    random = Random(plan.seed)  # noqa: S311 - a trial must be repeatable
    history = History(
        presence=Presence(HEARTBEAT_SECONDS, plan.prompt),
        hub_clock=time.time() - time.monotonic(),
    )
    far = f"127.0.0.1:{proxy.port}"
    topics = [f"meeting/{number}" for number in range(1, plan.topics)] + [INBOX] * INBOX_SHARE
    writers = Writers(hub.grpc, topics, random)
    topics = list(dict.fromkeys(topics))
    readers = Readers(hub, far, topics, INBOX, random)
    workers = Workers([hub.grpc, hub.grpc, far], WORK_TOPIC, history.works, random)
    attendance = Attendance(hub.grpc, far, history.presence)
    mishaps = Mishaps(hub, proxy, plan.disk, attendance, random)
    async with asyncio.TaskGroup() as group:
        workers.start(group)
        await workers.joined(hub.grpc)
        attendance.start(group)
        reading = readers.start(group)
        writing = group.create_task(writers.run())
        rounds = await _kill_rounds(plan, hub, writers, mishaps, random, tell)
        behind = await _others_finish(plan, hub, readers, workers, attendance)
        lost = await _lose_file(hub, writers, topics, tell) if plan.lose_file else {}
        await _settled(readers, plan.patience)
        writers.stop()
        await writing
        logs = await asyncio.to_thread(read_logs, hub.data_dir, topics)
        for topic, epoch in lost.items():
            logs[topic].lost.add(epoch)
        heads = {topic: (log.epoch, log.head) for topic, log in logs.items()}
        behind += await _catch_up(readers.recorders, heads, plan.patience)
        await end(reading)
    history.publishes, history.logs = writers.publishes, logs
    history.subscribers = [recorder.subscriber for recorder in readers.recorders]
    for subscriber in history.subscribers:
        subscriber.owed = {topic: logs[topic].head for topic in subscriber.started if topic in logs}
    misgiven = [
        f"{recorder.subscriber.name} in {topic}"
        for recorder in readers.by_sdk
        for topic in recorder.misgiven()
    ]
    return Trial(history, rounds, behind, misgiven, readers.trimmed, readers.gap_was_told())


async def _others_finish(
    plan: Plan, hub: HubProcess, readers: Readers, workers: Workers, attendance: Attendance
) -> list[str]:
    """Those who are no readers come to their end; names who did not in time."""
    log = (await asyncio.to_thread(read_logs, hub.data_dir, [WORK_TOPIC]))[WORK_TOPIC]
    late = [] if await workers.finish(log, plan.patience) else ["a worker"]
    for name, condition in (
        ("the watcher", attendance.whole),
        ("the sleeper", readers.gap_was_told),
    ):
        try:
            await until(condition, seconds=plan.patience)
        except TimeoutError:
            late.append(name)
    await attendance.stop()
    return late


async def _lose_file(
    hub: HubProcess, writers: Writers, topics: list[str], tell: Callable[[str], None]
) -> dict[str, int]:
    """A shard file is gone at the next start; gives the epochs of logs that went with it."""
    await writers.next_acknowledged()
    await asyncio.to_thread(hub.kill)
    # Without their logs, who was handed what and what was trimmed could not be judged.
    lost = await asyncio.to_thread(lose_file, hub, topics, (WORK_TOPIC, INBOX))
    await asyncio.to_thread(hub.start)
    await writers.next_acknowledged()
    tell("lost a file: it goes on")
    return lost


async def _kill_rounds(
    plan: Plan,
    hub: HubProcess,
    writers: Writers,
    mishaps: Mishaps,
    random: Random,
    tell: Callable[[str], None],
) -> list[Round]:
    rounds: list[Round] = []
    served_at, acknowledged = time.monotonic(), 0
    # More than may be open: whatever a kill leaves in the air, something was acknowledged.
    await until(lambda: writers.count > WRITERS, seconds=plan.patience)
    for number in range(1, plan.rounds + 1):
        mishap = plan.mishaps[(number - 1) % len(plan.mishaps)]
        if mishap or number == 1 or random.randrange(EARLY_ONE_IN):
            await writers.next_acknowledged()
            await asyncio.sleep(random.uniform(0, UP_SECONDS))
        else:
            await asyncio.sleep(random.uniform(0, EARLY_SECONDS))
        await mishaps.happen(mishap)
        mishaps.attendance.struck()
        await asyncio.to_thread(hub.kill)
        killed_at, in_flight = time.monotonic(), writers.in_flight
        gained, acknowledged = writers.count - acknowledged, writers.count
        if plan.tamper is not None:
            stored = [one for one in writers.publishes if one.outcome is Outcome.STORED]
            await asyncio.to_thread(plan.tamper, hub.data_dir, stored)
        await asyncio.sleep(random.uniform(0, DOWN_SECONDS))
        started_at = time.monotonic()
        await asyncio.to_thread(hub.start)
        mishaps.over(mishap)
        up = killed_at - served_at
        served_at = time.monotonic()
        start = served_at - started_at
        rounds.append(Round(number, mishap, up, in_flight, gained, served_at, start))
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
    names = sorted(waiting[task] for task in late)
    await end(late)
    return names
