"""Sending without a task: step the send coroutine by hand, and take a task only when it waits.

An ASGI send that finds room in the socket's buffer never waits, so running it costs one call and no
turn of the loop. When it does wait, it yields a future; a task then takes the coroutine over,
future and all. This is legal for real coroutine functions only (not for any awaitable), and only if
nothing between the bridge and the server asks for the current task; `steppable` tells.
"""

from __future__ import annotations

import asyncio
import inspect
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from web_bridge.asgi import Message, Send

Transmit = Callable[[Message], "asyncio.Task[None] | None"]


def transmitter(send: Send) -> Transmit:
    """A function that sends one message: None when it is done, or the task that finishes it."""
    if steppable(send):
        return lambda message: step(send, message)
    return lambda message: asyncio.ensure_future(_awaited(send, message))


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
