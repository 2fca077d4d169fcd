"""Reading a request body: bounded in bytes and in time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from web_bridge.asgi import Receive


class BodyTimeout(Exception):
    """The client did not send its body in time."""


class BodyTooLarge(Exception):
    """The body is over the limit.

    Attributes:
        drained: whether it was read to its end; if not, the connection must be closed.
    """

    def __init__(self, *, drained: bool) -> None:
        super().__init__("the request body is over the limit")
        self.drained = drained


class ClientGone(Exception):
    """The client closed the connection before its body was complete."""


async def read_body(receive: Receive, *, limit: int, discard: int, seconds: float) -> bytes:
    """The whole request body.

    A body over the limit is thrown away as it comes, up to a second bound: a client that is still
    writing when the server closes sees a broken connection and never the answer.

    Args:
        receive: the ASGI receive.
        limit: bytes kept at most.
        discard: bytes read at most.
        seconds: time for all of it.

    Raises:
        BodyTimeout: the time is over.
        BodyTooLarge: over the limit.
        ClientGone: the connection ended first.
    """
    try:
        async with asyncio.timeout(seconds):
            return await _read(receive, limit, discard)
    except TimeoutError:
        raise BodyTimeout from None


async def _read(receive: Receive, limit: int, discard: int) -> bytes:
    kept: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ClientGone
        chunk = event.get("body", b"")
        size += len(chunk)
        if size <= limit:
            kept.append(chunk)
        else:
            kept.clear()
        more = event.get("more_body", False)
        if not more and size <= limit:
            return b"".join(kept)
        if not more or size > discard:
            raise BodyTooLarge(drained=not more)
