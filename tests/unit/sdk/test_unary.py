"""Unary calls at the end of a client: typed for who waits, whatever gRPC raises."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc
import pytest

from shipspeak.realtime.v1 import frame_pb2
from shipspeak_realtime import ClosedError, NetworkError, RealtimeClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ASK = frame_pb2.Subscribe(topic="meeting/1", at=frame_pb2.START_EARLIEST)


class Mute:
    """Takes a Poll and never answers, or cancels it."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.cancels = self.answers = False

    async def poll(self, _request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        self.asked.set()
        if self.answers:
            return b""
        if self.cancels:
            await context.abort(grpc.StatusCode.CANCELLED, "not any more")
        await asyncio.Event().wait()
        return b""


@pytest.fixture
def mute() -> Mute:
    return Mute()


@pytest.fixture
async def address(mute: Mute) -> AsyncIterator[str]:
    server = grpc.aio.server()
    poll: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(mute.poll)
    service = "shipspeak.realtime.v1.RealtimeService"
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(service, {"Poll": poll}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


async def test_closing_the_client_ends_a_call_with_a_typed_error(address: str, mute: Mute):
    async with asyncio.timeout(20), RealtimeClient(address) as client:
        polling = asyncio.create_task(client.poll([ASK], wait=10))
        await mute.asked.wait()
        await client.close()
        with pytest.raises(ClosedError):
            await polling
        with pytest.raises(ClosedError):
            await client.read_history("meeting/1")


async def test_a_call_that_its_caller_cancels_is_cancelled(address: str, mute: Mute):
    async with asyncio.timeout(20), RealtimeClient(address) as client:
        polling = asyncio.create_task(client.poll([ASK], wait=10))
        await mute.asked.wait()
        polling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await polling


async def test_a_call_that_the_other_end_cancels_is_a_loss(address: str, mute: Mute):
    mute.cancels = True
    async with asyncio.timeout(20), RealtimeClient(address) as client:
        with pytest.raises(NetworkError):
            await client.poll([ASK])


async def test_a_call_on_a_connection_that_is_given_up_is_a_loss(address: str, mute: Mute):
    """The next one goes by the fresh connection."""
    async with asyncio.timeout(20), RealtimeClient(address) as client:
        polling = asyncio.create_task(client.poll([ASK], wait=10))
        await mute.asked.wait()
        client._open_parts().transport.renew()
        with pytest.raises(NetworkError, match="given up"):
            await polling
        mute.answers = True
        assert not (await client.poll([ASK])).more
