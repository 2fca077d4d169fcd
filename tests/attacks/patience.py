"""Attacks that take their time: begun before all others, each in a thread, and looked at last.

They end by timers of the hub, which nobody wants to wait for one after the other.
"""

from __future__ import annotations

import concurrent.futures
import selectors
import socket
import time
from typing import TYPE_CHECKING

from hyperframe.frame import SettingsFrame
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from shipspeak.realtime.v1 import frame_pb2
from tests.attacks.http2 import ELSEWHERE, PREFACE
from tests.support.socket_client import reason_name
from web_bridge.websocket import SOCKET_PATH, SUBPROTOCOL

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.attacks.doors import Doors

CONNECTIONS = 30
# A byte now and then: no timer may begin anew with it.
TRICKLE_SECONDS = 1.0
LONGEST = 150.0
# The doors' own timers are 10 to 30 s; what takes much longer has none.
SOON = 50.0

HEAD = "slow heads"
BODY = "slow bodies"
PREFACES = "slow prefaces"
DEAF = "a peer that answers no ping"
SILENT = "sessions without a Hello"


def _tcp(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 30, source_address=(ELSEWHERE, 0))


def _trickle(port: int, first: bytes, more: bytes) -> str:
    """Open connections, send a byte now and then, and tell what the hub said at their end."""
    began = time.monotonic()
    selector = selectors.DefaultSelector()
    heard: dict[socket.socket, bytes] = {}
    for _ in range(CONNECTIONS):
        line = _tcp(port)
        line.sendall(first)
        line.setblocking(False)
        heard[line] = b""
        selector.register(line, selectors.EVENT_READ)
    due = time.monotonic() + TRICKLE_SECONDS
    try:
        while selector.get_map() and time.monotonic() < began + LONGEST:
            for key, _ in selector.select(max(0.0, due - time.monotonic())):
                _hear(selector, key.fileobj, heard)  # type: ignore[arg-type]  # sockets only
            if time.monotonic() >= due:
                due += TRICKLE_SECONDS
                _send(selector, more)
        if selector.get_map():
            return f"{len(selector.get_map())} still open"
    finally:
        for line in heard:
            line.close()
    if time.monotonic() > began + SOON:
        return f"after {time.monotonic() - began:.0f} s"
    return " ".join(sorted({_word(said) for said in heard.values()}))


def _hear(
    selector: selectors.BaseSelector, line: socket.socket, heard: dict[socket.socket, bytes]
) -> None:
    try:
        more = line.recv(65_536)
    except OSError:
        more = b""
    heard[line] += more
    if not more:
        selector.unregister(line)


def _send(selector: selectors.BaseSelector, more: bytes) -> None:
    for key in list(selector.get_map().values()):
        try:
            key.fileobj.send(more)  # type: ignore[union-attr]  # sockets only
        except OSError:
            continue  # its end is read soon


def _word(said: bytes) -> str:
    if said.startswith(b"HTTP/1.1 "):
        return f"HTTP {said.split(b' ')[1].decode()}"
    return "cut"


def _no_hello(doors: Doors) -> str:
    """A WebSocket that says nothing."""
    address = doors.http.replace("http", "ws", 1) + SOCKET_PATH
    reasons = []
    with connect(address, subprotocols=[SUBPROTOCOL], proxy=None, ping_interval=None) as line:  # type: ignore[list-item]  # a plain string does
        try:
            while True:
                data = line.recv(LONGEST)
                assert isinstance(data, bytes), data
                frame = frame_pb2.ServerFrame.FromString(data)
                reasons.append(reason_name(frame.error.reason))
        except ConnectionClosed:
            return " ".join(reasons)


def _grpc_port(doors: Doors) -> int:
    return int(doors.grpc.rpartition(":")[2])


_SETTINGS = SettingsFrame(0).serialize()
_POST = (
    b"POST /v1/publish HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
    b"content-length: 1000\r\n\r\n{"
)
_ACTS: dict[str, Callable[[Doors], str]] = {
    HEAD: lambda doors: _trickle(doors.port, b"GET / HTTP/1.1\r\nx: ", b"y"),
    BODY: lambda doors: _trickle(doors.port, _POST, b" "),
    PREFACES: lambda doors: _trickle(_grpc_port(doors), PREFACE[:10], b""),
    DEAF: lambda doors: _trickle(_grpc_port(doors), PREFACE + _SETTINGS, b""),
    SILENT: _no_hello,
}


class Patience:
    """The patient attacks of one run."""

    def __init__(self, doors: Doors) -> None:
        self._pool = concurrent.futures.ThreadPoolExecutor(len(_ACTS))
        self._ends = {name: self._pool.submit(act, doors) for name, act in _ACTS.items()}

    def end(self, name: str) -> str:
        """How one ended; waits for it."""
        return self._ends[name].result(LONGEST + 60)

    def close(self) -> None:
        """Wait for all: the hub that they are at ends after them."""
        self._pool.shutdown(cancel_futures=True)
