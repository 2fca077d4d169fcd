"""Publishes one session's remarks, behind the back of the request that brought the words."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import meeting_pb2
from shipspeak_realtime import RealtimeError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping
    from typing import Any

    from shipspeak_demo.coach import Remarks
    from shipspeak_demo.store import Practice
    from shipspeak_realtime import PracticePublisher, RealtimeClient

_log = logging.getLogger(__name__)


def figures_of(figures: Mapping[str, tuple[float, str]]) -> list[meeting_pb2.Figure]:
    """Figures as the contract has them."""
    return [
        meeting_pb2.Figure(name=name, value=value, unit=unit)
        for name, (value, unit) in figures.items()
    ]


class Feedback:
    """Tells a session's remarks by the SDK's practice publisher."""

    def __init__(self, publisher: PracticePublisher) -> None:
        self._publisher = publisher
        self._tasks: set[asyncio.Task[None]] = set()

    def tell(self, remarks: Remarks, elapsed_s: float) -> None:
        """Publish; returns at once. A hint that the hub does not take in time is given up."""
        publisher = self._publisher
        for hint in remarks.hints:
            told = publisher.hint(hint.aspect, hint.text, level=hint.level, at=elapsed_s)
            self._spawn(told)
        for one in remarks.milestones:
            reached = publisher.milestone(one.id, one.title, one.description, fraction=one.fraction)
            self._spawn(reached)
        if remarks.score is not None:
            publisher.score(remarks.score.overall, remarks.score.dimensions)
        publisher.analytics(elapsed_s, figures_of(remarks.figures))

    def _spawn(self, told: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(self._guard(told))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guard(self, told: Coroutine[Any, Any, object]) -> None:
        try:
            await told
        except RealtimeError as error:
            _log.warning("feedback was not taken: %s", error)

    async def finish(self, practice: Practice) -> None:
        """Publish the last scores and the summary, when all that was told is stored or given up.

        Waits for a hub that is away, however long. Raises RealtimeError where it refuses.
        """
        while self._tasks:
            await asyncio.gather(*self._tasks)
        if practice.overall is not None:
            self._publisher.score(practice.overall, practice.dimensions)
        await self._publisher.finish(practice.elapsed_s, figures_of(practice.figures))


def feedback_of(hub: RealtimeClient, practice: Practice) -> Feedback:
    """The feedback of a session, on its topic."""
    return Feedback(hub.practice(f"{practice.user}/{practice.id}"))
