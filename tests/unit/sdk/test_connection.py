"""The connection manager without a hub: what it asks for, and how it ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from shipspeak.realtime.v1 import frame_pb2
from shipspeak_realtime import RealtimeError, State, Stats, Subscription
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


def reader_of(connection: Connection) -> Subscription:
    return Subscription(
        "meeting/1",
        start="latest",
        stats=Stats(),
        on_open=connection.open,
        on_close=connection.forget,
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


async def test_changes_are_kept_from_the_call_on(transport: Transport):
    connection = connection_of(transport)
    changes = connection.changes()
    connection.start()
    await connection.close()
    async with asyncio.timeout(20):
        states = [change.state async for change in changes]
    assert (states[0], states[-1]) == (State.AUTHENTICATING, State.CLOSED)


async def test_changes_of_a_closed_connection_end_at_once(transport: Transport):
    connection = connection_of(transport)
    before = connection.changes()
    await connection.close()
    async with asyncio.timeout(20):
        assert [change.state async for change in before] == [State.CLOSED]
        for ended in (before, connection.changes()):
            assert [change async for change in ended] == []


async def test_a_loop_over_changes_that_was_left_is_forgotten(transport: Transport):
    connection = connection_of(transport)
    connection.start()
    changes = connection.changes()
    await connection.close()
    async for _ in changes:
        break
    del changes
    assert not list(connection._changes._listeners)


@pytest.mark.parametrize("phase", ["token", "stream", "wait"])
async def test_a_fault_of_the_sdk_fails_the_connection_and_a_later_start_tries_again(
    transport: Transport, phase: str, caplog: pytest.LogCaptureFixture
):
    connection = connection_of(transport)
    fault = KeyError(phase)

    def fail(*_args: object) -> None:
        raise fault

    match phase:
        case "token":
            connection._tokens.renew = fail  # type: ignore[method-assign, assignment]
        case "stream":
            connection._transport.connect = fail  # type: ignore[method-assign, assignment]
        case _:
            connection._clock.sleep = fail  # type: ignore[method-assign, assignment]
    async with asyncio.timeout(20):
        for _ in range(2):
            with pytest.raises(RealtimeError, match="a fault of the SDK: KeyError"):
                await anext(aiter(reader_of(connection)))
            assert connection.state is State.FAILED
    assert "the connection manager failed" in caplog.text
    await connection.close()
