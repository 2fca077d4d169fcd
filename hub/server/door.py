"""The gRPC server."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from hub.rpc.decode import MAX_MESSAGE_BYTES
from hub.server.streams import SERVICE, StreamHandlers
from hub.server.tls import server_credentials

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.model.tls_files import TlsFiles
    from hub.server.health import Health

# gRPC itself ends the call without a reason; up to four times the limit the refusal is typed.
_TRANSPORT_BYTES = 4 * MAX_MESSAGE_BYTES
_PING_SECONDS = 10
_HANDSHAKE_SECONDS = 20
# Room for the longest token, and for what tracing adds.
_METADATA_BYTES = 16 * 1024


def server_options(heartbeat_interval: float, *, shared: bool = False) -> list[tuple[str, int]]:
    """Channel arguments: keepalive finds dead peers, and clients' own pings are welcome.

    gRPC's defaults answer a client that pings more often than every 5 minutes with too_many_pings,
    wait a minute for the answer to a ping whatever the keepalive's time-out says, let a connection
    that never comes to its settings be for as long, and refuse metadata of 8 to 16 KiB by chance:
    a token may have 8 KiB.
    """
    return [
        ("grpc.max_receive_message_length", _TRANSPORT_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.keepalive_time_ms", int(heartbeat_interval * 1000)),
        ("grpc.keepalive_timeout_ms", _PING_SECONDS * 1000),
        ("grpc.http2.ping_timeout_ms", _PING_SECONDS * 1000),
        ("grpc.server_handshake_timeout_ms", _HANDSHAKE_SECONDS * 1000),
        ("grpc.max_metadata_size", _METADATA_BYTES),
        ("grpc.absolute_max_metadata_size", 2 * _METADATA_BYTES),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
        ("grpc.http2.max_ping_strikes", 0),
        ("grpc.so_reuseport", int(shared)),
    ]


class GrpcDoor:
    """The back ends' door.

    Args:
        handlers: the unary methods of all services.
        streams: Connect and Listen.
        health: served here too.
        services: full names, for reflection.
        heartbeat_interval: seconds.
        tls: None = plain text.
        shared: other processes of this user listen on the same port.

    Raises:
        OSError: a file of ``tls`` cannot be read.
    """

    def __init__(
        self,
        handlers: Sequence[grpc.GenericRpcHandler],
        streams: StreamHandlers,
        health: Health,
        services: Sequence[str],
        heartbeat_interval: float,
        tls: TlsFiles | None = None,
        *,
        shared: bool = False,
    ) -> None:
        self._credentials = server_credentials(tls) if tls else None
        self._server = grpc.aio.server(options=server_options(heartbeat_interval, shared=shared))
        streaming = grpc.method_handlers_generic_handler(SERVICE, streams.handlers())
        self._server.add_generic_rpc_handlers((streaming, *handlers))
        health_pb2_grpc.add_HealthServicer_to_server(health.servicer, self._server)
        health_name = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
        reflection.enable_server_reflection(
            (*services, health_name, reflection.SERVICE_NAME), self._server
        )

    async def start(self, host: str, port: int) -> int:
        """Listen; the port bound.

        Raises:
            OSError: the address cannot be bound.
        """
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            bound = (
                self._server.add_insecure_port(address)
                if self._credentials is None
                else self._server.add_secure_port(address, self._credentials)
            )
        except RuntimeError as error:
            raise OSError(
                f"the gRPC door cannot listen on {address} ({_why_not(host, port)}); stop what "
                "listens there, or choose another port with --grpc-port (0 = a free one)"
            ) from error
        await self._server.start()
        return bound

    async def stop(self, grace: float) -> None:
        """Refuse new calls, wait up to ``grace`` seconds for those under way, then end."""
        await self._server.stop(grace)


def _why_not(host: str, port: int) -> str:
    """What the system says of the address; gRPC says only that it could not be bound."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        return error.strerror or str(error)
    return "it could not be bound"
