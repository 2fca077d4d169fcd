"""Which names a development hub answers to, so that no page can reach it under a name of its own.

Without tokens, that a page comes from this very server is all that protects the hub; and a name
that its owner points at 127.0.0.1 (DNS rebinding) makes any page of his come from here.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from web_bridge.asgi import answer_text, header
from web_bridge.handshake import refuse_handshake

if TYPE_CHECKING:
    from collections.abc import Iterable

    from web_bridge.asgi import DrainableApp, Receive, Scope, Send

_UNKNOWN = (
    "A hub in development answers to localhost and to addresses only.\n"
    "Use one of these, or name the host in RTHUB_HOST.\n"
)


class KnownHosts:
    """Answers 421 to a Host that is neither an address, nor localhost, nor listed.

    Args:
        app: serves all other requests.
        hosts: further names.
    """

    def __init__(self, app: DrainableApp, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = frozenset(("localhost", *(host.lower() for host in hosts)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self._knows(header(scope["headers"], b"host")):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await refuse_handshake(scope, receive, send, 421, _UNKNOWN)
        else:
            await answer_text(send, 421, _UNKNOWN)

    def end_streams(self) -> None:
        """As the app does."""
        self._app.end_streams()

    def end_pushes(self) -> None:
        """As the app does."""
        self._app.end_pushes()

    def _knows(self, value: bytes | None) -> bool:
        if value is None:
            # HTTP/1.0 probes; browsers always send it.
            return True
        host = value.decode("latin-1").lower()
        host = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
        return host in self._hosts or host.endswith(".localhost") or _is_address(host)


def _is_address(host: str) -> bool:
    """Whether it is no name: an address cannot be pointed elsewhere."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
