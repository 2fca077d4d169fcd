"""What was asked of the hub for each topic: the latest question, and whether it stands open."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from shipspeak_realtime.clock import Clock


class Asking:
    """The questions of one session, by topic.

    Args:
        clock: time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # The latest Subscribe of each topic: what is said of an older one is history.
        self._latest: dict[str, int] = {}
        # Topics whose answer is still to come, or that will be asked for again.
        self._open: set[str] = set()
        self._later: dict[str, asyncio.Task[None]] = {}

    def __bool__(self) -> bool:
        """Whether any answer is still to come."""
        return bool(self._open)

    def asked(self, topic: str, request_id: int) -> None:
        """A Subscribe was sent."""
        self._latest[topic] = request_id
        self._open.add(topic)

    def answered(self, topic: str) -> None:
        """The hub has said where the topic stands."""
        self._open.discard(topic)

    def waits(self, topic: str) -> bool:
        """Whether the topic's answer is still to come."""
        return topic in self._open

    def is_latest(self, topic: str, request_id: int) -> bool:
        """Whether this was the latest question for the topic."""
        return request_id == self._latest.get(topic)

    def topic_of(self, request_id: int) -> str:
        """The topic whose latest question this was; empty = none."""
        for topic, asked in self._latest.items():
            if asked == request_id:
                return topic
        return ""

    def again(self, topic: str, seconds: float, ask: Callable[[], None]) -> None:
        """Ask once more after so many seconds; only for a topic that is not in `later`."""
        self._open.add(topic)
        waiting = self._wait(topic, seconds, ask)
        self._later[topic] = asyncio.create_task(waiting, name=f"ask for {topic}")

    @property
    def later(self) -> set[str]:
        """Topics that will be asked for again."""
        return set(self._later)

    def forget(self, topic: str) -> None:
        """Nothing of the topic is wanted any more."""
        self._latest.pop(topic, None)
        self._open.discard(topic)
        if (waiting := self._later.pop(topic, None)) is not None:
            waiting.cancel()

    def clear(self) -> None:
        """The session is over: nothing that was asked will be answered."""
        for waiting in self._later.values():
            waiting.cancel()
        self._latest.clear()
        self._open.clear()
        self._later.clear()

    async def _wait(self, topic: str, seconds: float, ask: Callable[[], None]) -> None:
        await self._clock.sleep(seconds)
        del self._later[topic]
        ask()
