"""One session on a scripted stream: when silence is held for death, and what the window counts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from shipspeak.realtime.v1 import event_pb2, frame_pb2
from shipspeak_realtime import Stats
from shipspeak_realtime.backoff import Backoff
from shipspeak_realtime.dispatch import Dispatcher
from shipspeak_realtime.session import SILENT_HEARTBEATS, Identity, Session
from shipspeak_realtime.states import Input
from shipspeak_realtime.transport import SizedFrame
from tests.support.until import until
from tests.unit.sdk.manual_clock import ManualClock

if TYPE_CHECKING:
    from shipspeak_realtime.endings import Ending

INTERVAL = 4


class ScriptedCall:
    """A stream of which the test is the hub."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[frame_pb2.ServerFrame] = asyncio.Queue()
        self.written: list[frame_pb2.ClientFrame] = []

    async def read(self) -> Any:
        frame = await self.frames.get()
        return SizedFrame(frame, frame.ByteSize())

    async def write(self, frame: frame_pb2.ClientFrame) -> None:
        self.written.append(frame)

    def cancel(self) -> None:
        """Nothing is held."""


def start(call: ScriptedCall, clock: ManualClock) -> asyncio.Task[Ending]:
    """The session runs; Welcome has not come yet."""

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
    return asyncio.create_task(session.run(Identity("c", "", "test"), token_was_refused=False))


def welcome_frame() -> frame_pb2.ServerFrame:
    welcome = frame_pb2.ServerFrame()
    welcome.welcome.heartbeat_interval.seconds = INTERVAL
    return welcome


async def test_the_window_counts_frames_with_runs_and_frames_with_deliveries():
    """G8: or the hub would wait for bytes that were handled long ago."""
    clock, call = ManualClock(), ScriptedCall()
    running = start(call, clock)
    run = event_pb2.TopicRun(topic="meeting/1", cursor=b"x" * 500)
    delivery = frame_pb2.Delivery(work="w", delivery_id="x" * 500)
    counted = [
        frame_pb2.ServerFrame(runs=[run]),
        frame_pb2.ServerFrame(deliveries=frame_pb2.Deliveries(deliveries=[delivery])),
    ]
    others = [welcome_frame(), frame_pb2.ServerFrame(heartbeat=frame_pb2.Heartbeat())]
    for frame in (*others, *counted):
        call.frames.put_nowait(frame)
    await clock.advance(INTERVAL / 2)
    await until(call.frames.empty)
    await clock.advance(INTERVAL)
    await until(lambda: call.written and call.written[-1].HasField("window"))
    total = sum(frame.ByteSize() for frame in counted)
    assert call.written[-1].window.handled_bytes == total
    running.cancel()
    await asyncio.wait([running])


@pytest.mark.parametrize("last_word", [0.0, 0.5, 3.9, 9.0])
async def test_silence_is_noticed_after_two_and_a_half_heartbeats(last_word: float):
    """G11: neither before nor later, whenever the hub was heard last."""
    clock, call = ManualClock(), ScriptedCall()
    running = start(call, clock)
    call.frames.put_nowait(welcome_frame())
    await clock.advance(last_word)
    call.frames.put_nowait(frame_pb2.ServerFrame(heartbeat=frame_pb2.Heartbeat()))
    await clock.advance(SILENT_HEARTBEATS * INTERVAL - 0.01)
    assert not running.done()
    await clock.advance(0.02)
    ending = await asyncio.wait_for(running, 5)
    assert ending.happened is Input.LOST
    assert ending.error is not None
    assert ending.error.reason == "HEARTBEAT_MISSED"
