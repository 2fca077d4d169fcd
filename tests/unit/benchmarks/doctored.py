"""Hubs and servers for the generator's tests: in this process, sound or doctored."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import grpc.aio

from benchmarks.tutorial_hub import TutorialHub, register
from benchmarks.workload import sequence_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from shipspeak.realtime.v1 import event_pb2


class Dropping(TutorialHub):
    """Loses event 5."""

    def deliver(self, topic: str, event: event_pb2.Event) -> None:
        if sequence_of(event) != 5:
            super().deliver(topic, event)


class Doubling(TutorialHub):
    """Delivers event 5 twice."""

    def deliver(self, topic: str, event: event_pb2.Event) -> None:
        super().deliver(topic, event)
        if sequence_of(event) == 5:
            super().deliver(topic, event)


class Swapping(TutorialHub):
    """Delivers event 6 before event 5."""

    def __init__(self) -> None:
        super().__init__()
        self._held: event_pb2.Event | None = None

    def deliver(self, topic: str, event: event_pb2.Event) -> None:
        if sequence_of(event) == 5:
            self._held = event
            return
        super().deliver(topic, event)
        if self._held is not None:
            super().deliver(topic, self._held)
            self._held = None


@asynccontextmanager
async def serving(hub: TutorialHub) -> AsyncIterator[int]:
    """Serves the hub over gRPC; gives the port."""
    server = grpc.aio.server()
    register(hub, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(0)


@asynccontextmanager
async def raw_server(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]],
) -> AsyncIterator[int]:
    """A TCP server that says what ``talk`` writes and then keeps the connection; gives the port.

    At its end every talk is over: what the client said last has been read.
    """
    connections: list[asyncio.StreamWriter] = []
    talks: list[asyncio.Future[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        talks.append(asyncio.ensure_future(talk(reader, writer)))
        await talks[-1]

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await asyncio.gather(*talks, return_exceptions=True)
        for writer in connections:
            writer.close()
        server.close()
        await server.wait_closed()
