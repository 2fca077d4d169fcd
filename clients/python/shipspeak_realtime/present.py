"""Saying what others see of this client, and taking it back."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import realtime_service_pb2
from shipspeak_realtime.errors import NetworkError, RealtimeError
from shipspeak_realtime.presence import is_about_presence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shipspeak_realtime.clock import Clock
    from shipspeak_realtime.connection import Connection
    from shipspeak_realtime.presence import PresenceState
    from shipspeak_realtime.unary import UnaryCalls

# A client that closes waits no longer for the hub to hear that it leaves.
LEAVE_SECONDS = 1.0


async def say_presence(
    connection: Connection,
    calls: UnaryCalls,
    topic: str,
    state: PresenceState,
    metadata: Mapping[str, str] | None,
    clock: Clock,
) -> None:
    """Keep the wish, and tell the session that is open; what comes too fast is said later.

    By Touch, whose answer tells a refusal; then on the stream too, so that what was said there
    before and is still under way does not stand.

    Raises:
        ValueError: for a state that there is not.
        RealtimeError: the hub's refusal; the wish is forgotten.
    """
    request = connection.presence.wish(topic, state, metadata)
    while session_id := connection.session_id:
        touch = realtime_service_pb2.TouchRequest(session_id=session_id, presence=request)
        try:
            await calls.touch(touch)
        except NetworkError:
            # The session is lost, or will be: the next one says it.
            pass
        except RealtimeError as error:
            if error.reason == "RATE_LIMITED" and error.retry_after is not None:
                await clock.sleep(error.retry_after)
                if connection.presence.wished(topic) is request:
                    continue
                # What was said later stands, and whoever said it sees to it.
                return
            if error.reason != "SESSION_UNKNOWN":
                if is_about_presence(error) or not error.retryable:
                    connection.presence.forget(topic)
                raise
        break
    if state != "offline":
        connection.announce(topic)


async def leave_all(connection: Connection, calls: UnaryCalls) -> None:
    """Leave everywhere, so that others see it at once; a hub that cannot be told finds out."""
    wishes = connection.presence.wishes()
    session_id = connection.session_id
    if not session_id:
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LEAVE_SECONDS):
            for wish in wishes:
                request = connection.presence.wish(wish.topic, "offline", None)
                touch = realtime_service_pb2.TouchRequest(session_id=session_id, presence=request)
                with contextlib.suppress(RealtimeError):
                    await calls.touch(touch)
