"""Types of the ASGI interface, as the bridge uses it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Protocol

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]


class DrainableApp(Protocol):
    """An ASGI application that can end its streams."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

    def end_streams(self) -> None:
        """End the streams that never end by themselves."""

    def end_pushes(self) -> None:
        """End the push streams that are left."""


def header(headers: Headers, name: bytes) -> bytes | None:
    """The first value of a header, or None. ASGI servers give lower-case names."""
    for key, value in headers:
        if key == name:
            return value
    return None


async def answer(
    send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes = b""
) -> None:
    """Send one complete HTTP answer.

    Args:
        send: the ASGI send.
        status: the HTTP status.
        headers: without Content-Length, which is added.
        body: the whole body.
    """
    headers = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def answer_text(
    send: Send, status: int, text: str, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    """Send one plain text answer that no cache keeps."""
    plain = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await answer(send, status, plain + (headers or []), text.encode())
