"""The ways to read: bidi Connect by the SDK, Listen through the grpc-web bridge, Poll.

Each runs until its transport breaks (LegEnded) or it is cancelled, and moves the reader's board.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2
from shipspeak_realtime import RealtimeClient, RealtimeError
from tests.chaos.board import Board, LegEnded
from tests.wire.raw import Raw, ask, frame, post

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from tests.support.hub_process import HubProcess

SERVICE = "/shipspeak.realtime.v1.RealtimeService"
WINDOW_BYTES = 256 * 1024
REPORT_BYTES = 64 * 1024
POLL_SECONDS = 2.0
_TRAILERS = 0x80


def no_jitter() -> float:
    """The shortest waits: a reader that is back for most rounds; jitter would sit some out."""
    return 0.0


async def connect(board: Board, hub: HubProcess) -> None:
    """One SDK client per leg, so that every leg proves the cursors of the one before."""
    async with (
        RealtimeClient(hub.grpc, random=no_jitter) as client,
        asyncio.TaskGroup() as readers,
    ):
        for topic in board.topics:
            readers.create_task(_connect_one(board, client, topic))


async def _connect_one(board: Board, client: RealtimeClient, topic: str) -> None:
    subscription = client.subscribe(topic, start=board.cursor(topic) or "earliest")
    # The SDK's own receiver, with the reader's pen and place: verdicts and counts are written too.
    subscription._receiver = board.recorder.receivers[topic]
    board.recorder.transport = "connect"
    async for event in subscription:
        board.recorder.back()
        board.handed_over(event)


async def listen(board: Board, hub: HubProcess) -> None:
    """HTTP/1.1 and grpc-web framing by hand, with Touch for the window, as a browser does."""
    try:
        raw = await Raw.connect(_port(hub))
        try:
            await _listen(raw, board, hub)
        finally:
            raw.abort()
    except* (OSError, EOFError, TimeoutError, LegEnded) as group:
        raise LegEnded("listen: the stream ended") from group


async def _listen(raw: Raw, board: Board, hub: HubProcess) -> None:
    request = realtime_service_pb2.ListenRequest(
        hello=board.hello(WINDOW_BYTES), subscriptions=board.subscriptions()
    )
    await raw.send(_request("Listen", request))
    head = await raw.read_head()
    if head.status != 200:
        raise LegEnded(f"listen: HTTP {head.status}")
    window = _Window(_port(hub))
    async with asyncio.TaskGroup() as side:
        side.create_task(window.report())
        async for flags, message in raw.each_frame():
            if flags & _TRAILERS:
                raise LegEnded(f"listen: {message!r}")
            server_frame = frame_pb2.ServerFrame.FromString(message)
            board.recorder.back()
            board.take(server_frame, "listen")
            window.took(server_frame, len(message))
        raise LegEnded("listen: the body ended")


class _Window:
    """Reports what was handled, by unary Touch, one call in flight."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._session = ""
        self._handled = self._reported = 0
        self._heartbeat = 1.0
        self._due = asyncio.Event()

    def took(self, server_frame: frame_pb2.ServerFrame, size: int) -> None:
        """Count a frame."""
        if server_frame.HasField("welcome"):
            self._session = server_frame.welcome.session_id
            self._heartbeat = server_frame.welcome.heartbeat_interval.ToTimedelta().total_seconds()
        if server_frame.runs:
            self._handled += size
        if self._handled - self._reported >= REPORT_BYTES:
            self._due.set()

    async def report(self) -> None:
        """Touch after each 64 KiB handled and with each heartbeat."""
        while True:
            try:
                async with asyncio.timeout(self._heartbeat):
                    await self._due.wait()
            except TimeoutError:
                pass  # the heartbeat: a sign of life is due anyway
            self._due.clear()
            if not self._session:
                continue
            self._reported = self._handled
            touch = realtime_service_pb2.TouchRequest(
                session_id=self._session, handled_bytes=self._reported
            )
            answer = await ask(self._port, _request("Touch", touch))
            if not answer.complete:
                raise LegEnded("listen: a Touch was cut")
            status, words = answer.status_message()
            if status != "0":
                raise LegEnded(f"listen: Touch was refused with {status}: {words}")


async def poll(board: Board, hub: HubProcess) -> None:
    """Long polls by the SDK's unary call."""
    async with RealtimeClient(hub.grpc) as client:
        while True:
            try:
                answer = await client.poll(board.subscriptions(), wait=POLL_SECONDS)
            except RealtimeError as error:
                raise LegEnded(f"poll: {error}") from error
            board.recorder.back()
            for server_frame in answer.message.frames:
                board.take(server_frame, "poll")


async def web_poll(board: Board, hub: HubProcess) -> None:
    """Long polls through the bridge, as a browser without streams does."""
    while True:
        request = realtime_service_pb2.PollRequest(
            hello=board.hello(), subscriptions=board.subscriptions()
        )
        request.wait.FromMilliseconds(int(POLL_SECONDS * 1000))
        try:
            answer = await ask(_port(hub), _request("Poll", request))
        except (OSError, EOFError, TimeoutError) as error:
            raise LegEnded("poll: the connection broke") from error
        if not answer.complete:
            raise LegEnded("poll: the answer was cut")
        status, words = answer.status_message()
        if status != "0":
            raise LegEnded(f"poll: refused with {status}: {words}")
        board.recorder.back()
        response = realtime_service_pb2.PollResponse.FromString(answer.messages()[0])
        for server_frame in response.frames:
            board.take(server_frame, "poll")


def _request(method: str, message: Message) -> bytes:
    # A development hub answers to no name but localhost.
    return post(f"{SERVICE}/{method}", frame(message.SerializeToString()), host="localhost")


def _port(hub: HubProcess) -> int:
    port = urlsplit(hub.http).port
    assert port is not None, hub.http
    return port
