"""The context that handlers get: grpc.aio's interface over one grpc-web call.

It behaves as grpc.aio's own does, so that one servicer serves both doors: `code` is None before it
is set, `abort` raises grpc.aio.AbortError, one request message is all there is to read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
import grpc.aio

from web_bridge.status import MetadataPairs, Status, code_of

if TYPE_CHECKING:
    from web_bridge.metadata import Metadatum
    from web_bridge.response import Response

Clock = Callable[[], float]
DoneCallback = Callable[["BridgeContext"], None]


class BridgeContext(grpc.aio.ServicerContext[Any, Any]):
    """One call.

    Args:
        response: where the call's answer goes.
        serializer: turns a response message into bytes; None passes bytes on.
        metadata: of the request.
        peer: the client's address in gRPC's form.
        deadline: in the clock's seconds; None without one.
        clock: a monotonic clock in seconds.
        streaming: whether the method answers with a stream.
    """

    def __init__(
        self,
        response: Response,
        *,
        serializer: Callable[[Any], bytes] | None,
        metadata: tuple[Metadatum, ...],
        peer: str,
        deadline: float | None,
        clock: Clock,
        streaming: bool,
    ) -> None:
        self._response = response
        self._serializer = serializer
        self._metadata = metadata
        self._peer = peer
        self._deadline = deadline
        self._clock = clock
        self._streaming = streaming
        self._code: grpc.StatusCode | None = None
        self._details = ""
        self._trailing: MetadataPairs = ()
        self._callbacks: list[DoneCallback] = []
        self._cancelled = False
        self._done = False
        self.aborted = False

    # What the handler may ask.

    def invocation_metadata(self) -> Any:
        """The request's metadata, pairs of key and value, in order."""
        return self._metadata

    def peer(self) -> str:
        """The client's address, ``ipv4:127.0.0.1:5000``."""
        return self._peer

    def peer_identities(self) -> Iterable[bytes] | None:
        """None: the transport authenticates nobody."""
        return None

    def peer_identity_key(self) -> str | None:
        """None: the transport authenticates nobody."""
        return None

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """Empty: the transport authenticates nobody."""
        return {}

    def time_remaining(self) -> Any:
        """Seconds to the deadline, at least 0; None without one."""
        return None if self._deadline is None else max(0.0, self._deadline - self._clock())

    def code(self) -> Any:
        """The status code set so far, or None."""
        return self._code

    def details(self) -> str:
        """The status message set so far."""
        return self._details

    def trailing_metadata(self) -> Any:
        """The trailing metadata set so far."""
        return self._trailing

    def cancelled(self) -> bool:
        """Whether the client left or the deadline passed."""
        return self._cancelled

    def done(self) -> bool:
        """Whether the call has ended."""
        return self._done

    def add_done_callback(self, callback: DoneCallback) -> None:
        """Call back with this context when the call has ended."""
        self._callbacks.append(callback)

    # What the handler may do.

    async def read(self) -> Any:
        """The end: the one request message was handed to the handler already."""
        return grpc.aio.EOF

    async def write(self, message: Any) -> None:
        """Send one message of a stream.

        Raises:
            grpc.aio.UsageError: the method is unary, or the call has ended.
        """
        if not self._streaming:
            msg = "write() on a method that answers with one message"
            raise grpc.aio.UsageError(msg)
        if self._done or self.aborted:
            msg = "write() after the call ended"
            raise grpc.aio.UsageError(msg)
        await self._response.message(self.serialize(message))

    def serialize(self, message: Any) -> bytes:
        """A response message as bytes."""
        return bytes(message) if self._serializer is None else self._serializer(message)

    async def send_initial_metadata(self, initial_metadata: Any) -> None:
        """Set the response headers, and for a stream send them at once.

        Raises:
            grpc.aio.UsageError: they were sent before.
            MetadataError: they must not reach the wire.
        """
        if self._response.started:
            msg = "initial metadata was sent already"
            raise grpc.aio.UsageError(msg)
        self._response.set_initial_metadata(tuple(initial_metadata))
        if self._streaming:
            await self._response.start()

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        """Set what goes into the trailer frame beside the status."""
        self._trailing = tuple(trailing_metadata)

    def set_code(self, code: grpc.StatusCode | int) -> None:
        """Set the status code; the call goes on."""
        self._code = code if isinstance(code, grpc.StatusCode) else code_of(int(code))

    def set_details(self, details: str) -> None:
        """Set the status message; the call goes on."""
        self._details = details

    def set_compression(self, compression: grpc.Compression) -> None:
        """Accepted: answers are never compressed, which the protocol allows a server to choose."""

    def disable_next_message_compression(self) -> None:
        """Accepted: answers are never compressed."""

    async def abort(
        self, code: grpc.StatusCode, details: str = "", trailing_metadata: Any = ()
    ) -> NoReturn:
        """End the call with a status.

        Raises:
            grpc.aio.AbortError: always, once the status is kept.
            grpc.aio.UsageError: abort was called before.
            TypeError: the code is OK.
        """
        if self.aborted:
            msg = "abort() was called already"
            raise grpc.aio.UsageError(msg)
        if code == grpc.StatusCode.OK:
            msg = "abort() needs a status other than OK"
            raise TypeError(msg)
        self.set_code(code)
        self._details = details or self._details
        self._trailing = tuple(trailing_metadata) or self._trailing
        self.aborted = True
        msg_0 = "Locally aborted."
        raise grpc.aio.AbortError(msg_0)

    async def abort_with_status(self, status: grpc.Status) -> NoReturn:
        """End the call with a grpc.Status, as grpc_status.rpc_status.to_status makes it.

        Raises:
            grpc.aio.AbortError: always.
        """
        await self.abort(status.code, status.details, status.trailing_metadata or ())

    # What the bridge does.

    def final_status(self) -> Status:
        """The status that the handler left."""
        return Status(self._code or grpc.StatusCode.OK, self._details, self._trailing)

    def mark_cancelled(self) -> None:
        """The client left or the deadline passed."""
        self._cancelled = True

    def finish(self) -> list[DoneCallback]:
        """Mark the call as ended; the callbacks to run, once."""
        self._done = True
        callbacks, self._callbacks = self._callbacks, []
        return callbacks
