"""What a user is told about oneself: progress, achievements, reminders, a first word."""

from __future__ import annotations

import asyncio
import logging
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from shipspeak.realtime.v1.notification_pb2 import NotificationAction
from shipspeak_demo.achievements import achieved
from shipspeak_realtime import RealtimeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from shipspeak_demo.standing import Standings
    from shipspeak_demo.store import Practice, Practices, Told
    from shipspeak_realtime import RealtimeClient, UserProgress

_log = logging.getLogger(__name__)
_NEXT_PRACTICE = timedelta(days=1)
_PRACTISE = NotificationAction(action_id="practise", label="Practise now", url="/#/practice")


class Profile:
    """Publishes to a user's own topics.

    Args:
        now: Unix seconds.
    """

    def __init__(
        self,
        hub: RealtimeClient,
        practices: Practices,
        standings: Standings,
        told: Told,
        now: Callable[[], float],
    ) -> None:
        self._hub = hub
        self._practices = practices
        self._standings = standings
        self._told = told
        self._now = now
        self._greeting: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def greet(self, user: str) -> None:
        """A user has signed in: tell what there is to tell, however long the hub is away."""
        if user in self._greeting:
            return
        self._greeting.add(user)
        task = asyncio.create_task(self._greet(user))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _greet(self, user: str) -> None:
        try:
            await self.arrived(user)
        except RealtimeError as error:
            _log.warning("%s could not be told how things stand: %s", user, error)
        finally:
            self._greeting.discard(user)

    async def close(self) -> None:
        """Stop telling; the next sign-in tells it."""
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def arrived(self, user: str) -> None:
        """A user has signed in: tell the progress, and once in a lifetime how scores are made."""
        await self.publish_progress(user)
        if not await asyncio.to_thread(self._told.knows, user, "welcome"):
            await self._welcome(user)
            await asyncio.to_thread(self._told.note, user, "welcome")

    async def publish_progress(self, user: str) -> UserProgress:
        """Publish the whole state."""
        progress = await asyncio.to_thread(self._standings.of, user)
        await self._hub.publish_user_progress(user, progress)
        return progress

    async def practised(self, practice: Practice) -> None:
        """A session has ended: progress, achievements, and a reminder for tomorrow."""
        user = practice.user
        progress = await self.publish_progress(user)
        practices = await asyncio.to_thread(self._practices.ended_of, user)
        for one in achieved(practices, progress):
            what = f"achievement:{one.key}"
            if await asyncio.to_thread(self._told.knows, user, what):
                continue
            await self._hub.notifications.achievement(user, one.key, one.title, one.body)
            await asyncio.to_thread(self._told.note, user, what)
        if progress.streak_days:
            days = "1 day" if progress.streak_days == 1 else f"{progress.streak_days} days"
            due = datetime.fromtimestamp(self._now(), UTC) + _NEXT_PRACTICE
            text = f"Your streak is {days} long; a session today makes it longer."
            await self.remind(user, "Time to practise", text, due)

    async def remind(self, user: str, title: str, text: str, due: datetime) -> None:
        """Remind a user at a time, in place of what waited before."""
        await self.forget_reminder(user)
        reminder_id = str(uuid.uuid4())
        await self._hub.notifications.reminder(
            user, title, text, at=due, actions=[_PRACTISE], id=reminder_id
        )
        await asyncio.to_thread(self._told.keep_reminder, user, reminder_id, due.timestamp())

    async def forget_reminder(self, user: str) -> None:
        """Take back the reminder that waits for its time, if one does."""
        waiting = await asyncio.to_thread(self._told.reminder, user)
        if waiting is not None:
            await self._hub.cancel_scheduled(f"user/{user}", waiting[0])

    async def _welcome(self, user: str) -> None:
        await self._hub.notifications.education(
            "How your score is made",
            "A pace of 120 to 160 words a minute is easy to follow. Each filler or hedge in a"
            " hundred words costs 12 points; sentences cost beyond 18 words.",
            to=user,
            actions=[_PRACTISE],
            id=f"welcome-{user}",
        )
