"""A WebSocket client that says exactly what the test tells it to."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from shipspeak.realtime.v1 import error_reason_pb2, frame_pb2
from tests.support.raw_client import SECONDS, Stream, hello
from web_bridge.websocket import SOCKET_PATH, SUBPROTOCOL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class _Call:
    """The connection as Stream wants it."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def write(self, data: bytes) -> None:
        await self._connection.send(data)

    async def read(self) -> bytes:
        message = await self._connection.recv()
        assert isinstance(message, bytes)
        return message


class SocketStream(Stream):
    """One session on a WebSocket."""

    def __init__(self, connection: ClientConnection) -> None:
        super().__init__(_Call(connection))
        self.connection = connection

    async def closed(self, seconds: float = SECONDS) -> tuple[int, str, list[str]]:
        """Read to the end; close code, close reason, and reasons of the Error frames on the way."""
        errors: list[str] = []
        try:
            while True:
                frame = await self.read(seconds)
                if frame.WhichOneof("control") == "error":
                    errors.append(reason_name(frame.error.reason))
        except ConnectionClosed as end:
            code = end.rcvd.code if end.rcvd else 1006
            return code, end.rcvd.reason if end.rcvd else "", errors

    async def welcomed(self, **changes: Any) -> frame_pb2.Welcome:
        """Say Hello and wait for Welcome."""
        await self.send(hello=hello(**changes))
        welcome: frame_pb2.Welcome = await self.control("welcome")
        return welcome

    async def leave(self) -> None:
        """Say good-bye."""
        await self.connection.close(1000)


def reason_name(reason: int) -> str:
    """A reason without its prefix."""
    name = error_reason_pb2.ErrorReason.Name(error_reason_pb2.ErrorReason.ValueType(reason))
    return name.removeprefix("ERROR_REASON_")


@contextlib.asynccontextmanager
async def open_socket(
    address: str, *, name: str = "", **options: Any
) -> AsyncIterator[SocketStream]:
    """Connect to the door at ``http://host:port``, without manners of the library's own.

    Args:
        address: of the door.
        name: the host that is asked for, in place of the address.
        options: of `websockets`.
    """
    options.setdefault("subprotocols", [SUBPROTOCOL])
    place = urlsplit(address)
    if name:
        options |= {"host": place.hostname, "port": place.port}
    uri = f"ws://{name or place.netloc}{SOCKET_PATH}"
    async with connect(
        uri, compression=None, ping_interval=None, proxy=None, max_size=None, **options
    ) as connection:
        yield SocketStream(connection)
