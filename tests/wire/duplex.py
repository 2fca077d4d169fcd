"""Sessions that give back what they get: what the hub's are to a WebSocket, in forty lines."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from hub.errors import HubError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hub.session.sink import Caller, FrameSink
    from tests.wire.board import Board


class EchoSession:
    """Answers each frame with itself; on ``board`` it reads the board's log instead."""

    def __init__(self, method: EchoConnect, sink: FrameSink) -> None:
        self.sink = sink
        self.backlog = 0
        self.frames: list[bytes] = []
        # What came first: the end of its frames, or the word that the peer is gone.
        self.order: list[str] = []
        self.detached = asyncio.Event()
        self._method = method
        self._waiting: deque[bytes] = deque()
        sink.on_writable = self._flush

    async def run(self, frames: AsyncIterator[bytes]) -> None:
        try:
            async for frame in frames:
                self.frames.append(frame)
                if frame == b"board":
                    await self._method.board.open(b"", self._method.callers[-1], self.sink)
                else:
                    self._waiting.append(frame)
                    self._flush()
        except HubError as error:
            self.sink.close(error)
        self.order.append("ended")

    def _flush(self) -> None:
        while self._waiting and self.sink.writable:
            self.sink.send(self._waiting.popleft())

    def detach(self) -> None:
        if not self.detached.is_set():
            self.order.append("detached")
        self.detached.set()


class EchoConnect:
    def __init__(self, board: Board) -> None:
        self.board = board
        self.callers: list[Caller] = []
        self.sessions: list[EchoSession] = []
        self.refusal: HubError | None = None

    def open(self, caller: Caller, sink: FrameSink) -> EchoSession:
        if self.refusal is not None:
            raise self.refusal
        self.callers.append(caller)
        self.sessions.append(EchoSession(self, sink))
        return self.sessions[-1]
