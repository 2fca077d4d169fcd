"""The WebSocket door: the frames of Connect, one binary message each, on the same sessions.

Rules: RFC 6455; what a close code means is in `web_bridge.close_codes` and in docs/protocol.md.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from hub.errors import HubError
from hub.session.session import MAX_CONTROL_FRAMES
from hub.session.sink import Caller
from web_bridge.admission import peer_of
from web_bridge.close_codes import NORMAL, NOT_BINARY
from web_bridge.extensions import abort_of, direct_of
from web_bridge.handshake import refuse_handshake
from web_bridge.refusals import draining, not_binary
from web_bridge.socket_sink import SocketFraming, SocketSink
from web_bridge.stepping import transmitter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hub.session.sink import FrameSink
    from hub.telemetry.transports import TransportFigure
    from web_bridge.asgi import Message, Receive, Scope, Send
    from web_bridge.cors import CorsPolicy
    from web_bridge.limits import Limits

SOCKET_PATH: Final = "/v1/connect"
# The version is that of the contract's package; a hub that speaks several picks the best one asked.
SUBPROTOCOL: Final = "shipspeak.realtime.v1"
TRANSPORT: Final = "websocket"
_DISCONNECT: Final[Message] = {"type": "websocket.disconnect", "code": 1005}


class Duplex(Protocol):
    """A session whose frames come in on the connection that its own go out on."""

    @property
    def backlog(self) -> int:
        """Answers that the client has not taken yet."""

    async def run(self, frames: AsyncIterator[bytes]) -> None:
        """Take frames until they end; then finish the answers and close the sink."""

    def detach(self) -> None:
        """The peer is gone. Idempotent."""


class DuplexMethod(Protocol):
    """Opens sessions before their Hello."""

    def open(self, caller: Caller, sink: FrameSink) -> Duplex:
        """A session before its Hello.

        Raises:
            HubError: refused.
        """


class SocketDoor:
    """Serves WebSockets at SOCKET_PATH.

    Args:
        connect: opens sessions.
        cors: whose pages may connect; CORS itself does not cover WebSockets, so Origin is checked.
        limits: of the end of a connection.
        figure: counts what goes out.
    """

    def __init__(
        self, connect: DuplexMethod, cors: CorsPolicy, limits: Limits, figure: TransportFigure
    ) -> None:
        self._connect = connect
        self._cors = cors
        self._limits = limits
        self._framing = SocketFraming(figure)
        self._sinks: set[SocketSink] = set()

    @property
    def open(self) -> int:
        """How many are open now."""
        return len(self._sinks)

    def end(self) -> None:
        """End the sockets whose sessions have not ended."""
        for sink in tuple(self._sinks):
            sink.close(draining())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection to its end."""
        if not self._cors.permits(scope["headers"]):
            await refuse_handshake(scope, receive, send, 403, "this origin is not allowed")
            return
        if SUBPROTOCOL not in scope.get("subprotocols", ()):
            text = f"ask for the subprotocol {SUBPROTOCOL}"
            await refuse_handshake(scope, receive, send, 400, text)
            return
        await receive()  # websocket.connect
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        sink = SocketSink(
            transmitter(send, direct_of(scope)),
            self._framing,
            abort=abort_of(scope),
            linger_seconds=self._limits.linger_seconds,
        )
        self._sinks.add(sink)
        try:
            # The token is in Hello: pages cannot set headers, and one in the URL would be in the
            # log of every proxy on the way.
            reader = _Reader(receive, sink, gives_way=abort_of(scope) is None)
            await self._serve(Caller({}, peer_of(scope), TRANSPORT), sink, reader)
        finally:
            self._sinks.discard(sink)
            sink.gone()

    async def _serve(self, caller: Caller, sink: SocketSink, reader: _Reader) -> None:
        try:
            session = self._connect.open(caller, sink)
        except HubError as error:
            # Accepted all the same: a page learns nothing of a refused handshake.
            sink.close(error)
            await reader.rest()
            return
        try:
            await session.run(reader.frames(session))
            await reader.rest()
        finally:
            session.detach()


class _Reader:
    """What comes in on one connection.

    Args:
        receive: the ASGI receive.
        sink: the way out.
        gives_way: the server cannot send a close while it is asked for a message (granian).
    """

    def __init__(self, receive: Receive, sink: SocketSink, *, gives_way: bool) -> None:
        self._receive = self._interruptible if gives_way else receive
        self._server_receive = receive
        self._sink = sink
        self._over = False
        self._asked: asyncio.Future[Message] | None = None
        if gives_way:
            sink.on_closing = self._give_way

    async def _interruptible(self) -> Message:
        if self._closing():
            return _DISCONNECT
        self._asked = asyncio.ensure_future(_received(self._server_receive))
        try:
            return await self._asked
        except asyncio.CancelledError:
            # Ours, or this very task's?
            if self._closing():
                return _DISCONNECT
            raise
        finally:
            self._asked = None

    def _closing(self) -> bool:
        return self._sink.closed

    def _give_way(self) -> None:
        if self._asked is not None:
            self._asked.cancel()

    async def frames(self, session: Duplex) -> AsyncIterator[bytes]:
        """The client's frames; pauses while it does not read its answers.

        Raises:
            InvalidArgument: a text message came.
        """
        while True:
            while session.backlog > MAX_CONTROL_FRAMES and not self._sink.closed:
                await self._sink.written()
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                self._over = True
                if message.get("code") != NORMAL:
                    # Cut off, and others see that: only a close with 1000 says good-bye.
                    session.detach()
                return
            data = message.get("bytes")
            if data is None:
                self._sink.close_as = NOT_BINARY
                raise not_binary()
            yield data

    async def rest(self) -> None:
        """Wait until the connection is over; what still comes is dropped."""
        await self._sink.flushed()
        while not self._over:
            self._over = (await self._receive())["type"] == "websocket.disconnect"


async def _received(receive: Receive) -> Message:
    return await receive()
