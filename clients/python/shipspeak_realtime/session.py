"""One session on one Connect stream: a reader, a writer, signs of life, a watchdog."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc

from shipspeak.realtime.v1 import frame_pb2
from shipspeak_realtime.contents import seconds
from shipspeak_realtime.endings import Ending, ending_of, ending_of_go_away
from shipspeak_realtime.errors import NetworkError, ProtocolError, RealtimeError
from shipspeak_realtime.transport import CONNECT_TIMEOUT_SECONDS
from shipspeak_realtime.window import DEFAULT_WINDOW_BYTES, Window, counts
from shipspeak_realtime.wire import from_rpc, reason_name

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from shipspeak_realtime.clock import Clock
    from shipspeak_realtime.dispatch import Dispatcher
    from shipspeak_realtime.subscription import Subscription
    from shipspeak_realtime.transport import Call, SizedFrame

_log = logging.getLogger("shipspeak_realtime")

PROTOCOL_VERSION = 1
# Both sides hold silence of this many heartbeats for death (G11).
SILENT_HEARTBEATS = 2.5
_DEFAULT_HEARTBEAT_SECONDS = 20.0

Spread: TypeAlias = "Callable[[float], float]"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this client says it is, in Hello."""

    client_id: str
    device_id: str
    sdk: str


class Session:
    """One stream from Hello to its end.

    Args:
        call: the open stream.
        dispatcher: where frames go.
        clock: time.
        spread: for GoAway: the seconds to stay, of the time that the hub allows.

    Attributes:
        silent: it ended because nothing was heard: the connection may be dead, and nobody says so.
    """

    def __init__(self, call: Call, dispatcher: Dispatcher, clock: Clock, spread: Spread) -> None:
        self._call, self._dispatcher, self._clock, self._spread = call, dispatcher, clock, spread
        self._outgoing: asyncio.Queue[frame_pb2.ClientFrame] = asyncio.Queue()
        self._window = Window()
        self._heard_at = clock.monotonic()
        self._interval = _DEFAULT_HEARTBEAT_SECONDS
        self._reading = True
        self.silent = False
        self._go_away: Ending | None = None
        self._told_to_go = asyncio.Event()

    def send(self, frame: frame_pb2.ClientFrame) -> None:
        """Queue a frame for the hub."""
        self._outgoing.put_nowait(frame)

    async def run(self, identity: Identity, *, token_was_refused: bool) -> Ending:
        """Hold the session until it ends, and say how."""
        try:
            await self._open(identity)
            await self._until_first_ends(
                self._read_frames(), self._write(), self._live(), self._watch(), self._leave()
            )
        except RealtimeError as error:
            return self._go_away or ending_of(error, token_was_refused=token_was_refused)
        except grpc.aio.AioRpcError as error:
            return self._go_away or ending_of(from_rpc(error), token_was_refused=token_was_refused)
        except Exception as error:  # noqa: BLE001 - logged; the next session may do better
            _log.exception("the session ended by a fault of the SDK")
            return ending_of(NetworkError(repr(error)), token_was_refused=False)
        finally:
            self._call.cancel()
        return self._go_away or ending_of(NetworkError("the stream ended"), token_was_refused=False)

    async def _open(self, identity: Identity) -> None:
        hello = frame_pb2.Hello(
            protocol_version=PROTOCOL_VERSION,
            client_id=identity.client_id,
            device_id=identity.device_id,
            sdk=identity.sdk,
            window_bytes=DEFAULT_WINDOW_BYTES,
        )
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                await self._write_one(frame_pb2.ClientFrame(hello=hello))
                first = await self._read()
        except TimeoutError as error:
            self.silent = True
            message = f"no Welcome within {CONNECT_TIMEOUT_SECONDS:.0f} s"
            raise NetworkError(message) from error
        if first is None:
            message = "the stream ended before Welcome"
            raise NetworkError(message)
        control = first.frame.WhichOneof("control")
        if control == "go_away":
            self._on_go_away(first.frame.go_away)
            message = f"refused: {reason_name(first.frame.go_away.reason)}"
            raise NetworkError(message)
        if control == "error":
            self._dispatcher.refuse(first.frame.error)
        if control != "welcome":
            message = f"the first frame is {control!r}, not Welcome"
            raise ProtocolError(message)
        welcome = first.frame.welcome
        self._interval = seconds(welcome.heartbeat_interval) or _DEFAULT_HEARTBEAT_SECONDS
        self._heard_at = self._clock.monotonic()
        self._dispatcher.welcome(welcome, self)

    async def _read(self) -> SizedFrame | None:
        """The next frame; None at the end of the stream.

        Raises:
            NetworkError: when the other end cancelled the call.
        """
        try:
            frame: Any = await self._call.read()
        except asyncio.CancelledError:
            # grpc.aio raises the same for a status CANCELLED of the hub as for our own
            # cancellation.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            message = "the other end cancelled the stream"
            raise NetworkError(message) from None
        return None if frame is grpc.aio.EOF else frame

    async def _read_frames(self) -> None:
        while (sized := await self._read()) is not None:
            self._heard_at = self._clock.monotonic()
            self._dispatcher.received(sized)
            if sized.frame.WhichOneof("control") == "go_away":
                self._on_go_away(sized.frame.go_away)
            self._dispatcher.control(sized.frame)
            if full := self._dispatcher.runs(sized.frame):
                await self._wait_for_room(full)
            if counts(sized.frame) and self._window.handled(sized.size):
                self._report()

    async def _wait_for_room(self, full: list[Subscription]) -> None:
        """Stop reading while a queue is full: bytes pile up, the window closes, the hub waits."""
        self._reading = False
        try:
            for subscription in full:
                await subscription.room()
        finally:
            self._reading = True
            # What came meanwhile lies unread: silence is judged from here on.
            self._heard_at = self._clock.monotonic()

    async def _write(self) -> None:
        while True:
            await self._write_one(await self._outgoing.get())

    async def _write_one(self, frame: frame_pb2.ClientFrame) -> None:
        try:
            await self._call.write(frame)
        except asyncio.InvalidStateError as error:
            # The stream has ended; its status says why and is read by the reader.
            raise await self._status(error) from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise await self._status(None) from None

    async def _status(self, cause: BaseException | None) -> RealtimeError:
        code = await self._call.code()
        error = grpc.aio.AioRpcError(
            code,
            await self._call.initial_metadata(),
            await self._call.trailing_metadata(),
            details=await self._call.details(),
        )
        built = from_rpc(error)
        built.__cause__ = cause or error
        return built

    async def _live(self) -> None:
        """A Window each heartbeat is this side's sign of life."""
        while True:
            await self._clock.sleep(self._interval)
            self._report()

    def _report(self) -> None:
        window = frame_pb2.Window(handled_bytes=self._window.report())
        self.send(frame_pb2.ClientFrame(window=window))

    async def _watch(self) -> None:
        limit = SILENT_HEARTBEATS * self._interval
        while True:
            now, due = self._clock.monotonic(), self._heard_at + limit
            if now < due:
                # To the very end of the limit: a longer sleep would notice that much too late.
                await self._clock.sleep(due - now)
            elif self._reading:
                self.silent = True
                message = f"nothing heard for {now - self._heard_at:.1f} s"
                raise NetworkError(message, reason="HEARTBEAT_MISSED")
            else:
                await self._clock.sleep(self._interval / 4)

    def _on_go_away(self, frame: frame_pb2.GoAway) -> None:
        leave_at = self._clock.monotonic() + self._spread(seconds(frame.within))
        self._go_away = ending_of_go_away(frame, leave_at)
        self._told_to_go.set()

    async def _leave(self) -> None:
        """After GoAway: read on until the time to leave, so that the change costs no events.

        With work in hand longer, as long as the hub lets us: else it would be done twice.
        """
        await self._told_to_go.wait()
        leave_at = self._go_away.leave_at if self._go_away else None
        if leave_at is not None:
            await self._clock.sleep(max(0.0, leave_at - self._clock.monotonic()))
        await self._dispatcher.works.idle()

    async def _until_first_ends(self, *work: Coroutine[Any, Any, None]) -> None:
        tasks = [asyncio.create_task(part) for part in work]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        for task, outcome in zip(tasks, outcomes, strict=True):
            if task in done and isinstance(outcome, BaseException):
                raise outcome
