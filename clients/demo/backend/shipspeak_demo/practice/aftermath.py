"""What follows the end of a session: the summary, the user's progress, achievements, a reminder.

The session's row says that it has ended before anybody is told. What a crash leaves untold is told
at the next start, under the same ids.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from shipspeak_demo.practice.feedback import Feedback, feedback_of
from shipspeak_realtime import RealtimeError

if TYPE_CHECKING:
    from shipspeak_demo.profile import Profile
    from shipspeak_demo.store import Practice, Practices
    from shipspeak_realtime import RealtimeClient

_log = logging.getLogger(__name__)


class Aftermath:
    """Tells ends, each in a task of its own."""

    def __init__(self, hub: RealtimeClient, practices: Practices, profile: Profile) -> None:
        self._hub = hub
        self._practices = practices
        self._profile = profile
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, practice: Practice, feedback: Feedback) -> None:
        """Tell the end of a session; returns at once."""
        task = asyncio.create_task(self._tell(practice, feedback))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def catch_up(self) -> None:
        """Tell what was left untold."""
        for practice in await asyncio.to_thread(self._practices.untold):
            self.begin(practice, feedback_of(self._hub, practice))

    async def close(self, grace_s: float) -> None:
        """Give what is under way so many seconds; the rest is told at the next start."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await asyncio.gather(*self._tasks)
        for task in [*self._tasks]:
            task.cancel()

    async def _tell(self, practice: Practice, feedback: Feedback) -> None:
        try:
            await feedback.finish(practice)
            await self._profile.practised(practice)
            await asyncio.to_thread(self._practices.mark_told, practice.id)
        except RealtimeError:
            _log.exception("the end of practice %s could not be told", practice.id)
