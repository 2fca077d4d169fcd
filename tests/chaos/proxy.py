"""A TCP proxy that can hold back, strand or cut: between a client and a hub on loopback."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

CHUNK_BYTES = 65_536


class FaultProxy:
    """Forwards connections to one port.

    Args:
        port: of the hub, on loopback.

    Attributes:
        port: where clients connect to.
    """

    def __init__(self, port: int) -> None:
        self.port = 0
        self._target = port
        self._open = asyncio.Event()
        self._open.set()
        self._writers: list[asyncio.StreamWriter] = []
        self._pumps: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    def blackhole(self) -> None:
        """Half-open: connections stand, and nothing comes through any more."""
        self._open.clear()

    def strand(self) -> None:
        """Half-open for ever: what stands brings nothing any more; new connections are forwarded.

        As after a change of network, or where something on the way has forgotten the connection.
        """
        self._open.clear()
        self._open = asyncio.Event()
        self._open.set()

    def cut(self) -> None:
        """Break every connection; new ones are forwarded."""
        writers, self._writers = self._writers, []
        for writer in writers:
            writer.transport.abort()
        self._open.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            hub_reader, hub_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()  # nobody is there: the client is told the same
            return
        self._writers += [writer, hub_writer]
        for source, target in ((reader, hub_writer), (hub_reader, writer)):
            pump = asyncio.create_task(self._pump(source, target, self._open))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, gate: asyncio.Event
    ) -> None:
        try:
            while data := await source.read(CHUNK_BYTES):
                await gate.wait()
                target.write(data)
                await target.drain()
        except OSError:
            pass  # cut: the other end is told below
        finally:
            target.close()
