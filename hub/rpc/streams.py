"""Sessions on streams, for whatever door: Connect's frames in both directions, Listen's one way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hub.rpc.commands import Commands, farewell
from hub.rpc.connection import Connection
from hub.rpc.decode import check, check_version, parse
from hub.rpc.status import refusal_of
from hub.session.states import Input
from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from hub.limits.rates import Rates
    from hub.pipeline.subscribe import Subscriber
    from hub.rpc.admission import Admission
    from hub.session.manager import Sessions
    from hub.session.session import Session
    from hub.session.sink import Attachment, Caller, FrameSink
    from hub.telemetry.metrics import Metrics


class ListenMethod:
    """Opens Listen sessions: the door attaches a sink and waits, the hub sends."""

    def __init__(
        self,
        sessions: Sessions,
        admission: Admission,
        subscriber: Subscriber,
        metrics: Metrics,
        clock: Callable[[], float],
        rates: Rates,
    ) -> None:
        self._rates = rates
        self._sessions = sessions
        self._admission = admission
        self._subscriber = subscriber
        self._metrics = metrics
        self._clock = clock

    async def open(self, request: bytes, caller: Caller, sink: FrameSink) -> Attachment:
        """Open a session on a serialized ListenRequest.

        Welcome is the first frame, verdicts follow. The door writes them when this returns: by then
        all subscriptions were begun, and at most MAX_COMMANDS_IN_FLIGHT are still under way.

        Raises:
            HubError: the session is refused; nothing was sent. An unknown failure is INTERNAL.
        """
        session: Session | None = None
        try:
            listen = parse(realtime_service_pb2.ListenRequest, request)
            check_version(listen.hello)
            check(listen)
            self._rates.opening(caller.peer)
            session = self._sessions.create(caller, sink)
            connection = Connection(session, self._metrics)
            session.apply(Input.HELLO)
            self._admission.welcome(connection, listen.hello, self._clock())
            await self.subscribe_all(connection, list(listen.subscriptions))
        except BaseException as failure:
            # Also when the call is cancelled meanwhile: no door holds the session yet.
            if session is not None:
                connection.cancel()
                session.detach()
            if not isinstance(failure, Exception):
                raise
            raise refusal_of(failure, "opening a Listen session", self._metrics) from failure
        return ListenAttachment(connection)

    async def subscribe_all(
        self, connection: Connection, subscriptions: list[frame_pb2.Subscribe]
    ) -> None:
        """Start subscriptions side by side; refusals become Error frames on the stream."""
        for subscription in subscriptions:
            await connection.run(
                _bind(self._subscriber, connection, subscription),
                request_id=0,
                topic=subscription.topic,
            )


class ListenAttachment:
    """A Listen session and its door's hold on it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def detach(self) -> None:
        """The peer is gone."""
        self._connection.cancel()
        self._connection.session.detach()


class ConnectMethod:
    """Runs Connect sessions."""

    def __init__(
        self, sessions: Sessions, commands: Commands, metrics: Metrics, rates: Rates
    ) -> None:
        self._rates = rates
        self._sessions = sessions
        self._commands = commands
        self._metrics = metrics

    def create(self, caller: Caller, sink: FrameSink) -> Connection:
        """A session before its Hello.

        Raises:
            HubError: the instance is draining or full, or the address opens too many.
        """
        self._rates.opening(caller.peer)
        return Connection(self._sessions.create(caller, sink), self._metrics)

    def open(self, caller: Caller, sink: FrameSink) -> ConnectAttachment:
        """A session before its Hello, for a door whose connection is the session.

        Raises:
            HubError: the instance is draining or full. An unknown failure is INTERNAL.
        """
        try:
            return ConnectAttachment(self, self.create(caller, sink))
        except Exception as failure:
            raise refusal_of(failure, "opening a Connect session", self._metrics) from failure

    async def run(self, connection: Connection, frames: AsyncIterator[bytes]) -> None:
        """Take frames until the client half-closes; then finish the answers and end the stream.

        Those beyond the connection's rate are taken later: the transport's flow control holds the
        peer back, and nothing is lost.
        """
        session = connection.session
        bucket = self._rates.frames()
        try:
            async for data in frames:
                if bucket is not None and (wait := self._rates.frame(bucket)):
                    await asyncio.sleep(wait)
                await self._commands.on_frame(connection, data)
            await connection.settle()
            session.close(None)
        except Exception as failure:  # noqa: BLE001 - unknown ones are logged and become INTERNAL
            error = refusal_of(failure, f"session {session.session_id}", self._metrics)
            session.close(error, farewell(error))


class ConnectAttachment:
    """A Connect session and its door's hold on it."""

    def __init__(self, method: ConnectMethod, connection: Connection) -> None:
        self._method = method
        self._connection = connection

    @property
    def backlog(self) -> int:
        """Control frames that the transport has not taken yet."""
        return self._connection.session.control_backlog

    async def run(self, frames: AsyncIterator[bytes]) -> None:
        """Take frames until they end; then finish the answers and end the stream."""
        await self._method.run(self._connection, frames)

    def detach(self) -> None:
        """The peer is gone."""
        self._connection.cancel()
        self._connection.session.detach()


def _bind(
    subscriber: Subscriber, connection: Connection, subscription: frame_pb2.Subscribe
) -> Callable[[], Awaitable[None]]:
    return lambda: subscriber.subscribe(
        connection.session, lambda: connection.principal, subscription
    )
