"""The connection manager without a hub: what it asks for, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shipspeak.realtime.v1 import frame_pb2
from shipspeak_realtime import Stats
from shipspeak_realtime.backoff import Backoff
from shipspeak_realtime.connection import Connection
from shipspeak_realtime.session import Identity
from shipspeak_realtime.tokens import GetToken, TokenSource
from shipspeak_realtime.transport import Transport
from tests.unit.sdk.dispatch_bench import Wire
from tests.unit.sdk.manual_clock import ManualClock, settle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    transport = Transport("127.0.0.1:1")
    yield transport
    await transport.close()


def connection_of(transport: Transport, token: str | GetToken | None = None) -> Connection:
    return Connection(
        transport,
        TokenSource(token),
        Identity("c", "", "test"),
        stats=Stats(),
        clock=ManualClock(),
        backoff=Backoff(lambda: 0.0),
    )


async def told_that_the_token_ends(connection: Connection) -> list[str | None]:
    wire = Wire()
    connection._dispatcher.welcome(frame_pb2.Welcome(), wire)
    expiring = frame_pb2.ServerFrame(session_expiring=frame_pb2.SessionExpiring())
    connection._dispatcher.control(expiring)
    await settle()
    return wire.kinds()


async def test_a_fixed_token_is_not_sent_again(transport: Transport):
    assert await told_that_the_token_ends(connection_of(transport, "fixed")) == []


async def test_a_token_function_is_asked_when_the_old_token_ends(transport: Transport):
    async def get_token() -> str:
        return "new"

    assert await told_that_the_token_ends(connection_of(transport, get_token)) == ["refresh_token"]
