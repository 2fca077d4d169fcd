"""Refusing a WebSocket's handshake with an HTTP status."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from web_bridge.asgi import Receive, Scope, Send

# For a server that cannot answer a handshake with a status of our choice.
_POLICY_VIOLATION = 1008


async def refuse_handshake(
    scope: Scope, receive: Receive, send: Send, status: int, text: str
) -> None:
    """Answer a handshake with a status and plain text. Pages see neither, people do."""
    await receive()  # websocket.connect
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": text})
        return
    body = text.encode()
    fields = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"content-length", b"%d" % len(body)),
    ]
    await send({"type": "websocket.http.response.start", "status": status, "headers": fields})
    await send({"type": "websocket.http.response.body", "body": body, "more_body": False})
