"""Places of one topic that the log has proved: the next reader with the same cursor reads nothing.

Many who come back at once often hold the same cursor, from a run that they shared, and it may lie
before the ring.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from hub.engine.contract import Verdict
from hub.telemetry.unheard import hear

if TYPE_CHECKING:
    from hub.engine.contract import Engine, Resume
    from hub.model.cursor import Cursor

_MAX_PLACES: Final = 64


class ProvedPlaces:
    """What the engine has said OK to, and what it is being asked.

    Args:
        engine: judges.
        topic: whose log it is.
        epoch: identity of the log.
    """

    def __init__(self, engine: Engine, topic: str, epoch: int) -> None:
        self._engine = engine
        self._topic = topic
        self._epoch = epoch
        self._floor = 0
        self._ids: OrderedDict[int, str] = OrderedDict()
        self._asked: dict[Cursor, asyncio.Task[Resume]] = {}

    def prove(self, cursor: Cursor) -> bool:
        """Whether nothing behind a cursor is missing, by what is remembered."""
        if cursor.epoch != self._epoch or cursor.offset < self._floor or not cursor.event_id:
            return False
        return self._ids.get(cursor.offset) == cursor.event_id

    def trimmed(self, floor: int) -> None:
        """Events up to ``floor`` are gone from the log."""
        self._floor = floor

    async def judge(self, cursor: Cursor) -> Resume:
        """Ask the engine, once for all who ask the same at the same time."""
        task = self._asked.get(cursor)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._ask(cursor))
            self._asked[cursor] = task
            task.add_done_callback(lambda _: self._asked.pop(cursor, None))
            task.add_done_callback(hear)
        return await asyncio.shield(task)

    async def _ask(self, cursor: Cursor) -> Resume:
        # Remembered before the question is over: whoever comes between the answer and the turn of
        # those that wait for it would ask again.
        resume = await self._engine.resume(self._topic, cursor)
        if resume.verdict is Verdict.OK and cursor.event_id:
            self._ids[cursor.offset] = cursor.event_id
            if len(self._ids) > _MAX_PLACES:
                self._ids.popitem(last=False)
        return resume
