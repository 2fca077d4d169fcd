from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

import pytest
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from web_bridge.stepping import CHUNK, step, steppable, transmitter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Generator, MutableMapping


class Pipe:
    """A send that waits while it is full, as uvicorn's does."""

    def __init__(self) -> None:
        self.room = asyncio.Event()
        self.room.set()
        self.out: list[Any] = []

    async def send(self, message: MutableMapping[str, Any]) -> None:
        while not self.room.is_set():
            await self.room.wait()
            await asyncio.sleep(0)
        if message.get("fail"):
            raise OSError("broken")
        self.out.append(message)

    def send_object(self, message: MutableMapping[str, Any]) -> Awaitable[None]:
        pipe = self

        class Sending:
            def __await__(self) -> Generator[Any, None, None]:
                return pipe.send(message).__await__()

        return Sending()


async def test_send_with_room_needs_no_task() -> None:
    pipe = Pipe()
    before = len(asyncio.all_tasks())
    assert step(pipe.send, {"n": 1}) is None
    assert pipe.out == [{"n": 1}]
    assert len(asyncio.all_tasks()) == before


async def test_send_that_waits_is_finished_by_a_task() -> None:
    pipe = Pipe()
    pipe.room.clear()
    task = step(pipe.send, {"n": 1})
    assert task is not None
    assert pipe.out == []
    pipe.room.set()
    await task
    assert pipe.out == [{"n": 1}]


async def test_error_before_waiting_is_raised_at_once() -> None:
    with pytest.raises(OSError, match="broken"):
        step(Pipe().send, {"fail": True})


async def test_error_after_waiting_is_the_task_s() -> None:
    pipe = Pipe()
    pipe.room.clear()
    task = step(pipe.send, {"fail": True})
    assert task is not None
    pipe.room.set()
    with pytest.raises(OSError, match="broken"):
        await task


async def test_cancelling_the_task_cancels_the_send() -> None:
    pipe = Pipe()
    pipe.room.clear()
    task = step(pipe.send, {"n": 1})
    assert task is not None
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    pipe.room.set()
    assert pipe.out == []


async def test_a_mere_awaitable_gets_a_task() -> None:
    pipe = Pipe()
    assert not steppable(pipe.send_object)
    task = transmitter(pipe.send_object)({"n": 1})
    assert task is not None
    await task
    assert pipe.out == [{"n": 1}]


def test_uvicorn_s_send_is_steppable() -> None:
    assert inspect.iscoroutinefunction(RequestResponseCycle.send)


class Wire(asyncio.WriteTransport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.ending = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.ending


async def test_ready_made_chunks_go_past_send_while_there_is_room() -> None:
    pipe, wire, paused = Pipe(), Wire(), [False]
    transmit = transmitter(pipe.send, (wire, lambda: paused[0]))
    chunk = {CHUNK: b"1\r\nx\r\n"}
    assert transmit(chunk) is None
    assert (wire.written, pipe.out) == ([b"1\r\nx\r\n"], [])
    plain: dict[str, Any] = {"type": "http.response.start"}
    assert transmit(plain) is None
    paused[0] = True
    assert transmit(chunk) is None
    paused[0], wire.ending = False, True
    assert transmit(chunk) is None
    assert pipe.out == [plain, chunk, chunk]
    assert len(wire.written) == 1
