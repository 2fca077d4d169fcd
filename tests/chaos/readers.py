"""The readers of a trial: two by the SDK, one by Listen, two by Poll, one that keeps changing.

And one that sleeps until retention has taken what it was to read next.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from shipspeak_realtime import RealtimeClient, State
from tests.chaos import legs
from tests.chaos.board import Board, LegEnded
from tests.chaos.logs import floor
from tests.chaos.recorder import Recorder
from tests.guarantees.history import Told

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from random import Random

    from tests.support.hub_process import HubProcess

    Leg = Callable[[Board, HubProcess], Awaitable[None]]

RETRY_SECONDS = 0.1
LEG_SECONDS = (0.3, 1.2)


class Readers:
    """All readers, each in a task; any that fails fails the trial.

    Args:
        hub: that they read from.
        proxied: host:port of the proxy before it, for one of the SDK's.
        topics: that they read.
        inbox: the topic of which little is kept.
        random: of their choices.

    Attributes:
        recorders: one for each reader.
        by_sdk: those of readers that are one SDK client all the time.
        went_round: the reader that changes its transport has got something by every one.
        trimmed: the floor that the sleeper woke at; 0 = it sleeps.
    """

    def __init__(
        self, hub: HubProcess, proxied: str, topics: Sequence[str], inbox: str, random: Random
    ) -> None:
        self._hub, self._topics, self._random = hub, topics, random
        self._proxied, self._inbox = proxied, inbox
        self.trimmed = 0
        self.recorders: list[Recorder] = []
        self.by_sdk: list[Recorder] = []
        self.went_round = asyncio.Event()

    def start(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """Begin reading."""
        return [
            group.create_task(
                self._by_sdk(self._recorder("connect"), self._random.random, self._hub.grpc)
            ),
            group.create_task(self._by_sdk(self._recorder("eager"), legs.no_jitter, self._proxied)),
            group.create_task(self._by(legs.listen, self._recorder("listen"))),
            group.create_task(self._by(legs.poll, self._recorder("poll"))),
            group.create_task(self._by(legs.web_poll, self._recorder("web-poll"))),
            group.create_task(self._asleep(self._recorder("sleeper", self._inbox))),
            group.create_task(self._in_turn(self._recorder("mover"))),
        ]

    def gap_was_told(self) -> bool:
        """The sleeper has woken and was told that events are gone."""
        return self.trimmed > 0 and any(
            isinstance(word, Told) and word.kind == "gap"
            for recorder in self.recorders
            if recorder.subscriber.name == "sleeper"
            for word in recorder.subscriber.words
        )

    def _recorder(self, name: str, *topics: str) -> Recorder:
        recorder = Recorder(name, topics or self._topics)
        self.recorders.append(recorder)
        return recorder

    async def _by_sdk(self, recorder: Recorder, jitter: Callable[[], float], target: str) -> None:
        """One client for the whole trial: its own reconnects are what is tried."""
        self.by_sdk.append(recorder)
        name = recorder.subscriber.name
        async with (
            RealtimeClient(target, client_id=name, random=jitter) as client,
            asyncio.TaskGroup() as readers,
        ):
            readers.create_task(_watch(client, recorder))
            for topic in self._topics:
                readers.create_task(_read(client, topic, recorder))

    async def _by(self, leg: Leg, recorder: Recorder) -> None:
        """One transport, again and again from the cursors."""
        await self._go_on(leg, Board(recorder, self._topics))

    async def _asleep(self, recorder: Recorder) -> None:
        """Come to a place in the inbox, wait until it is trimmed away, and go on there (G6)."""
        board = Board(recorder, [self._inbox])
        await self._stint(legs.poll, board)
        place = recorder.receivers[self._inbox].place
        assert place is not None
        gone = 0
        while gone <= place.offset:
            await asyncio.sleep(RETRY_SECONDS)
            gone = await asyncio.to_thread(floor, self._hub.data_dir, self._inbox)
        self.trimmed = gone
        await self._go_on(legs.poll, board)

    async def _go_on(self, leg: Leg, board: Board) -> None:
        while True:
            try:
                await leg(board, self._hub)
            except LegEnded:
                board.recorder.lost()
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
