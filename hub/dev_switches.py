"""Development switches: what happens when the hub dies, is overloaded, or streams are blocked."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import structlog

from hub.errors import HubError, InvalidArgument
from hub.rpc.publish_json import check_json, refusal
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from web_bridge.asgi import answer
from web_bridge.handshake import refuse_handshake

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from hub.rpc.publish_json import JsonAnswer, JsonMethod
    from hub.session.sink import Caller
    from web_bridge.asgi import DrainableApp, Receive, Scope, Send

log = structlog.get_logger(__name__)


class DevSwitches:
    """Faults on request.

    Args:
        end_streams: ends the browsers' streams that are open when streaming gets blocked.
        pretend_load: puts values in place of readings: seconds that the loop is late, bytes held.
    """

    def __init__(
        self,
        end_streams: Callable[[], None],
        pretend_load: Callable[[float | None, int | None], None],
    ) -> None:
        self._pretend_load = pretend_load
        self.streaming_blocked = False
        self._end_streams = end_streams

    def methods(self) -> dict[tuple[str, str], JsonMethod]:
        """POST /dev/kill-hub, /dev/block-streaming {"blocked": bool} and /dev/load; all take JSON.

        /dev/load takes {"late": seconds, "memory": bytes}; what it leaves out is read again.
        GET /dev/block-streaming tells how it stands, to every tab.
        """
        return {
            ("GET", "/dev/block-streaming"): self._tell,
            ("POST", "/dev/kill-hub"): self._kill,
            ("POST", "/dev/load"): self._load,
            ("POST", "/dev/block-streaming"): self._block,
        }

    async def _kill(self, _body: bytes, caller: Caller) -> JsonAnswer:
        try:
            check_json(caller)
        except HubError as error:
            return refusal(error)
        log.warning("killing_itself", why="asked for by /dev/kill-hub")
        os.kill(os.getpid(), signal.SIGKILL)
        return 202, b"{}"

    async def _load(self, body: bytes, caller: Caller) -> JsonAnswer:
        try:
            check_json(caller)
            late, memory = _readings(body)
        except HubError as error:
            return refusal(error)
        self._pretend_load(late, memory)
        log.warning("load_pretended", late=late, memory=memory)
        return 200, b"{}"

    async def _tell(self, _body: bytes, _caller: Caller) -> JsonAnswer:
        return 200, json.dumps({"blocked": self.streaming_blocked}).encode()

    async def _block(self, body: bytes, caller: Caller) -> JsonAnswer:
        try:
            check_json(caller)
            blocked = _blocked(body)
        except HubError as error:
            return refusal(error)
        self.streaming_blocked = blocked
        if blocked:
            self._end_streams()
        log.warning("streaming_blocked" if blocked else "streaming_unblocked")
        return 200, json.dumps({"blocked": blocked}).encode()


class BlockableApp:
    """The browsers' door in development: answers 404 on some paths while streaming is blocked."""

    def __init__(self, app: DrainableApp, paths: Collection[str], switches: DevSwitches) -> None:
        self._app = app
        self._paths = paths
        self._switches = switches

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self._switches.streaming_blocked and scope.get("path") in self._paths:
            if scope["type"] == "websocket":
                await refuse_handshake(scope, receive, send, 404, "streaming is blocked")
            else:
                await answer(send, 404, [])
            return
        await self._app(scope, receive, send)

    def end_streams(self) -> None:
        """As the app does."""
        self._app.end_streams()

    def end_pushes(self) -> None:
        """As the app does."""
        self._app.end_pushes()


def _readings(body: bytes) -> tuple[float | None, int | None]:
    try:
        given = json.loads(body)
        late, memory = given.get("late"), given.get("memory")
        return None if late is None else float(late), None if memory is None else int(memory)
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidArgument(
            reasons.ERROR_REASON_FIELD_INVALID, 'send {"late": seconds, "memory": bytes}'
        ) from error


def _blocked(body: bytes) -> bool:
    try:
        blocked: Any = json.loads(body)["blocked"]
    except (ValueError, KeyError, TypeError):
        blocked = None
    if not isinstance(blocked, bool):
        raise InvalidArgument(reasons.ERROR_REASON_FIELD_INVALID, 'send {"blocked": true} or false')
    return blocked
