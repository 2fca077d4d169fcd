"""100 bystanders in a process of their own, so that what the attackers cost there is not theirs.

They read ten topics that one publisher feeds steadily: half by Connect over five connections, a
quarter each by WebSocket and by Listen through the browsers' door. Whoever is cut off comes back
with its cursor, as a client does. Latency is from the call of publish to the bystander's receiver.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import multiprocessing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.attacks import watching
from tests.attacks.herald import Herald
from tests.chaos.board import Board
from tests.chaos.logs import read_logs
from tests.chaos.recorder import Recorder
from tests.guarantees.history import Delivery, History, Log, Omitted, Subscriber, Told, Word
from tests.guarantees.validators import judge

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess
    from pathlib import Path
    from typing import Self

BYSTANDERS = 100
TOPICS = tuple(f"meeting/square{number}" for number in range(10))
EVENTS_PER_SECOND = 20
# What a busy machine may take until everybody has everything.
PATIENCE = 120.0


@dataclass(frozen=True)
class Place:
    """Where the hub is.

    Attributes:
        grpc: host:port.
        http: address of the browsers' door.
        data_dir: its shard files, for the judge.
        token: who may publish and read the bystanders' topics.
    """

    grpc: str
    http: str
    data_dir: Path
    token: str


@dataclass
class Lap:
    """What happened since the last lap.

    Attributes:
        latencies: of each delivery, in seconds.
        returns: how often a bystander had to come back.
        broken: promises that were broken, in words.
    """

    latencies: list[float] = field(default_factory=list)
    returns: int = 0
    broken: list[str] = field(default_factory=list)


class Crowd:
    """The parent's hand on the bystanders. Use it as a context manager.

    Args:
        place: of the hub.
    """

    def __init__(self, place: Place) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(target=_main, args=(place, theirs))
        self._theirs = theirs

    def __enter__(self) -> Self:
        self._process.start()
        self._theirs.close()
        assert self._answer() == "ready"
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.close()
        self._process.join(20)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def lap(self) -> Lap:
        """Wait until all bystanders have all that was published, and tell what was seen.

        Blocks; in asynchronous code call it through `asyncio.to_thread`.
        """
        self._pipe.send("lap")
        lap = self._answer()
        assert isinstance(lap, Lap)
        return lap

    def whole(self) -> list[str]:
        """Judge the whole run: promises that were broken."""
        self._pipe.send("whole")
        broken: list[str] = self._answer()
        return broken

    def _answer(self) -> Any:
        if not self._pipe.poll(PATIENCE + 30):
            raise AssertionError("the bystanders do not answer")
        answer = self._pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


def _main(place: Place, pipe: Connection) -> None:
    asyncio.run(_Bystanders(place).serve(pipe))


class _Bystanders:
    """In the child: readers, the publisher, and the judge of what they saw."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._boards = [self._board(number) for number in range(BYSTANDERS)]
        self._herald = Herald(place.grpc, place.token)
        # How many publishes, how many words of each reader, and how far each topic, were judged.
        self._judged = 0
        self._words = [0] * BYSTANDERS
        self._heads: dict[str, int] = {}

    @staticmethod
    def _board(number: int) -> Board:
        topic = TOPICS[number % len(TOPICS)]
        return Board(Recorder(f"bystander-{number}", [topic], from_latest=True), [topic])

    async def serve(self, pipe: Connection) -> None:
        """Read and publish until the parent hangs up."""
        speaking = asyncio.create_task(self._herald.run())
        async with watching.readers(self._place, self._boards) as tasks:
            await self._publish_all()
            steady = asyncio.create_task(self._publish_steadily())
            pipe.send("ready")
            # It ends when the parent hangs up.
            with contextlib.suppress(EOFError, OSError):
                await self._obey(pipe, [*tasks, steady, speaking])
            steady.cancel()
            speaking.cancel()
            await asyncio.gather(steady, speaking, return_exceptions=True)

    async def _obey(self, pipe: Connection, tasks: list[asyncio.Task[None]]) -> None:
        while True:
            order = await asyncio.to_thread(pipe.recv)
            try:
                watching.check(tasks)
                answer = await (self._lap() if order == "lap" else self._whole())
            except Exception as failure:  # noqa: BLE001 - it is the parent's
                pipe.send(AssertionError(f"{type(failure).__name__}: {failure}"))
            else:
                pipe.send(answer)

    async def _publish_steadily(self) -> None:
        async with asyncio.TaskGroup() as under_way:
            number = 0
            while True:
                under_way.create_task(self._publish(TOPICS[number % len(TOPICS)]))
                number += 1
                # Only paces the load.
                await asyncio.sleep(1 / EVENTS_PER_SECOND)

    async def _publish(self, topic: str) -> None:
        await self._herald.publish(topic)

    async def _publish_all(self) -> dict[str, tuple[int, int]]:
        """One event in each topic: their epochs and offsets."""
        calls = await asyncio.gather(*(self._herald.publish(topic) for topic in TOPICS))
        return {call.topic: (call.epoch, call.offset) for call in calls}

    async def _settled(self) -> dict[str, tuple[int, int]]:
        """Heads that everybody has come to."""
        async with asyncio.timeout(PATIENCE):
            heads = await self._publish_all()
            for board in self._boards:
                await board.recorder.reach(heads)
        return heads

    async def _lap(self) -> Lap:
        heads = await self._settled()
        before, self._heads = self._heads, {topic: offset for topic, (_, offset) in heads.items()}
        publishes = self._herald.publishes
        ended = [call for call in publishes[self._judged :] if call.ended_at is not None]
        readers = [self._new_words(number, before) for number in range(BYSTANDERS)]
        # After their words: what somebody has is in the log.
        logs = await asyncio.to_thread(read_logs, self._place.data_dir, TOPICS)
        history = History(
            publishes=ended,
            logs={topic: _behind(log, before.get(topic, 0)) for topic, log in logs.items()},
            subscribers=readers,
        )
        # Those under way are judged with the whole.
        self._judged = len(publishes)
        sent = {call.id: call.called_at for call in publishes}
        words = [word for reader in readers for word in reader.deliveries]
        lap = Lap([word.at - sent[word.id] for word in words])
        lap.returns = sum(len(board.recorder.subscriber.reconnects) for board in self._boards)
        for board in self._boards:
            board.recorder.subscriber.reconnects.clear()
        lap.broken = [str(violation) for violation in judge(history)]
        return lap

    def _new_words(self, number: int, before: dict[str, int]) -> Subscriber:
        """What one reader was given since the last lap, as a reader of its own."""
        known = self._boards[number].recorder.subscriber
        (topic,) = known.started
        words = list(
            itertools.takewhile(
                lambda word: _reaches(word) <= self._heads[topic],
                known.words[self._words[number] :],
            )
        )
        self._words[number] += len(words)
        started: dict[str, int | None] = {topic: before.get(topic)}
        return Subscriber(known.name, words, started, {topic: self._heads[topic]})

    async def _whole(self) -> list[str]:
        heads = await self._settled()
        readers = []
        for board in self._boards:
            known = board.recorder.subscriber
            (topic,) = known.started
            owed = {topic: heads[topic][1]}
            readers.append(Subscriber(known.name, list(known.words), known.started, owed))
        ended = [call for call in self._herald.publishes if call.ended_at is not None]
        # After all words: what somebody has is in the log.
        logs = await asyncio.to_thread(read_logs, self._place.data_dir, TOPICS)
        return [str(one) for one in judge(History(ended, logs, readers))]


def _reaches(word: Word) -> int:
    match word:
        case Told():
            return word.position
        case Omitted():
            return word.through
        case Delivery():
            return word.offset


def _behind(log: Log, offset: int) -> Log:
    """A log without what was judged before."""
    events = [event for event in log.events if event.offset > offset]
    return Log(log.topic, log.epoch, log.floor, log.head, events)
