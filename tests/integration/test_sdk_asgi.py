"""A web application that tells what its requests did: after the answer, and only if it was one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from shipspeak_realtime import (
    Event,
    OutboxError,
    RealtimeClient,
    RealtimeMiddleware,
    RequestFailure,
    SqliteOutbox,
    events_of,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from google.protobuf.message import Message

    from shipspeak_realtime.asgi import Receive, Scope, Send
    from tests.support.hub_process import HubProcess

SECONDS = 100.0
pytestmark = pytest.mark.timeout(240)


def text(event: Event) -> str:
    value = StringValue()
    event.content.other.Unpack(value)
    return value.value


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """`/<status>` queues an event and answers so; `/raise` raises after that."""
    if scope["type"] == "lifespan":
        assert (await receive())["type"] == "lifespan.startup"
        await send({"type": "lifespan.startup.complete"})
        assert (await receive())["type"] == "lifespan.shutdown"
        await send({"type": "lifespan.shutdown.complete"})
        return
    path, topic = scope["path"].removeprefix("/"), scope["query_string"].decode()
    events_of(scope).publish(topic, StringValue(value=path), key="answer")
    if path == "raise":
        raise RuntimeError("a fault")
    status = 200 if path == "late" else int(path)
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b"done", "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
    if path == "late":
        raise RuntimeError("in the background")


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """An application without a lifespan, as Django is."""
    assert scope["type"] == "http"
    await application(scope, receive, send)


def told(failure: RequestFailure) -> tuple[str, Message] | None:
    if failure.status < 500:
        return None
    topic = failure.scope["query_string"].decode()
    return topic, StringValue(value=f"{failure.status}: {failure.error!r}")


class Lifespan:
    """What a server does around its requests."""

    def __init__(self, app: RealtimeMiddleware) -> None:
        self._app = app
        self._in: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._out: asyncio.Queue[Any] = asyncio.Queue()

    async def __aenter__(self) -> None:
        scope = {"type": "lifespan"}
        self._task = asyncio.create_task(self._app(scope, self._in.get, self._out.put))
        self._in.put_nowait({"type": "lifespan.startup"})
        assert (await self._out.get())["type"] == "lifespan.startup.complete"

    async def __aexit__(self, *_: object) -> None:
        self._in.put_nowait({"type": "lifespan.shutdown"})
        await self._task


async def ask(app: RealtimeMiddleware, path: str, topic: str) -> int:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        return (await client.get(f"/{path}?{topic}")).status_code


async def first(server: str, topic: str, count: int) -> list[str]:
    async with RealtimeClient(server) as reader:
        found: list[str] = []
        async for event in reader.subscribe(topic, start="earliest"):
            found.append(text(event))
            if len(found) == count:
                break
        return found


@pytest.fixture
async def patience() -> AsyncIterator[None]:
    async with asyncio.timeout(SECONDS):
        yield


@pytest.mark.usefixtures("patience")
@pytest.mark.parametrize("durable", [False, True])
async def test_what_a_request_did_is_told_if_it_was_done(
    shared_hub: HubProcess, tmp_path: Path, durable: bool
) -> None:
    """L3: errors as events of their own, in the order of the answers."""
    topic = f"meeting/asgi-{durable}"
    outbox = SqliteOutbox(tmp_path / "outbox.db") if durable else None
    app = RealtimeMiddleware(
        application, RealtimeClient(shared_hub.grpc, outbox=outbox), on_failure=told
    )
    async with Lifespan(app):
        for path, status in (
            ("200", 200),
            ("404", 404),
            ("503", 503),
            ("raise", 500),
            ("201", 201),
        ):
            assert await ask(app, path, topic) == status
        found = await first(shared_hub.grpc, topic, 4)
    assert found == ["200", "503: None", "500: RuntimeError('a fault')", "201"]


@pytest.mark.usefixtures("patience")
async def test_what_fails_behind_a_whole_answer_takes_nothing_back(shared_hub: HubProcess) -> None:
    app = RealtimeMiddleware(application, RealtimeClient(shared_hub.grpc))
    async with Lifespan(app):
        assert await ask(app, "late", "meeting/asgi-late") == 200
        assert await first(shared_hub.grpc, "meeting/asgi-late", 1) == ["late"]


@pytest.mark.usefixtures("patience")
async def test_an_application_without_a_lifespan_has_one(shared_hub: HubProcess) -> None:
    app = RealtimeMiddleware(bare, RealtimeClient(shared_hub.grpc))
    for number in range(2):
        async with Lifespan(app):
            assert await ask(app, "200", f"meeting/asgi-bare-{number}") == 200
            assert await first(shared_hub.grpc, f"meeting/asgi-bare-{number}", 1) == ["200"]


async def test_a_client_that_cannot_be_opened_fails_the_start(tmp_path: Path) -> None:
    outbox = SqliteOutbox(tmp_path / "nowhere" / "outbox.db")
    app = RealtimeMiddleware(application, RealtimeClient("127.0.0.1:1", outbox=outbox))
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    with pytest.raises(OutboxError):
        await app({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.failed"]


@pytest.mark.usefixtures("patience")
async def test_a_client_that_is_open_already_stays_open(shared_hub: HubProcess) -> None:
    async with RealtimeClient(shared_hub.grpc) as hub:
        app = RealtimeMiddleware(application, hub)
        async with Lifespan(app):
            assert await ask(app, "200", "meeting/asgi-open") == 200
        await hub.publish("meeting/asgi-open", StringValue(value="mine"))
        assert await first(shared_hub.grpc, "meeting/asgi-open", 2) == ["200", "mine"]


async def test_an_application_outside_of_it_is_told_so() -> None:
    with pytest.raises(RuntimeError, match="RealtimeMiddleware"):
        events_of({"type": "http"})
