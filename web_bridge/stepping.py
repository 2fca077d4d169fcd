"""Sending without a task: step the send coroutine by hand, and take a task only when it waits.

An ASGI send that finds room in the socket's buffer never waits, so running it costs one call and no
turn of the loop. When it does wait, it yields a future; a task then takes the coroutine over,
future and all. This is legal for real coroutine functions only (not for any awaitable), and only if
nothing between the bridge and the server asks for the current task; `steppable` tells.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from web_bridge.asgi import Message, Send

# The key of a message's body as one HTTP/1.1 chunk (RFC 9112 section 7.1), made once for all.
CHUNK = "shipspeak.chunk"
# The connection's transport, and whether it asks for a pause in writing.
Direct = tuple[asyncio.WriteTransport, Callable[[], bool]]

Transmit = Callable[[Message], "asyncio.Task[None] | None"]


def transmitter(send: Send, direct: Direct | None = None) -> Transmit:
    """A function that sends one message: None when it is done, or the task that finishes it.

    Args:
        send: the server's ASGI send.
        direct: a way past it for ready-made chunks, where the server is our own.
    """
    if not steppable(send):
        return lambda message: asyncio.ensure_future(_awaited(send, message))
    stepped = functools.partial(step, send)
    return stepped if direct is None else _past_send(stepped, *direct)


def _past_send(
    stepped: Transmit, transport: asyncio.WriteTransport, paused: Callable[[], bool]
) -> Transmit:
    """Write ready-made chunks straight to the transport while it has room.

    Everything else, and every send that would wait or comes after the end, goes the ordinary way.
    """
    write, closing = transport.write, transport.is_closing

    def transmit(message: Message) -> asyncio.Task[None] | None:
        chunk = message.get(CHUNK)
        if chunk is None or paused() or closing():
            return stepped(message)
        write(chunk)
        return None

    return transmit


def steppable(send: Send) -> bool:
    """Whether send is a coroutine function; some servers give an object that is only awaitable."""
    return inspect.iscoroutinefunction(send)


def step(send: Send, message: Message) -> asyncio.Task[None] | None:
    """Start a send; None when it was done at once, else the task that finishes it.

    Raises:
        Exception: what send raised before it waited.
    """
    coroutine: Coroutine[Any, Any, None] = send(message)  # type: ignore[assignment]
    try:
        waited = coroutine.send(None)
    except StopIteration:
        return None
    return asyncio.get_running_loop().create_task(_resumed(coroutine, waited))


async def _awaited(send: Send, message: Message) -> None:
    await send(message)


async def _resumed(coroutine: Coroutine[Any, Any, None], waited: Any) -> None:
    await _resume(coroutine, waited)


@types.coroutine
def _resume(coroutine: Coroutine[Any, Any, None], waited: Any) -> Generator[Any, Any, None]:
    """Go on with a started coroutine: hand its future to the task, then step it as a task would."""
    try:
        while True:
            try:
                value = yield waited
            except BaseException as error:  # noqa: BLE001 - passed into the coroutine, not kept
                waited = coroutine.throw(error)
            else:
                waited = coroutine.send(value)
    except StopIteration:
        return
