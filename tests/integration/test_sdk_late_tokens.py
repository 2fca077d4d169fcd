"""A token function that is behind: what it hands out has ended already."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hub.auth.tokens import mint
from shipspeak.realtime.v1 import meeting_pb2
from shipspeak_realtime import AuthError, ConnectionChange, RealtimeClient, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.hub_process import HubProcess

    StartHub = Callable[..., HubProcess]

SECRET = "a secret of these tests, 32 bytes or more"
UPDATE = meeting_pb2.UploadProgress(sent_bytes=1)


def _token(lifetime: float) -> str:
    return mint(
        SECRET,
        subject="alice",
        issuer="shipspeak",
        audience="shipspeak-realtime",
        lifetime=lifetime,
        publish=["meeting/*"],
        subscribe=["meeting/*"],
    )


async def test_a_token_function_that_lags_behind_the_end_is_asked_until_it_does_not(
    start_hub: StartHub,
):
    """A cache that hands out an ended token heals by itself: readers wait, and are not failed."""
    guarded = start_hub("--heartbeat", "1", env={"RTHUB_AUTH_HS256_SECRET": SECRET}, dev=False)
    ended = _token(-60)

    async def get_token() -> str:
        return _token(60) if healed.is_set() else ended

    healed = asyncio.Event()
    async with RealtimeClient(guarded.grpc, token=get_token) as client, asyncio.timeout(60):
        changes = client.connection_changes()
        reading = asyncio.ensure_future(
            anext(aiter(client.subscribe("meeting/1", start="earliest")))
        )
        waits: list[ConnectionChange] = []
        async for change in changes:
            if change.state is State.NEEDS_AUTH:
                waits.append(change)
                if len(waits) == 2:
                    break
        assert all(isinstance(change.error, AuthError) and change.retry_in for change in waits)
        assert not reading.done()
        # A reader that comes meanwhile waits with the other.
        other = asyncio.ensure_future(anext(aiter(client.subscribe("meeting/2", start="earliest"))))
        healed.set()
        for topic in ("meeting/1", "meeting/2"):
            async with RealtimeClient(guarded.grpc, token=_token(60)) as writer:
                await writer.publish(topic, UPDATE)
        assert (await reading).offset == (await other).offset == 1
