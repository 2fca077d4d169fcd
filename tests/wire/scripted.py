"""An ASGI server on a script: the test decides when events come and when a send may go on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, MutableMapping
from typing import Any

from tests.wire.raw import BINARY, Answer

App = Callable[[Any, Any, Any], Awaitable[None]]


class ScriptedServer:
    """Serves one request."""

    def __init__(self, path: str, content_type: bytes = BINARY) -> None:
        self.scope: dict[str, Any] = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "path": path,
            "headers": [(b"host", b"hub.test"), (b"content-type", content_type)],
            "client": ("127.0.0.1", 5000),
            "server": ("127.0.0.1", 80),
        }
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: list[MutableMapping[str, Any]] = []
        self.reading = asyncio.Event()
        self.complete = asyncio.Event()
        self._open = asyncio.Event()
        self._open.set()
        self._held_from = 0

    def body(self, *chunks: bytes, more: bool = False) -> None:
        for index, chunk in enumerate(chunks):
            last = index == len(chunks) - 1
            event = {"type": "http.request", "body": chunk, "more_body": more or not last}
            self.events.put_nowait(event)

    def disconnect(self) -> None:
        self.events.put_nowait({"type": "http.disconnect"})

    def hold(self, count: int) -> None:
        """Let so many sends pass; the others wait for `release`."""
        self._held_from = count
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    async def receive(self) -> dict[str, Any]:
        if self.events.empty():
            self.reading.set()
        return await self.events.get()

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if len(self.sent) >= self._held_from:
            await self._open.wait()
        self.sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.complete.set()

    def send_object(self, message: MutableMapping[str, Any]) -> Sending:
        """A send that gives an awaitable which is no coroutine, as granian's does."""
        return Sending(self, message)

    def answer(self) -> Answer:
        start, *rest = self.sent
        assert start["type"] == "http.response.start"
        assert all(message["type"] == "http.response.body" for message in rest)
        fields = [(name.decode().lower(), value.decode()) for name, value in start["headers"]]
        complete = not rest[-1].get("more_body", False)
        return Answer(
            start["status"], fields, b"".join(message["body"] for message in rest), complete
        )


class Sending:
    def __init__(self, server: ScriptedServer, message: MutableMapping[str, Any]) -> None:
        self._server = server
        self._message = message

    def __await__(self) -> Generator[Any, None, None]:
        return self._server.send(self._message).__await__()
