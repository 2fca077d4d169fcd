"""The hub's end of a stream: a sink as its doors have one, and what a door does around it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from hub.errors import HubError
from hub.rpc.commands import farewell
from hub.session.session import MAX_CONTROL_FRAMES
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2
from tests.guarantees.observed import Handed, Watch
from tests.simulation.hub import TICK_SECONDS
from tests.simulation.probes import fill_turn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from hub.rpc.connection import Connection
    from hub.session.session import Session
    from hub.session.sink import Attachment, Caller
    from shipspeak.realtime.v1 import event_pb2
    from tests.simulation.link import Link

BUFFERS = (16_384, 65_536, 1_048_576)
WRITE_SECONDS = 0.0005
# The tag of ServerFrame.runs.
_RUNS = b"\x0a"


class HubSink:
    """A FrameSink into the connection; its buffers swallow so many bytes ahead of the reader."""

    def __init__(self, link: Link, end: HubEnd) -> None:
        self.on_writable: Callable[[], None] | None = None
        self.session: Session | None = None
        self.largest = 0
        self.closed_at = 0.0
        self.name = f"{link.client.name}-{link.number}"
        self._link, self._end = link, end
        self._capacity = link.network.random.choice(BUFFERS)
        self._free, self._full, self._closed = True, False, False

    @property
    def writable(self) -> bool:
        """As in FrameSink."""
        return self._free and not self._closed and not self._end.finished

    def send(self, frame: bytes) -> None:
        """As in FrameSink."""
        self._free = False
        self.largest = max(self.largest, len(frame))
        self._note(frame)
        self._link.call.unread += len(frame)
        self._link.down.send(("frame", frame))
        self._link.network.loop.call_later(WRITE_SECONDS, self._written)

    def close(self, error: HubError | None) -> None:
        """As in FrameSink."""
        if not self._closed:
            self._closed = True
            self._end.closing(error)

    def drained(self) -> None:
        """There is room again."""
        if self._full:
            self._full = False
            self._link.network.loop.call_soon(self._written)

    def _written(self) -> None:
        if self._link.call.unread >= self._capacity:
            self._full = True
            return
        self._free = True
        if self.on_writable is not None and self.writable:
            self.on_writable()

    def _note(self, frame: bytes) -> None:
        """What is given to the transport now, for the validators."""
        session, network, client = self.session, self._link.network, self._link.client
        # Runs come first in a frame; what has none is of interest to few.
        if session is None or (client.watch is None and not frame.startswith(_RUNS)):
            return
        name, who = self.name, client.name
        now_ms = int(network.loop.wall() * 1000)
        message = frame_pb2.ServerFrame.FromString(frame)
        for run in message.runs:
            fill_turn(network.history.turns, name, run)
            network.history.handed.extend(
                Handed(name, run.topic, event.id, now_ms, _end_ms(event), who)
                for event in run.events
            )
        if client.watch is not None:
            network.history.handed.extend(
                Handed(name, each.topic, each.event.id, now_ms, _end_ms(each.event), who)
                for each in message.deliveries.deliveries
            )
            client.watch.given(self._link, message)


def _end_ms(event: event_pb2.Event) -> int:
    return event.expires_at.ToMilliseconds() if event.HasField("expires_at") else 0


class HubEnd:
    """What a door does for one stream."""

    def __init__(self, link: Link, caller: Caller) -> None:
        self.finished = self._watch_over = False
        self.heard_at = link.network.loop.time()
        self.sink = HubSink(link, self)
        self._link, self._caller = link, caller
        self._inbound: asyncio.Queue[bytes] = asyncio.Queue()
        self._work: asyncio.Task[None] | None = None
        self._connection: Connection | None = None
        self._attachment: Attachment | None = None

    def open(self, hub: Any, listen: bytes | None) -> None:
        """Begin the stream."""
        run = self._connect(hub) if listen is None else self._run_listen(hub, listen)
        self._work = asyncio.ensure_future(run)

    async def _connect(self, hub: Any) -> None:
        try:
            connection = hub.connect.create(self._caller, self.sink)
        except HubError as error:
            self._refuse(error, [])
            return
        self._connection = connection
        await hub.connect.run(connection, self._frames(connection.session))

    async def _run_listen(self, hub: Any, request: bytes) -> None:
        try:
            self._attachment = await hub.listen.open(request, self._caller, self.sink)
        except HubError as error:
            self._refuse(error, farewell(error))

    async def _frames(self, session: Session) -> AsyncIterator[bytes]:
        while True:
            while session.control_backlog > MAX_CONTROL_FRAMES:  # noqa: ASYNC110 - it costs nothing
                await asyncio.sleep(WRITE_SECONDS)
            yield await self._inbound.get()

    def _refuse(self, error: HubError, last: list[bytes]) -> None:
        for frame in last:
            self._link.down.send(("frame", frame))
        self._link.down.send(("end", error))
        self.finish()

    def arrived(self, data: bytes) -> None:
        """A frame of the client."""
        if not self.finished:
            self.heard()
            self._inbound.put_nowait(data)
            watch = self._link.client.watch
            if watch is not None and not self.sink.closed_at:
                watch.said(self._link, frame_pb2.ClientFrame.FromString(data))

    def heard(self) -> None:
        """The client gave a sign of life; a session that has ended listens no more."""
        if not self.sink.closed_at:
            self.heard_at = self._link.network.loop.time()

    def closing(self, error: HubError | None) -> None:
        """The session ends the stream."""
        missed = error is not None and error.reason == reasons.ERROR_REASON_HEARTBEAT_MISSED
        self._watched(noticed=missed)
        self._link.down.send(("end", error))
        self._link.network.loop.call_soon(self.finish)

    def finish(self) -> None:
        """The peer is gone, or the stream has ended."""
        if self.finished:
            return
        self._watched(noticed=False)
        self.finished = True
        if self._link.client.watch is not None:
            self._link.client.watch.ended(self._link, self.heard_at)
        if self._work is not None and not self._work.done():
            self._work.cancel()
        if self._attachment is not None:
            self._attachment.detach()
        if self._connection is not None:
            self._connection.cancel()
            self._connection.session.detach()

    def _watched(self, *, noticed: bool) -> None:
        session, network = self.sink.session, self._link.network
        if session is None or not session.window.size or self._watch_over:
            return
        self._watch_over = True
        hub = network.hub
        if hub is None or not hub.alive:
            return
        name, interval = self._link.client.name, network.plan.heartbeat
        # A stuck transport hears of the end later than the session has come to it.
        until = self.sink.closed_at or network.loop.time()
        network.history.watches.append(
            Watch("hub", name, interval, self.heard_at, until, noticed, TICK_SECONDS)
        )
