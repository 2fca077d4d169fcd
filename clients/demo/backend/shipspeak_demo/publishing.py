"""Publishing about meetings through the public SDK.

Every fact is published by ``RealtimeClient.publish`` without a deadline: a hub that is away is
waited for, and the call returns when the event is stored. The SDK's meeting publisher is made for
programs that do not look back: it leaves out progress that comes too fast and gives up on a hub
that is away for long. The worker writes a checkpoint for what is stored, so it needs every receipt.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from shipspeak_demo.facts import Completed, Failed
from shipspeak_demo.notices import notice_of
from shipspeak_demo.rows import LIST_TOPIC, RowPacer
from shipspeak_demo.tokens import publisher_token
from shipspeak_demo.updates import conflation_key, to_update
from shipspeak_realtime import RealtimeClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from shipspeak_demo.facts import Fact
    from shipspeak_demo.settings import Settings
    from shipspeak_demo.store import Meetings
    from shipspeak_realtime import UserProgress


@contextlib.asynccontextmanager
async def open_hub(settings: Settings) -> AsyncIterator[RealtimeClient]:
    """Open a client of the hub; opening needs no hub."""

    async def new_token() -> str:
        return publisher_token(settings, time.time())

    async with RealtimeClient(settings.hub, token=new_token) as hub:
        yield hub


class FactPublisher:
    """Publishes a fact to the meeting's topic, to the list and, an end, to the owner's inbox.

    All of a fact's events have its id, so what is published again after a crash is stored once.

    Args:
        progress_of: adds up a user's progress, of which the end of a meeting is a part; blocks.
    """

    def __init__(
        self,
        hub: RealtimeClient,
        meetings: Meetings,
        progress_of: Callable[[str], UserProgress],
    ) -> None:
        self._hub = hub
        self._meetings = meetings
        self._progress_of = progress_of
        self._rows = RowPacer()

    async def __call__(self, fact: Fact) -> None:
        """Publish; returns when all is stored. Raises RealtimeError where the hub refuses it."""
        await self._hub.publish(
            f"meeting/{fact.meeting_id}",
            to_update(fact),
            key=conflation_key(fact),
            id=fact.event_id,
            timeout=None,
        )
        row = self._rows.take(fact)
        if row is None:
            return
        meeting = await asyncio.to_thread(self._meetings.get, fact.meeting_id)
        await self._hub.publish(
            LIST_TOPIC,
            row.message(fact.attempt),
            key=fact.meeting_id,
            attributes=row.attributes(meeting),
            id=fact.event_id,
            timeout=None,
        )
        if isinstance(fact, Completed | Failed) and meeting.owner:
            await self._hub.publish(
                f"user/{meeting.owner}",
                notice_of(fact, meeting),
                id=fact.event_id,
                until_acknowledged=True,
                timeout=None,
            )
            progress = await asyncio.to_thread(self._progress_of, meeting.owner)
            await self._hub.publish_user_progress(meeting.owner, progress)
