"""Publishing through the public SDK: the only module that knows it.

Every fact is published by ``RealtimeClient.publish`` without a deadline: a hub that is away is
waited for, and the call returns when the event is stored. The SDK's meeting publisher is made for
programs that do not look back: it leaves out progress that comes too fast and gives up on a hub
that is away for long. The worker writes a checkpoint for what is stored, so it needs every receipt.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from shipspeak_demo.tokens import publisher_token
from shipspeak_demo.updates import conflation_key, to_update
from shipspeak_realtime import RealtimeClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from shipspeak_demo.facts import Fact
    from shipspeak_demo.settings import Settings


@contextlib.asynccontextmanager
async def open_publisher(settings: Settings) -> AsyncIterator[Callable[[Fact], Awaitable[None]]]:
    """Open a client of the hub; opening needs no hub.

    Yields:
        A function that publishes a fact to ``meeting/{id}`` and returns when it is stored. It
        raises the SDK's ``RealtimeError`` where the hub refuses the event.
    """

    async def new_token() -> str:
        return publisher_token(settings, time.time())

    async with RealtimeClient(settings.hub, token=new_token) as hub:

        async def publish(fact: Fact) -> None:
            await hub.publish(
                f"meeting/{fact.meeting_id}",
                to_update(fact),
                key=conflation_key(fact),
                id=fact.event_id,
                timeout=None,
            )

        yield publish
