"""The listening socket and its options, which accepted connections inherit on Linux."""

from __future__ import annotations

import socket

# Bytes that the kernel may hold unsent per connection: what is not yet in there can still be
# overtaken by something more important.
NOTSENT_LOWAT_BYTES = 64 * 1024
# 2.5 heartbeats of 20 s: a peer that acknowledges nothing for so long is gone.
USER_TIMEOUT_SECONDS = 50.0


def listening_socket(
    host: str, port: int, *, user_timeout: float = USER_TIMEOUT_SECONDS, shared: bool = False
) -> socket.socket:
    """Bind a TCP socket; the server starts listening on it.

    Args:
        host: an address or a name of this machine.
        port: 0 for a free one.
        user_timeout: seconds that sent data may stay unacknowledged before the connection ends.
        shared: other processes of this user listen on it, too: the kernel spreads connections.

    Raises:
        OSError: the address cannot be bound.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        set_stream_options(sock, user_timeout)
        sock.setblocking(False)  # noqa: FBT003 - the standard library's own signature
        sock.bind(address)
    except OSError as error:
        sock.close()
        raise OSError(
            error.errno,
            f"the browsers' door cannot listen on {host}:{port} ({error.strerror}); stop what "
            "listens there, or choose another port with --http-port (0 = a free one)",
        ) from error
    return sock


def set_stream_options(sock: socket.socket, user_timeout: float) -> None:
    """Set what a stream's connection needs; on a listener its accepted connections inherit it."""
    tcp = socket.IPPROTO_TCP
    sock.setsockopt(tcp, socket.TCP_NODELAY, 1)
    sock.setsockopt(tcp, socket.TCP_USER_TIMEOUT, round(user_timeout * 1000))
    sock.setsockopt(tcp, socket.TCP_NOTSENT_LOWAT, NOTSENT_LOWAT_BYTES)
