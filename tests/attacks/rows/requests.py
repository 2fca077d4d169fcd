"""What can be written into a request by hand."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2
from tests.attacks.attack import Act, Attack, Door
from tests.attacks.rows.shared import exchange
from tests.support.raw_client import SERVICE
from tests.wire.raw import BINARY, PREFIX, ask, frame, post, request

if TYPE_CHECKING:
    from tests.attacks.scene import Scene

HTTP = (Door.HTTP,)
PUBLISH = f"/{SERVICE}/Publish"
Header = tuple[str, str]


def _raw(data: bytes) -> Act:
    """Bytes on a connection; the status line of the first answer, or how it ended."""

    async def act(scene: Scene, _door: Door) -> str:
        answer = await exchange(scene, data)
        lines = answer.split(b"\r\n", 1)[0].split(b" ")
        assert b"\r\nx-injected" not in answer.lower()
        return f"HTTP {lines[1].decode()}" if len(lines) > 1 else "closed"

    return act


def _line(first: str) -> Act:
    """A request with this first line."""
    return _raw(f"{first} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".encode())


def _host(name: str) -> Act:
    """The hub makes nothing of the name it is called by."""

    async def act(scene: Scene, _door: Door) -> str:
        answer = await ask(scene.doors.port, request("GET", "/healthz", host=name))
        assert name not in f"{answer.headers} {answer.body!r}"
        return f"HTTP {answer.status}"

    return act


async def _trailers(scene: Scene, _door: Door) -> str:
    """A name that would write trailers of its own, where the refusal quotes it."""
    topic = "meeting/1\r\ngrpc-status: 0\r\nx-injected: 1"
    message = realtime_service_pb2.ReadHistoryRequest(topic=topic).SerializeToString()
    token = ("authorization", f"Bearer {scene.keys.token()}")
    answer = await ask(scene.doors.port, post(f"/{SERVICE}/ReadHistory", frame(message), token))
    trailers = answer.trailers()
    assert "x-injected" not in trailers
    return f"INVALID_ARGUMENT {answer.reason()}" if trailers["grpc-status"] == "3" else "OK"


async def _metadata(scene: Scene, door: Door) -> str:
    """Metadata that no header may hold."""
    return await _web(scene, ("x-bad", "a\x01b"))


async def _reserved(scene: Scene, door: Door) -> str:
    """Two deadlines."""
    return await _web(scene, ("grpc-timeout", "1S"), ("grpc-timeout", "9H"))


async def _web(scene: Scene, *headers: Header) -> str:
    message = realtime_service_pb2.ReadHistoryRequest(topic="meeting/1").SerializeToString()
    answer = await scene.doors.web("ReadHistory", message, scene.keys.token(), *headers)
    return answer if isinstance(answer, str) else "OK"


def _framed(body: bytes, *headers: Header, kind: bytes = BINARY) -> Act:
    """A body that is no grpc-web."""

    async def act(scene: Scene, _door: Door) -> str:
        token = ("authorization", f"Bearer {scene.keys.token()}")
        answer = await ask(
            scene.doors.port, post(PUBLISH, body, token, *headers, content_type=kind)
        )
        scene.doors.heard.append(f"{answer.headers} {answer.body!r}")
        if answer.status != 200:
            return f"HTTP {answer.status}"
        text = b"text" in kind
        return f"{answer.trailers(text=text)['grpc-status']} {answer.reason(text=text)}"

    return act


async def _zipped_json(scene: Scene, _door: Door) -> str:
    """30 MB of zeros in 30 kB: nothing is unpacked."""
    bomb = gzip.compress(bytes(30_000_000))
    header = ("content-encoding", "gzip")
    return await scene.doors.publish_json(bomb, scene.keys.token(), header)


_PUBLISH = frame_pb2.PublishRequest().SerializeToString()
_BOMB = gzip.compress(bytes(30_000_000))
_SMUGGLED = (
    b"POST /v1/publish HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n"
    b"transfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\nhost: a\r\n\r\n"
)
_FOLDED = b"GET /healthz HTTP/1.1\r\nhost: a\r\nx-a: 1\r\n\tx-injected: 1\r\n\r\n"
_BARE = b"GET /healthz HTTP/1.1\nhost: a\n\n"

ROWS = (
    Attack("a foreign Host", HTTP, "Host evil.example", _host("evil.example"), "HTTP 200"),
    Attack(
        "a Host with a path",
        HTTP,
        "Host a/../b@evil.example",
        _host("a/../b@evil.example"),
        "HTTP 200",
    ),
    Attack(
        "out of the page's folder",
        HTTP,
        "/../../etc/passwd",
        _line("GET /../../../etc/passwd"),
        "HTTP 404",
    ),
    Attack(
        "out of it, escaped",
        HTTP,
        "/%2e%2e/%2e%2e",
        _line("GET /%2e%2e/%2e%2e/etc/passwd"),
        "HTTP 404",
    ),
    Attack(
        "a topic out of its path",
        HTTP,
        "/v1/topics/public/../user/bob",
        _line("GET /v1/topics/public/..%2fuser/bob"),
        "HTTP 400",
    ),
    Attack(
        "a private topic as public",
        HTTP,
        "/v1/topics/user/bob",
        _line("GET /v1/topics/user/bob"),
        "HTTP 403",
    ),
    Attack(
        "a header in a path",
        HTTP,
        "%0d%0a in a topic",
        _line("GET /v1/topics/public/a%0d%0ax-injected:1"),
        "HTTP 400",
    ),
    Attack("a folded header", HTTP, "a line that begins with a tab", _raw(_FOLDED), "HTTP 400"),
    Attack("bare line ends", HTTP, "no CR", _raw(_BARE), "HTTP 400"),
    Attack("a smuggled request", HTTP, "Content-Length and chunked", _raw(_SMUGGLED), "HTTP 400"),
    Attack(
        "a huge head",
        HTTP,
        "a header of 100 kB",
        _raw(b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"y" * 100_000 + b"\r\n\r\n"),
        "HTTP 400",
    ),
    Attack(
        "a method of proxies",
        HTTP,
        "CONNECT",
        _line("CONNECT evil.example:443"),
        "HTTP 400",
    ),
    Attack(
        "TRACE",
        HTTP,
        "TRACE",
        _line("TRACE /"),
        "HTTP 405",
    ),
    Attack("no HTTP", HTTP, "garbage", _raw(b"\x16\x03\x01 nothing\r\n\r\n"), "HTTP 400"),
    Attack(
        "trailers in a name",
        (Door.GRPC_WEB,),
        "a topic with line ends",
        _trailers,
        "INVALID_ARGUMENT TOPIC_INVALID",
    ),
    Attack(
        "metadata that is no text",
        (Door.GRPC_WEB,),
        "a control character in a header",
        _metadata,
        "HTTP 400",
    ),
    Attack(
        "two deadlines",
        (Door.GRPC_WEB,),
        "grpc-timeout twice",
        _reserved,
        "INVALID_ARGUMENT FIELD_INVALID",
    ),
    Attack(
        "a compressed message",
        (Door.GRPC_WEB,),
        "30 MB of zeros, gzip, flag 1",
        _framed(PREFIX.pack(1, len(_BOMB)) + _BOMB, ("grpc-encoding", "gzip")),
        "12 FEATURE_UNAVAILABLE",
    ),
    Attack(
        "a compressed body",
        (Door.JSON,),
        "30 MB of zeros, gzip",
        _zipped_json,
        "INVALID_ARGUMENT FRAME_MALFORMED",
    ),
    Attack(
        "a cut message",
        (Door.GRPC_WEB,),
        "a prefix that says more",
        _framed(PREFIX.pack(0, 100) + b"x"),
        "3 FRAME_MALFORMED",
    ),
    Attack(
        "two messages",
        (Door.GRPC_WEB,),
        "two frames in one call",
        _framed(frame(_PUBLISH) * 2),
        "3 FRAME_MALFORMED",
    ),
    Attack(
        "a trailer as a request",
        (Door.GRPC_WEB,),
        "flag 0x80",
        _framed(frame(_PUBLISH, 0x80)),
        "3 FRAME_MALFORMED",
    ),
    Attack(
        "text that is no base64",
        (Door.GRPC_WEB,),
        "text mode, garbage",
        _framed(b"!" * 100, kind=b"application/grpc-web-text"),
        "3 FRAME_MALFORMED",
    ),
    Attack(
        "an oversize message",
        (Door.GRPC_WEB,),
        "5 MiB",
        _framed(frame(bytes(5 << 20))),
        "8 FRAME_TOO_LARGE",
    ),
)
