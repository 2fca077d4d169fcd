"""One session on a scripted stream: when silence is held for death."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shipspeak.realtime.v1 import frame_pb2
from shipspeak_realtime import Stats
from shipspeak_realtime.backoff import Backoff
from shipspeak_realtime.dispatch import Dispatcher
from shipspeak_realtime.session import SILENT_HEARTBEATS, Identity, Session
from shipspeak_realtime.states import Input
from shipspeak_realtime.transport import SizedFrame
from tests.unit.sdk.manual_clock import ManualClock

INTERVAL = 4


class ScriptedCall:
    """A stream of which the test is the hub."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[frame_pb2.ServerFrame] = asyncio.Queue()

    async def read(self) -> Any:
        return SizedFrame(await self.frames.get(), 1)

    async def write(self, frame: frame_pb2.ClientFrame) -> None:
        """Take it."""

    def cancel(self) -> None:
        """Nothing is held."""


@pytest.mark.parametrize("last_word", [0.0, 0.5, 3.9, 9.0])
async def test_silence_is_noticed_after_two_and_a_half_heartbeats(last_word: float):
    """G11: neither before nor later, whenever the hub was heard last."""
    clock, call = ManualClock(), ScriptedCall()

    def nothing(*_: object) -> None:
        """No connection listens."""

    dispatcher = Dispatcher(
        Stats(),
        clock,
        Backoff(lambda: 0.0),
        on_progress=nothing,
        on_welcome=nothing,
        on_expiring=nothing,
    )
    session = Session(call, dispatcher, clock, lambda within: within)  # type: ignore[arg-type]
    running = asyncio.ensure_future(session.run(Identity("c", "", "test"), token_was_refused=False))
    welcome = frame_pb2.ServerFrame()
    welcome.welcome.heartbeat_interval.seconds = INTERVAL
    call.frames.put_nowait(welcome)
    await clock.advance(last_word)
    call.frames.put_nowait(frame_pb2.ServerFrame(heartbeat=frame_pb2.Heartbeat()))
    await clock.advance(SILENT_HEARTBEATS * INTERVAL - 0.01)
    assert not running.done()
    await clock.advance(0.02)
    ending = await asyncio.wait_for(running, 5)
    assert ending.happened is Input.LOST
    assert ending.error is not None
    assert ending.error.reason == "HEARTBEAT_MISSED"
