"""How bystanders read: by Connect, WebSocket or Listen; cut off, they go on from their cursors."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import grpc
from websockets.exceptions import WebSocketException

from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2
from tests.chaos.board import Board, LegEnded
from tests.support.raw_client import SERVICE, Stream, bearer
from tests.support.socket_client import open_socket
from tests.wire.raw import Raw, frame, post

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from tests.attacks.crowd import Place

RETRY_SECONDS = 0.1
CHANNELS = 5
# A channel of its own has a connection of its own.
_ALONE = [("grpc.use_local_subchannel_pool", 1)]
_TRAILERS = 0x80


@contextlib.asynccontextmanager
async def readers(place: Place, boards: Sequence[Board]) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Read for all boards until the end of the block; everybody has an answer when it begins."""
    async with contextlib.AsyncExitStack() as stack:
        channels = [
            await stack.enter_async_context(grpc.aio.insecure_channel(place.grpc, options=_ALONE))
            for _ in range(CHANNELS)
        ]
        tasks = [
            asyncio.create_task(_go_on(_leg(number, place, channels), board))
            for number, board in enumerate(boards)
        ]
        try:
            for board in boards:
                await _answered(board, tasks)
            yield tasks
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _answered(board: Board, tasks: Sequence[asyncio.Task[None]]) -> None:
    (topic,) = board.topics
    async with asyncio.timeout(60):
        while board.recorder.receivers[topic].place is None:
            check(tasks)
            await asyncio.sleep(0.01)


def check(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Raise what ended a task that should never end."""
    for task in tasks:
        if task.done():
            task.result()
            raise AssertionError("a bystander stopped")


def _leg(
    number: int, place: Place, channels: Sequence[grpc.aio.Channel]
) -> Callable[[Board], Awaitable[None]]:
    # The tenth after the tenth, so that each topic has readers of every kind.
    kind = number // 10 % 4
    if kind == 0:
        return lambda board: _by_socket(place, board)
    if kind == 1:
        return lambda board: _by_listen(place, board)
    return lambda board: _by_connect(channels[number % CHANNELS], place, board)


async def _go_on(leg: Callable[[Board], Awaitable[None]], board: Board) -> None:
    """One connection after another, from the cursor on."""
    while True:
        try:
            await leg(board)
        except (
            LegEnded,
            EOFError,
            OSError,
            TimeoutError,
            WebSocketException,
            grpc.aio.AioRpcError,
            asyncio.IncompleteReadError,
        ):
            board.recorder.lost()
            await asyncio.sleep(RETRY_SECONDS)


async def _by_connect(channel: grpc.aio.Channel, place: Place, board: Board) -> None:
    method: Any = channel.stream_stream(f"/{SERVICE}/Connect")
    call = method(metadata=bearer(place.token))
    try:
        stream = Stream(call)
        await stream.send(hello=board.hello())
        await _read(stream, board, "connect")
    finally:
        call.cancel()


async def _by_socket(place: Place, board: Board) -> None:
    async with open_socket(place.http) as stream:
        hello = board.hello()
        hello.token = place.token
        await stream.send(hello=hello)
        await _read(stream, board, "connect")


async def _read(stream: Stream, board: Board, transport: str) -> None:
    for wish in board.subscriptions():
        await stream.send(subscribe=wish)
    while True:
        # Without an end: heartbeats come anyway, and a connection that is dead is told.
        got = await stream.read(60)
        board.recorder.back()
        board.take(got, transport)


async def _by_listen(place: Place, board: Board) -> None:
    port = urlsplit(place.http).port
    assert port is not None
    request = realtime_service_pb2.ListenRequest(
        hello=board.hello(), subscriptions=board.subscriptions()
    )
    body = frame(request.SerializeToString())
    token = ("authorization", f"Bearer {place.token}")
    raw = await Raw.connect(port)
    try:
        await raw.send(post(f"/{SERVICE}/Listen", body, token))
        if (await raw.read_head()).status != 200:
            raise LegEnded("listen: refused")
        async for flags, message in raw.each_frame():
            if flags & _TRAILERS:
                raise LegEnded(f"listen: {message!r}")
            board.recorder.back()
            board.take(frame_pb2.ServerFrame.FromString(message), "listen")
        raise LegEnded("listen: the body ended")
    finally:
        raw.abort()
