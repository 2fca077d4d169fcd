"""Events of a web application, published once the answer that they belong to is certain.

For any ASGI application (Starlette, FastAPI, Django, Litestar, Quart): it needs no framework.

::

    app = FastAPI()
    hub = RealtimeClient("127.0.0.1:50051", outbox=SqliteOutbox("events.db"))
    app.add_middleware(RealtimeMiddleware, hub=hub)

    @app.post("/meetings/{meeting}/archive")
    async def archive(meeting: str, request: Request) -> dict[str, str]:
        await store.archive(meeting)
        events_of(request.scope).publish(f"meeting/{meeting}", Archived())
        return {"state": "archived"}

Rules: ASGI 3.0, HTTP and lifespan protocols.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from shipspeak_realtime.client import RealtimeClient

_log = logging.getLogger("shipspeak_realtime")

Scope: TypeAlias = MutableMapping[str, Any]
AsgiMessage: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[AsgiMessage]]
Send: TypeAlias = Callable[[AsgiMessage], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_KEY = "shipspeak_realtime.events"
_ERROR_STATUS = 400
_FAULT_STATUS = 500


@dataclass(frozen=True, slots=True)
class RequestFailure:
    """A request that came to no good end.

    Attributes:
        scope: of the request.
        status: the HTTP status that was sent; 500 where the application raised before any.
        error: what the application raised; None = it sent the status itself.
    """

    scope: Scope
    status: int
    error: Exception | None


#: Makes an event of a failure: topic and payload; None = it is nobody's business.
OnFailure: TypeAlias = Callable[[RequestFailure], "tuple[str, Message] | None"]


class RequestEvents:
    """What one request wants to be published; get it by `events_of`."""

    def __init__(self) -> None:
        self.queued: list[tuple[str, Message, dict[str, Any]]] = []

    def publish(self, topic: str, payload: Message, **options: Any) -> None:
        """Publish when the answer has gone out with a status below 400; drop it otherwise.

        Args:
            topic: kind/id[/more].
            payload: as in `RealtimeClient.publish`.
            options: more of its arguments: key, priority, ttl, id, attributes, deliver_at ...
        """
        self.queued.append((topic, payload, options))


def events_of(scope: Scope) -> RequestEvents:
    """The events of the request with this ASGI scope (`request.scope`).

    Raises:
        RuntimeError: the application does not run inside `RealtimeMiddleware`.
    """
    events = scope.get(_KEY)
    if not isinstance(events, RequestEvents):
        message = "put the application inside RealtimeMiddleware"
        raise RuntimeError(message)  # noqa: TRY004 - the set-up is wrong, no argument is
    return events


class RealtimeMiddleware:
    """Publishes what requests queued; opens the client with the application, and closes it.

    With an outbox (`RealtimeClient(outbox=...)`) events are on disk before the next request of this
    connection, and a hub that is away costs nothing. Without one they are published in the
    background; those that wait are given up, and logged, when the application ends.

    Args:
        app: the application.
        hub: not opened yet: the server's lifespan opens it. One that is open already stays as it
            is, for servers without a lifespan.
        on_failure: makes events of failures.
    """

    def __init__(
        self, app: App, hub: RealtimeClient, *, on_failure: OnFailure | None = None
    ) -> None:
        self._app, self._hub, self._on_failure = app, hub, on_failure
        self._background: set[asyncio.Task[None]] = set()
        self._opened_here = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        events = scope[_KEY] = RequestEvents()
        status = 0
        complete = False

        async def watch(message: AsgiMessage) -> None:
            nonlocal status, complete
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)
            if _is_last(message):
                complete = True

        error: Exception | None = None
        try:
            await self._app(scope, receive, watch)
        except Exception as failure:
            error = failure
            raise
        finally:
            # Cancelled or cut off, an answer is not certain, and neither are its events. What fails
            # behind a whole answer (a task in the background) takes none of them back.
            if complete and status < _ERROR_STATUS:
                for topic, payload, options in events.queued:
                    await self._publish(topic, payload, options)
            if error is not None or (complete and status >= _ERROR_STATUS):
                await self._tell(RequestFailure(scope, status or _FAULT_STATUS, error))

    async def _tell(self, failure: RequestFailure) -> None:
        if self._on_failure is None:
            return
        try:
            news = self._on_failure(failure)
        except Exception:  # noqa: BLE001 - the application's own; its failure must be seen, not this
            _log.exception("on_failure failed")
            return
        if news is not None:
            await self._publish(*news, {})

    async def _publish(self, topic: str, payload: Message, options: dict[str, Any]) -> None:
        if self._durable:
            await self._attempt(self._hub.publish_soon, topic, payload, options)
            return
        attempt = self._attempt(self._hub.publish, topic, payload, options)
        task = asyncio.create_task(attempt, name=f"publish {topic}")
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    @property
    def _durable(self) -> bool:
        return self._hub.opened and self._hub.has_outbox

    async def _attempt(
        self,
        publish: Callable[..., Awaitable[object]],
        topic: str,
        payload: Message,
        options: dict[str, Any],
    ) -> None:
        """The answer has gone out: whoever waits for this hears nothing of its failure."""
        try:
            await publish(topic, payload, **options)
        except Exception:  # noqa: BLE001 - logged with its topic
            _log.exception("an event of a request was not published to %s", topic)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open the client before the application starts, and close it after it has ended."""
        waiting = [await receive()]
        ours = self._opened_here or not self._hub.opened
        if ours:
            try:
                await self._hub.__aenter__()
            except Exception as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                raise
            self._opened_here = True
        answered = False

        async def hear() -> AsgiMessage:
            return waiting.pop() if waiting else await receive()

        async def watch(message: AsgiMessage) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self._app(scope, hear, watch)
        except Exception:
            if answered:
                raise
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
        finally:
            if ours:
                await self._hub.close()


def _is_last(message: AsgiMessage) -> bool:
    """Whether an answer is whole with this (ASGI HTTP, and its extension for paths)."""
    if message["type"] == "http.response.pathsend":
        return True
    return message["type"] == "http.response.body" and not message.get("more_body", False)
