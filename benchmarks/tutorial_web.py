"""The browsers' door of a tutorial: grpc-web ``Listen`` as a plain ASGI app.

A queue per stream, an async loop that takes one event, encodes it and sends it as one chunk. Only
what the benchmark needs: no CORS, no checks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from benchmarks.tutorial_hub import Queue, TutorialHub, welcome
from benchmarks.wire import grpc_message, split_messages
from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2

if TYPE_CHECKING:
    from collections.abc import MutableMapping

Message: TypeAlias = "MutableMapping[str, Any]"
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

_HEADERS = [(b"content-type", b"application/grpc-web+proto")]


def web_app(hub: TutorialHub) -> App:
    """The ASGI app over the same queues as the gRPC servicer."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"only http here, not {scope['type']}")
        request = await _listen_request(receive)
        queue: Queue = asyncio.Queue()
        queue.put_nowait(frame_pb2.ServerFrame(welcome=welcome()))
        for subscription in request.subscriptions:
            hub.subscribe(queue, subscription.topic, 0)
        sender = asyncio.create_task(_send_events(queue, send))
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            sender.cancel()
            hub.forget(queue)

    return app


async def _listen_request(receive: Receive) -> realtime_service_pb2.ListenRequest:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = bool(message.get("more_body"))
    return realtime_service_pb2.ListenRequest.FromString(split_messages(body)[0])


async def _send_events(queue: Queue, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    while True:
        frame = await queue.get()
        body = grpc_message(frame.SerializeToString())
        await send({"type": "http.response.body", "body": body, "more_body": True})
