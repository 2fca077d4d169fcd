"""The readers of a trial: two by the SDK, one by Listen, two by Poll, one that keeps changing."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from shipspeak_realtime import RealtimeClient, State
from tests.chaos import legs
from tests.chaos.board import Board, LegEnded
from tests.chaos.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from random import Random

    from tests.support.hub_process import HubProcess

    Leg = Callable[[Board, HubProcess], Awaitable[None]]

RETRY_SECONDS = 0.1
LEG_SECONDS = (0.3, 1.2)


class Readers:
    """All readers, each in a task; any that fails fails the trial.

    Attributes:
        recorders: one for each reader.
        by_sdk: those of readers that are one SDK client all the time.
        went_round: the reader that changes its transport has got something by every one.
    """

    def __init__(self, hub: HubProcess, topics: Sequence[str], random: Random) -> None:
        self._hub, self._topics, self._random = hub, topics, random
        self.recorders: list[Recorder] = []
        self.by_sdk: list[Recorder] = []
        self.went_round = asyncio.Event()

    def start(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """Begin reading."""
        return [
            group.create_task(self._by_sdk(self._recorder("connect"), self._random.random)),
            group.create_task(self._by_sdk(self._recorder("eager"), legs.no_jitter)),
            group.create_task(self._by(legs.listen, self._recorder("listen"))),
            group.create_task(self._by(legs.poll, self._recorder("poll"))),
            group.create_task(self._by(legs.web_poll, self._recorder("web-poll"))),
            group.create_task(self._in_turn(self._recorder("mover"))),
        ]

    def _recorder(self, name: str) -> Recorder:
        recorder = Recorder(name, self._topics)
        self.recorders.append(recorder)
        return recorder

    async def _by_sdk(self, recorder: Recorder, jitter: Callable[[], float]) -> None:
        """One client for the whole trial: its own reconnects are what is tried."""
        self.by_sdk.append(recorder)
        name = recorder.subscriber.name
        async with (
            RealtimeClient(self._hub.grpc, client_id=name, random=jitter) as client,
            asyncio.TaskGroup() as readers,
        ):
            readers.create_task(_watch(client, recorder))
            for topic in self._topics:
                readers.create_task(_read(client, topic, recorder))

    async def _by(self, leg: Leg, recorder: Recorder) -> None:
        """One transport, again and again from the cursors."""
        board = Board(recorder, self._topics)
        while True:
            try:
                await leg(board, self._hub)
            except LegEnded:
                recorder.lost()
                await asyncio.sleep(RETRY_SECONDS)

    async def _in_turn(self, recorder: Recorder) -> None:
        """Every transport in turn, on the same cursors (G5)."""
        board = Board(recorder, self._topics)
        while True:
            for leg in (legs.connect, legs.listen, legs.poll, legs.web_poll):
                await self._stint(leg, board)
            self.went_round.set()

    async def _stint(self, leg: Leg, board: Board) -> None:
        """Read by one transport until something came by it, and a little longer."""
        limit = asyncio.timeout(None)
        while limit.when() is None:
            limit = asyncio.timeout(None)
            try:
                async with limit:
                    board.recorder.on_next(partial(self._begin, limit))
                    await leg(board, self._hub)
            except TimeoutError:
                return
            except LegEnded:
                board.recorder.on_next(None)
                await asyncio.sleep(RETRY_SECONDS)

    def _begin(self, limit: asyncio.Timeout) -> None:
        """The stint's time runs from its first event on."""
        now = asyncio.get_running_loop().time()
        limit.reschedule(now + self._random.uniform(*LEG_SECONDS))


async def _read(client: RealtimeClient, topic: str, recorder: Recorder) -> None:
    subscription = client.subscribe(topic, start="earliest")
    subscription._receiver = recorder.receivers[topic]
    async for event in subscription:
        recorder.handed_over(event)


async def _watch(client: RealtimeClient, recorder: Recorder) -> None:
    async for change in client.connection_changes():
        if change.state is State.BACKOFF:
            recorder.lost()
        elif change.state is State.SYNCING and change.previous is State.CONNECTING:
            recorder.back()
