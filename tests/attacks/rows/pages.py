"""Pages of other sites, and tokens where they must not be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import realtime_service_pb2
from tests.attacks.attack import Act, Attack, Door
from tests.attacks.doors import JSON
from tests.attacks.identities import ORIGIN
from tests.attacks.rows.shared import exchange
from tests.support.raw_client import SERVICE
from tests.wire.raw import ask, frame, post, request
from tests.wire.sockets import OFFER, handshake
from web_bridge.websocket import SOCKET_PATH

if TYPE_CHECKING:
    from tests.attacks.scene import Scene

HTTP = (Door.HTTP,)
PUBLISH = f"/{SERVICE}/Publish"
EMPTY = b'{"drafts":[]}'
Header = tuple[str, str]


def _origin(*headers: Header) -> Act:
    """A good call, from a page that may not make it; nothing in the answer lets it be read."""

    async def act(scene: Scene, door: Door) -> str:
        token = ("authorization", f"Bearer {scene.keys.token()}")
        if door is Door.WEBSOCKET:
            answer = await ask(scene.doors.port, handshake(OFFER, *headers))
        elif door is Door.JSON:
            sent = post("/v1/publish", EMPTY, token, *headers, content_type=JSON)
            answer = await ask(scene.doors.port, sent)
        else:
            sent = post(PUBLISH, frame(b""), token, *headers)
            answer = await ask(scene.doors.port, sent)
        assert answer.header("access-control-allow-origin") is None, answer.headers
        return f"HTTP {answer.status}"

    return act


async def _preflight(scene: Scene, _door: Door) -> str:
    headers = (
        ("origin", "https://evil.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization"),
    )
    answer = await ask(scene.doors.port, request("OPTIONS", PUBLISH, *headers))
    assert not [name for name, _ in answer.headers if name.startswith("access-control-")]
    return f"HTTP {answer.status}"


async def _credentials(scene: Scene, _door: Door) -> str:
    """Even an allowed page is never let use cookies."""
    headers = (("origin", ORIGIN), ("cookie", f"token={scene.keys.token()}"))
    answer = await ask(scene.doors.port, post("/v1/publish", EMPTY, *headers, content_type=JSON))
    assert answer.header("access-control-allow-credentials") is None
    return f"HTTP {answer.status}"


def _simple(content_type: bytes) -> Act:
    """What a page can send without a preflight."""

    async def act(scene: Scene, door: Door) -> str:
        path = "/v1/publish" if door is Door.JSON else PUBLISH
        token = ("authorization", f"Bearer {scene.keys.token()}")
        answer = await ask(scene.doors.port, post(path, EMPTY, token, content_type=content_type))
        return f"HTTP {answer.status}"

    return act


async def _token_in_url(scene: Scene, door: Door) -> str:
    """A good token where it would land in logs: it counts as none."""
    token = scene.keys.token()
    query = f"?access_token={token}&token={token}&authorization=Bearer%20{token}"
    if door is Door.WEBSOCKET:
        reader = await exchange(scene, handshake(OFFER, path=f"{SOCKET_PATH}{query}"))
        assert reader.startswith(b"HTTP/1.1 101"), reader
        return await scene.doors.on_socket("", lambda _: _never())
    if door is Door.JSON:
        answer = await ask(scene.doors.port, post(f"/v1/publish{query}", EMPTY, content_type=JSON))
        return f"HTTP {answer.status}"
    message = realtime_service_pb2.ReadHistoryRequest(topic="meeting/1").SerializeToString()
    sent = post(f"/{SERVICE}/ReadHistory{query}", frame(message))
    answer = await ask(scene.doors.port, sent)
    return f"UNAUTHENTICATED {answer.reason()}"


async def _never() -> str:
    return "OK"


_PAGES = (Door.GRPC_WEB, Door.WEBSOCKET, Door.JSON)

ROWS = (
    Attack(
        "a foreign page",
        _PAGES,
        "Origin https://evil.example",
        _origin(("origin", "https://evil.example")),
        "HTTP 403",
    ),
    Attack(
        "a page without an origin", _PAGES, "Origin null", _origin(("origin", "null")), "HTTP 403"
    ),
    Attack(
        "a page with a like name",
        _PAGES,
        "an allowed origin and more",
        _origin(("origin", f"{ORIGIN}.evil.example")),
        "HTTP 403",
    ),
    Attack(
        "a page on another scheme",
        _PAGES,
        "http in place of https",
        _origin(("origin", ORIGIN.replace("https", "http"))),
        "HTTP 403",
    ),
    Attack(
        "a page on another port",
        _PAGES,
        "an allowed origin's port 8443",
        _origin(("origin", f"{ORIGIN}:8443")),
        "HTTP 403",
    ),
    Attack("a foreign preflight", HTTP, "OPTIONS from a foreign page", _preflight, "HTTP 403"),
    Attack("a cookie", HTTP, "the token in a cookie", _credentials, "HTTP 401"),
    Attack("a form", (Door.JSON,), "JSON as text/plain", _simple(b"text/plain"), "HTTP 400"),
    Attack(
        "a form for grpc-web",
        (Door.GRPC_WEB,),
        "a form's content type",
        _simple(b"application/x-www-form-urlencoded"),
        "HTTP 415",
    ),
    Attack(
        "a token in a URL",
        (Door.GRPC_WEB, Door.WEBSOCKET),
        "a good token in the query",
        _token_in_url,
        "UNAUTHENTICATED TOKEN_MISSING",
    ),
    Attack(
        "a token in a URL for JSON",
        (Door.JSON,),
        "a good token in the query",
        _token_in_url,
        "HTTP 401",
    ),
)
