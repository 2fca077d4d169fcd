"""Listen and Poll by the contract alone, as a client in another language would do it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc

from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2
from shipspeak_realtime.session import SILENT_HEARTBEATS
from shipspeak_realtime.transport import bearer
from tests.chaos.board import Board, LegEnded
from tests.simulation.hub import WINDOW_BYTES
from tests.simulation.network import open_stream
from tests.simulation.people import Reader

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from shipspeak_realtime import RealtimeClient
    from shipspeak_realtime.start import Start
    from tests.simulation.stream import ClientCall

RETRY_SECONDS = 0.1
REPORT_BYTES = 16_384
POLL_SECONDS = 2
CALL_SECONDS = 10.0
STINT_SECONDS = (0.2, 2.0)


class LegReader(Reader):
    """One transport again and again from the cursors, or each in turn (G5)."""

    async def run(self) -> None:
        """Read until cancelled."""
        board = Board(self.recorder, self.network.plan.topics)
        legs: dict[str, list[Callable[[Board], Awaitable[None]]]] = {
            "listen": [self._listen],
            "poll": [self._poll],
            "mover": [self._connect, self._listen, self._poll],
        }
        turn = 0
        while True:
            mine = legs[self.reading.way]
            try:
                async with asyncio.timeout(self._stint() if len(mine) > 1 else None):
                    await mine[turn % len(mine)](board)
            except TimeoutError:
                pass  # the stint is over
            except (LegEnded, grpc.aio.AioRpcError):
                await asyncio.sleep(RETRY_SECONDS * (1 + self.network.random.random()))
            turn += 1

    def _stint(self) -> float:
        # A stint that is always too short for a slow network would never bring anything.
        return self.network.random.uniform(*STINT_SECONDS) * (1 + 10 * self.network.plan.delay)

    async def _connect(self, board: Board) -> None:
        async with self.sdk() as client, asyncio.TaskGroup() as readers:
            for topic in board.topics:
                readers.create_task(self._connect_one(board, client, topic))

    async def _connect_one(self, board: Board, client: RealtimeClient, topic: str) -> None:
        first: Start = "latest" if self.reading.start == "latest" else "earliest"
        subscription = client.subscribe(topic, start=board.cursor(topic) or first)
        subscription._receiver = self.recorder.receivers[topic]
        self.recorder.transport = "connect"
        try:
            async for event in subscription:
                board.handed_over(event)
        finally:
            board.stood(subscription.cursor)

    async def _listen(self, board: Board) -> None:
        request = realtime_service_pb2.ListenRequest(
            hello=board.hello(WINDOW_BYTES), subscriptions=board.subscriptions()
        )
        metadata = bearer(await self.token())
        call = open_stream(self.network, self.client, metadata, request.SerializeToString())
        stream = _Stream(self, call)
        reporter = asyncio.ensure_future(stream.report())
        try:
            await stream.read(board)
        finally:
            reporter.cancel()
            call.cancel()

    async def _poll(self, board: Board) -> None:
        while True:
            request = realtime_service_pb2.PollRequest(
                hello=board.hello(), subscriptions=board.subscriptions()
            )
            request.wait.FromSeconds(POLL_SECONDS)
            answer = await self.network.unary(
                "Poll",
                request.SerializeToString(),
                POLL_SECONDS + CALL_SECONDS,
                bearer(await self.token()),
            )
            for frame in realtime_service_pb2.PollResponse.FromString(answer).frames:
                board.take(frame, "poll")
            await asyncio.sleep(self.network.random.uniform(0, self.reading.poll_pause))


class _Stream:
    """A Listen stream: frames down, Touch and RefreshSession beside it."""

    def __init__(self, reader: Reader, call: ClientCall) -> None:
        self._reader, self._call = reader, call
        self._session = ""
        self._handled = self._reported = 0
        self._due = asyncio.Event()
        self._refreshing: asyncio.Future[None] | None = None

    async def read(self, board: Board) -> None:
        """Apply frames until the stream ends or falls silent.

        Raises:
            LegEnded, AioRpcError: it ended.
        """
        silence = SILENT_HEARTBEATS * self._reader.network.plan.heartbeat
        while True:
            try:
                async with asyncio.timeout(silence):
                    sized = await self._call.read()
            except TimeoutError:
                raise LegEnded("listen: silence") from None
            if sized is grpc.aio.EOF:
                raise LegEnded("listen: the stream ended")
            frame: frame_pb2.ServerFrame = sized.frame
            if frame.HasField("welcome"):
                self._session = frame.welcome.session_id
            if frame.HasField("session_expiring"):
                self._refreshing = asyncio.ensure_future(self._refresh())
            board.take(frame, "listen")
            if frame.runs:
                self._handled += sized.size
                if self._handled - self._reported >= REPORT_BYTES:
                    self._due.set()

    async def report(self) -> None:
        """Touch with each heartbeat and as the window wants it; one call in flight."""
        network = self._reader.network
        while True:
            try:
                async with asyncio.timeout(network.plan.heartbeat):
                    await self._due.wait()
            except TimeoutError:
                pass  # the heartbeat
            self._due.clear()
            if self._session:
                self._reported = self._handled
                touch = realtime_service_pb2.TouchRequest(
                    session_id=self._session, handled_bytes=self._reported
                )
                await self._say("Touch", touch.SerializeToString())

    async def _refresh(self) -> None:
        request = realtime_service_pb2.RefreshSessionRequest(
            session_id=self._session, token=await self._reader.token()
        )
        await self._say("RefreshSession", request.SerializeToString())

    async def _say(self, method: str, request: bytes) -> None:
        metadata = bearer(await self._reader.token())
        try:
            await self._reader.network.unary(method, request, CALL_SECONDS, metadata)
        except grpc.aio.AioRpcError:
            # A report may be lost: the next one has the whole total. A dead session ends the read.
            return
