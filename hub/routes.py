"""Plain HTTP routes: publishing as JSON, the page's configuration, switches for development."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import structlog
from google.protobuf import json_format

from hub.errors import HubError, InvalidArgument
from hub.rpc.status import hub_error_of, rich_status
from hub.session.sink import Caller
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2
from web_bridge.admission import peer_of

if TYPE_CHECKING:
    from google.rpc import status_pb2

    from hub.rpc.unary import UnaryMethod
    from web_bridge.server import DrainableApp

log = structlog.get_logger(__name__)

Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
Handler = Callable[[Mapping[str, Any], bytes], Awaitable[Answer]]

_JSON = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]

# Canonical codes as HTTP statuses (google/rpc/code.proto, "HTTP Mapping").
_HTTP_STATUS = {
    3: 400,
    5: 404,
    6: 409,
    7: 403,
    8: 429,
    9: 400,
    10: 409,
    11: 400,
    12: 501,
    13: 500,
    14: 503,
    16: 401,
}


def publish_route(publish: UnaryMethod) -> Handler:
    """``POST /v1/publish``: a PublishRequest as protobuf JSON, answered with a PublishResponse."""

    async def handle(scope: Mapping[str, Any], body: bytes) -> Answer:
        try:
            request = _publish_request(scope, body)
            caller = Caller(_headers(scope), peer_of(scope), "http")
            answer = await publish(request.SerializeToString(), caller)
        except Exception as failure:  # noqa: BLE001 - unknown ones are logged and become INTERNAL
            return _refusal(hub_error_of(failure, "POST /v1/publish"))
        response = realtime_service_pb2.PublishResponse.FromString(answer)
        return 200, _JSON, json_format.MessageToJson(response, indent=None).encode()

    return handle


def config_route(config: Mapping[str, object]) -> Handler:
    """``GET /demo-config.json``: what the page must know of its surroundings."""
    body = json.dumps(config).encode()

    async def handle(_scope: Mapping[str, Any], _body: bytes) -> Answer:
        return 200, _JSON, body

    return handle


class DevSwitches:
    """Faults on request, for development only.

    They show what a page does when the hub dies or when streaming is blocked.

    Args:
        end_streams: ends the browsers' streams that are open when streaming gets blocked.
    """

    def __init__(self, end_streams: Callable[[], None]) -> None:
        self.streaming_blocked = False
        self._end_streams = end_streams

    def routes(self) -> dict[tuple[str, str], Handler]:
        """POST /dev/kill-hub and /dev/block-streaming {"blocked": bool}; both want a JSON body."""
        return {
            ("POST", "/dev/kill-hub"): self._kill,
            ("POST", "/dev/block-streaming"): self._block,
        }

    async def _kill(self, scope: Mapping[str, Any], _body: bytes) -> Answer:
        if not _is_json(scope):
            return _refusal(_want_json())
        log.warning("killing_itself", why="asked for by /dev/kill-hub")
        os.kill(os.getpid(), signal.SIGKILL)
        return 202, _JSON, b"{}"

    async def _block(self, scope: Mapping[str, Any], body: bytes) -> Answer:
        if not _is_json(scope):
            return _refusal(_want_json())
        try:
            blocked = json.loads(body)["blocked"]
        except (ValueError, KeyError, TypeError):
            blocked = None
        if not isinstance(blocked, bool):
            return _refusal(
                InvalidArgument(
                    reasons.ERROR_REASON_FIELD_INVALID, 'send {"blocked": true} or false'
                )
            )
        self.streaming_blocked = blocked
        if blocked:
            self._end_streams()
        log.warning("streaming_blocked" if blocked else "streaming_unblocked")
        return 200, _JSON, json.dumps({"blocked": blocked}).encode()


class BlockableApp:
    """The browsers' door in development: answers 404 on one path while streaming is blocked."""

    def __init__(self, app: DrainableApp, path: str, switches: DevSwitches) -> None:
        self._app = app
        self._path = path
        self._switches = switches

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        if (
            self._switches.streaming_blocked
            and scope["type"] == "http"
            and scope["path"] == self._path
        ):
            await send(
                {
                    "type": "http.response.start",
                    "status": 404,
                    "headers": [(b"content-length", b"0")],
                }
            )
            await send({"type": "http.response.body", "body": b""})
            return
        await self._app(scope, receive, send)

    def end_streams(self) -> None:
        """As the app does."""
        self._app.end_streams()

    def end_pushes(self) -> None:
        """As the app does."""
        self._app.end_pushes()


def _publish_request(scope: Mapping[str, Any], body: bytes) -> frame_pb2.PublishRequest:
    # A page of another site can send text/plain without a preflight, but not JSON.
    if not _is_json(scope):
        raise _want_json()
    try:
        return json_format.Parse(body, frame_pb2.PublishRequest())
    except (json_format.ParseError, UnicodeDecodeError) as error:
        raise InvalidArgument(
            reasons.ERROR_REASON_FRAME_MALFORMED, f"the body is no PublishRequest as JSON: {error}"
        ) from error


def _refusal(error: HubError) -> Answer:
    status: status_pb2.Status = rich_status(error)
    return (
        _HTTP_STATUS.get(error.code, 500),
        _JSON,
        json_format.MessageToJson(status, indent=None).encode(),
    )


def _headers(scope: Mapping[str, Any]) -> dict[str, str]:
    return {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }


def _is_json(scope: Mapping[str, Any]) -> bool:
    return _headers(scope).get("content-type", "").partition(";")[0].strip() == "application/json"


def _want_json() -> InvalidArgument:
    return InvalidArgument(
        reasons.ERROR_REASON_FIELD_INVALID,
        "send content-type: application/json",
        field="content-type",
    )
