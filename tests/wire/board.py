"""A push method with a log: what the hub's sessions do with sinks, in fifty lines."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hub.errors import HubError, PermissionDenied, Unavailable
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from tests.wire.raw import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.session.sink import Caller, FrameSink

LISTEN = "/shipspeak.realtime.v1.RealtimeService/Listen"


class Member:
    """One attached sink and its position in the log."""

    def __init__(self, board: Board, sink: FrameSink) -> None:
        self.board = board
        self.sink = sink
        self.position = 0
        self.detached = asyncio.Event()
        sink.on_writable = self.flush

    def flush(self) -> None:
        if self.detached.is_set() or not self.sink.writable:
            return
        waiting = self.board.log[self.position :]
        if waiting:
            self.position = len(self.board.log)
            self.sink.send(waiting[0] if len(waiting) == 1 else b"".join(waiting))

    def detach(self) -> None:
        self.detached.set()


class Board:
    """Opens members. The request chooses: empty, ``refuse``, ``break``, ``slow`` or ``early``."""

    def __init__(self) -> None:
        self.log: list[bytes] = []
        self.members: list[Member] = []
        self.callers: list[Caller] = []
        self.opened = asyncio.Condition()
        self.gate = asyncio.Event()

    async def open(self, request: bytes, caller: Caller, sink: FrameSink) -> Member:
        if request == b"refuse":
            raise PermissionDenied(reasons.ERROR_REASON_RIGHT_MISSING, "no", topic="user/x")
        if request == b"break":
            raise RuntimeError("a secret")
        if request == b"early":
            sink.send(b"welcome")
        if request == b"slow":
            await self.gate.wait()
        member = Member(self, sink)
        self.callers.append(caller)
        self.members.append(member)
        async with self.opened:
            self.opened.notify_all()
        return member

    def publish(self, event: bytes) -> None:
        self.log.append(event)
        for member in self.members:
            member.flush()

    def end(self, error: HubError | None) -> None:
        for member in self.members:
            member.sink.close(error)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE), self.opened:
            await self.opened.wait_for(condition)


def draining() -> Unavailable:
    return Unavailable(reasons.ERROR_REASON_DRAINING, "the hub is draining", retry_after=1.5)
