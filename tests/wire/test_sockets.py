"""The options of the listening socket, on it and on the connections that it accepts."""

from __future__ import annotations

import json
import signal
import socket

import pytest

from tests.wire.raw import Raw, call
from tests.wire.servers import running_bridge
from web_bridge.listener import listening_socket
from web_bridge.server import HttpServer


def options(sock: socket.socket) -> dict[str, int]:
    tcp = socket.IPPROTO_TCP
    return {
        "notsent_lowat": sock.getsockopt(tcp, socket.TCP_NOTSENT_LOWAT),
        "user_timeout": sock.getsockopt(tcp, socket.TCP_USER_TIMEOUT),
        "nodelay": sock.getsockopt(tcp, socket.TCP_NODELAY),
        "reuseaddr": sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR),
    }


EXPECTED = {"notsent_lowat": 65536, "user_timeout": 50_000, "nodelay": 1, "reuseaddr": 1}


async def test_listener_and_accepted_connection() -> None:
    async with running_bridge() as server:
        http = server.http
        assert http._sock is not None
        assert options(http._sock) == EXPECTED
        client = await Raw.connect(server.port)
        await client.send(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        await client.read_answer()
        uvicorn_server = http._server
        assert uvicorn_server is not None
        (connection,) = uvicorn_server.server_state.connections
        assert options(connection.transport.get_extra_info("socket")) == EXPECTED
        client.close()


def test_user_timeout_is_an_argument() -> None:
    with listening_socket("127.0.0.1", 0, user_timeout=2.5) as sock:
        assert options(sock)["user_timeout"] == 2500


async def test_given_socket_is_used_and_its_port_given_back() -> None:
    sock = listening_socket("127.0.0.1", 0)
    port = sock.getsockname()[1]
    async with running_bridge() as server:
        assert server.app is not None
        http = HttpServer(server.app, "127.0.0.1", 1, sock=sock)
        assert await http.start() == port
        client = await Raw.connect(port)
        await client.send(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await client.read_answer()).status == 200
        client.close()
        await http.stop()


async def test_port_in_use_is_an_os_error() -> None:
    async with running_bridge() as server:
        assert server.app is not None
        with pytest.raises(OSError, match="in use"):
            await HttpServer(server.app, "127.0.0.1", server.port).start()


async def test_signals_are_left_alone() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    async with running_bridge():
        after = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert after == before


@pytest.mark.parametrize(
    ("trusted", "peer"), [((), "ipv4:127.0.0.1:"), (("127.0.0.1",), "ipv4:203.0.113.7:")]
)
async def test_forwarded_addresses_are_believed_from_trusted_proxies_only(
    trusted: tuple[str, ...], peer: str
) -> None:
    async with running_bridge() as server:
        assert server.app is not None
        http = HttpServer(server.app, "127.0.0.1", 0, trusted_proxies=trusted)
        port = await http.start()
        answer = await call(port, "facts", b"", ("x-forwarded-for", "203.0.113.7"))
        assert json.loads(answer.messages()[0])["peer"].startswith(peer)
        await http.stop()
