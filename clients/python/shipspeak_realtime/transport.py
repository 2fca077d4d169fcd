"""The gRPC channel to the hub: options, stub, and a Connect stream that tells each frame's size."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple, cast

import grpc

from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2_grpc

if TYPE_CHECKING:
    from shipspeak.realtime.v1.realtime_service_pb2_grpc import RealtimeServiceAsyncStub

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
UNARY_TIMEOUT_SECONDS = 10.0
CONNECT_TIMEOUT_SECONDS = 10.0
_CONNECT = "/shipspeak.realtime.v1.RealtimeService/Connect"

_CHANNEL_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # Repeats are this SDK's own: it knows ids, deadlines and what the hub asked for.
    ("grpc.enable_retries", 0),
    # The channel's own waits between connects stay below those of backoff.py, which rule.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # In the core this is the time that one connect may take, not a wait.
    ("grpc.min_reconnect_backoff_ms", 5_000),
    # Two clients in one process are two connections, as their sessions are, and a fresh channel
    # never takes over the connection of one that was given up.
    ("grpc.use_local_subchannel_pool", 1),
)


class SizedFrame(NamedTuple):
    """A ServerFrame and the bytes that it had on the wire, which the window counts."""

    frame: frame_pb2.ServerFrame
    size: int


Call = grpc.aio.StreamStreamCall[frame_pb2.ClientFrame, SizedFrame]
Metadata = tuple[tuple[str, str], ...]


class Transport:
    """The channel of one client.

    Args:
        server: gRPC target, such as "127.0.0.1:50051" or "dns:///hub.example:443".
        credentials: of TLS; None = plain text, for development and trusted networks.

    Attributes:
        stub: the unary calls on the channel of this moment, not to be kept: see `renew`.
        closed: whether `close` was called.
    """

    def __init__(self, server: str, credentials: grpc.ChannelCredentials | None = None) -> None:
        self._server, self._credentials = server, credentials
        self._given_up: set[asyncio.Task[None]] = set()
        self.closed = False
        self._open()

    def _open(self) -> None:
        self._channel = make_channel(self._server, self._credentials)
        self.stub: RealtimeServiceAsyncStub = realtime_service_pb2_grpc.RealtimeServiceStub(
            self._channel
        )
        self._connect = self._channel.stream_stream(
            _CONNECT,
            request_serializer=frame_pb2.ClientFrame.SerializeToString,
            response_deserializer=_sized,
        )

    def connect(self, metadata: Metadata) -> Call:
        """Open a Connect stream; it fails at the first read when the hub cannot be reached."""
        # The stubs type the request as any message; the serializer takes ClientFrame alone.
        return cast("Call", self._connect(metadata=metadata, wait_for_ready=False))

    def renew(self) -> None:
        """Give the connection up and take a fresh one, for what has fallen silent.

        A half-open connection ends by gRPC's keepalive alone, half a minute later, and until then
        every call goes there. The calls on it are cancelled: their answers will not come.
        """
        if self.closed:
            return
        old = self._channel
        self._open()
        closing = asyncio.create_task(old.close(grace=None), name="realtime-give-up")
        self._given_up.add(closing)
        closing.add_done_callback(self._given_up.discard)

    async def close(self) -> None:
        """End all calls and the channel."""
        self.closed = True
        await self._channel.close(grace=None)
        await asyncio.gather(*self._given_up)


def make_channel(server: str, credentials: grpc.ChannelCredentials | None) -> grpc.aio.Channel:
    """A channel with this SDK's options; it does no I/O yet.

    Args:
        server: gRPC target.
        credentials: of TLS; None = plain text.
    """
    if credentials is None:
        return grpc.aio.insecure_channel(server, options=_CHANNEL_OPTIONS)
    return grpc.aio.secure_channel(server, credentials, options=_CHANNEL_OPTIONS)


def bearer(token: str | None) -> Metadata:
    """Call metadata that carries a token."""
    return () if token is None else (("authorization", f"Bearer {token}"),)


def _sized(message: bytes) -> SizedFrame:
    return SizedFrame(frame_pb2.ServerFrame.FromString(message), len(message))
