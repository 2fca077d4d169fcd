"""Open sessions: each has a coach in memory, and its latest text on disk."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from shipspeak_demo.coach import Coach
from shipspeak_demo.practice.feedback import Feedback, feedback_of
from shipspeak_demo.store import Ending

if TYPE_CHECKING:
    from collections.abc import Callable

    from shipspeak_demo.practice.aftermath import Aftermath
    from shipspeak_demo.store import Practice, Practices
    from shipspeak_realtime import RealtimeClient


class Ended(Exception):
    """The session is over; a new one has an id of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What became of a text.

    Attributes:
        is_taken: it was newer than what the coach had.
        revision: of the text that the coach has now.
        untimed_words: pasted words in it; they have no pace until their time is told.
    """

    is_taken: bool
    revision: int
    untimed_words: int


@dataclass(slots=True)
class _Room:
    practice: Practice
    feedback: Feedback
    coach: Coach = field(default_factory=Coach)
    revision: int = 0

    def heard(self, *, is_taken: bool) -> Heard:
        return Heard(
            is_taken=is_taken, revision=self.revision, untimed_words=self.coach.untimed_words
        )


class Rooms:
    """Takes what people say to their coaches.

    Args:
        clock: monotonic seconds.
        aftermath: what follows the end of a session.
    """

    def __init__(
        self,
        hub: RealtimeClient,
        practices: Practices,
        aftermath: Aftermath,
        clock: Callable[[], float],
    ) -> None:
        self._hub = hub
        self._practices = practices
        self._aftermath = aftermath
        self._clock = clock
        self._rooms: dict[str, _Room] = {}

    async def open(self, user: str) -> Practice:
        """Begin a session."""
        practice = await asyncio.to_thread(self._practices.create, user)
        self._rooms[practice.id] = self._room(practice)
        return practice

    async def hear(
        self, user: str, practice_id: str, text: str, revision: int, untimed_s: float
    ) -> Heard:
        """Take the whole text as it is now, unless its revision is no higher than the last.

        Raises:
            KeyError: this user has no such session.
            Ended: it is over.
        """
        room = await self._find(user, practice_id)
        if revision <= room.revision:
            return room.heard(is_taken=False)
        room.revision = revision
        remarks = room.coach.hear(text, self._clock(), untimed_s=untimed_s)
        room.feedback.tell(remarks, room.coach.elapsed_s)
        await asyncio.to_thread(self._practices.keep, practice_id, text, untimed_s)
        return room.heard(is_taken=True)

    async def finish(self, user: str, practice_id: str) -> Practice:
        """End a session; ended twice, the first end stands. Raises KeyError."""
        try:
            room = await self._find(user, practice_id)
        except Ended:
            return await asyncio.to_thread(self._practices.get, practice_id, user)
        coach, score = room.coach, room.coach.score()
        ending = Ending(
            elapsed_s=coach.elapsed_s,
            overall=None if score is None else score.overall,
            dimensions={} if score is None else score.dimensions,
            figures=coach.figures(),
        )
        ended, is_first = await asyncio.to_thread(self._practices.end, practice_id, user, ending)
        self._rooms.pop(practice_id, None)
        # Of several requests that met here, one ended the session, and one tells of it.
        if is_first:
            self._aftermath.begin(ended, room.feedback)
        return ended

    async def _find(self, user: str, practice_id: str) -> _Room:
        room = self._rooms.get(practice_id)
        if room is not None:
            if room.practice.user != user:
                raise KeyError(practice_id)
            return room
        # This process is younger than the session: the coach reads what was kept, and gives no
        # hint on it again. Words whose times are gone count as pasted.
        practice = await asyncio.to_thread(self._practices.get, practice_id, user)
        if practice.ended_at is not None:
            raise Ended
        room = self._rooms.setdefault(practice_id, self._room(practice))
        if practice.text and not room.coach.speech.words:
            remarks = room.coach.hear(practice.text, self._clock(), untimed_s=practice.untimed_s)
            # A milestone may have been reached and not told; told twice, it is stored once.
            room.feedback.tell(replace(remarks, hints=(), score=None), room.coach.elapsed_s)
        return room

    def _room(self, practice: Practice) -> _Room:
        return _Room(practice, feedback_of(self._hub, practice))
