"""The ports that several workers share: found and kept by their supervisor.

A bound socket that does not listen gets no connections; it keeps the port from other users, and
free ones from being given away while all workers are away.
"""

from __future__ import annotations

import socket
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub.settings import Settings


@dataclass(frozen=True, slots=True)
class Ports:
    """Of the gRPC door and of the browsers' door."""

    grpc: int
    http: int


@contextmanager
def reserve(settings: Settings) -> Iterator[Ports]:
    """Keep both ports for workers of this user.

    Raises:
        OSError: one is in use, or the address cannot be bound.
    """
    with ExitStack() as kept:
        sockets = [
            kept.enter_context(_reserved(settings.host, port, door))
            for port, door in (
                (settings.grpc_port, "gRPC door cannot listen on {}; choose --grpc-port"),
                (settings.http_port, "browsers' door cannot listen on {}; choose --http-port"),
            )
        ]
        grpc, http = (one.getsockname()[1] for one in sockets)
        yield Ports(grpc, http)


def _reserved(host: str, port: int, complaint: str) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    try:
        if port:
            # Workers of another hub would share the port with this one's unseen.
            with socket.socket(family, kind, protocol) as alone:
                alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                alone.bind(address)
                alone.listen(1)
        shared = socket.socket(family, kind, protocol)
        shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        shared.bind(address)
    except OSError as error:
        where = f"{host}:{port} ({error.strerror})"
        raise OSError(error.errno, f"the {complaint.format(where)}") from error
    return shared
