"""The unary methods of RealtimeService: serialized request in, serialized response out.

Refusals are HubErrors.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.errors import Aborted, HubError, ResourceExhausted
from hub.rpc.decode import check, check_version, decode, parse
from hub.session.frames import timestamp
from hub.session.session import MAX_CONTROL_FRAMES
from hub.session.sink import Caller
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2
from shipspeak.realtime.v1 import realtime_service_pb2 as messages

if TYPE_CHECKING:
    from hub.pipeline.acknowledge import Acknowledger
    from hub.pipeline.history import HistoryReader
    from hub.pipeline.poll import Poller
    from hub.pipeline.presence import PresenceDesk
    from hub.pipeline.publish import Publisher
    from hub.pipeline.schedule import Canceller
    from hub.pipeline.subscribe import Subscriber
    from hub.rpc.admission import Admission
    from hub.rpc.connection import Connection, Connections
    from hub.rpc.streams import ListenMethod
    from hub.session.manager import Sessions
    from hub.session.session import Session

UnaryMethod = Callable[[bytes, Caller], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Pipelines:
    """The data paths that the methods call."""

    publisher: Publisher
    subscriber: Subscriber
    poller: Poller
    history: HistoryReader
    acknowledger: Acknowledger
    canceller: Canceller
    presence: PresenceDesk


class UnaryMethods:
    """One method per RPC; each takes the serialized request and what the door knows of the caller.

    Args:
        pipelines: data paths.
        admission: tells who calls.
        sessions: for the calls that belong to a session.
        connections: who is behind a session.
        listen: starts subscriptions of a Listen session.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        pipelines: Pipelines,
        admission: Admission,
        sessions: Sessions,
        connections: Connections,
        listen: ListenMethod,
        clock: Callable[[], float],
    ) -> None:
        self._pipelines = pipelines
        self._admission = admission
        self._sessions = sessions
        self._connections = connections
        self._listen = listen
        self._clock = clock

    def table(self) -> dict[str, UnaryMethod]:
        """RPC name -> method, for all unary RPCs of the service."""
        return {
            "Poll": self.poll,
            "Publish": self.publish,
            "UpdateSubscriptions": self.update_subscriptions,
            "Touch": self.touch,
            "RefreshSession": self.refresh_session,
            "ReadHistory": self.read_history,
            "Acknowledge": self.acknowledge,
            "CancelScheduled": self.cancel_scheduled,
            "ReadPresence": self.read_presence,
        }

    async def poll(self, request: bytes, caller: Caller) -> bytes:
        """Poll."""
        with self._sessions.poll():
            message = parse(messages.PollRequest, request)
            check_version(message.hello)
            check(message)
            token = message.hello.token
            user = self._admission.principal(caller, token).subject
            with self._connections.poll(user):
                answer = await self._pipelines.poller.poll(
                    message, lambda: self._admission.principal(caller, token)
                )
            waits = message.wait.seconds or message.wait.nanos
            self._admission.polled(message.hello, "poll" if waits else "adaptive-poll", len(answer))
            return answer

    async def publish(self, request: bytes, caller: Caller) -> bytes:
        """Publish."""
        principal = self._admission.principal(caller)
        message = decode(frame_pb2.PublishRequest, request)
        results = await self._pipelines.publisher.publish(message, principal, "")
        return messages.PublishResponse(results=results).SerializeToString()

    async def update_subscriptions(self, request: bytes, caller: Caller) -> bytes:
        """UpdateSubscriptions: end what is not in the set, start what is new, change what is kept.

        The verdicts come on the stream; nothing is begun while too many lie there unread.
        """
        message = decode(messages.UpdateSubscriptionsRequest, request)
        connection = self._connection(message.session_id, caller)
        async with connection.updating:
            # Subscriptions that are still being opened count as there.
            await connection.settle()
            _check_backlog(connection.session)
            self._take_revision(connection.session, message.revision)
            await self._apply(connection, message.subscriptions)
        return messages.UpdateSubscriptionsResponse(revision=message.revision).SerializeToString()

    def _take_revision(self, session: Session, revision: int) -> None:
        if revision <= session.revision:
            raise Aborted(
                reasons.ERROR_REASON_REVISION_STALE,
                f"revision {revision} is not above {session.revision}, the last one applied",
                revision=session.revision,
            )
        session.revision = revision
        session.heard()

    async def _apply(
        self, connection: Connection, subscriptions: Iterable[frame_pb2.Subscribe]
    ) -> None:
        session = connection.session
        wanted = {subscription.topic: subscription for subscription in subscriptions}
        for topic in tuple(session.subscriptions):
            if topic not in wanted:
                self._pipelines.subscriber.unsubscribe(session, topic)
        new = [wish for topic, wish in wanted.items() if topic not in session.subscriptions]
        going_on = [wish for topic, wish in wanted.items() if topic in session.subscriptions]
        for wish in going_on:
            self._change(connection, wish)
        await self._listen.subscribe_all(connection, new)
        await connection.settle()

    def _change(self, connection: Connection, wish: frame_pb2.Subscribe) -> None:
        """Give a subscription that goes on what it asks for now."""
        try:
            self._pipelines.subscriber.change(connection.session, wish)
            self._pipelines.presence.change(
                connection.session, connection.principal, wish.topic, wanted=wish.presence
            )
        except HubError as error:
            connection.refuse(error, topic=wish.topic)

    async def touch(self, request: bytes, caller: Caller) -> bytes:
        """Touch: sign of life, window report, and presence where it is given."""
        message = decode(messages.TouchRequest, request)
        connection = self._connection(message.session_id, caller)
        connection.session.on_handled(message.handled_bytes)
        if message.HasField("presence"):
            self._pipelines.presence.set(
                connection.session, connection.principal, connection.client_id, message.presence
            )
        return messages.TouchResponse(server_time=timestamp(self._clock())).SerializeToString()

    async def refresh_session(self, request: bytes, _caller: Caller) -> bytes:
        """RefreshSession: the new token must be the session's principal's.

        It also authenticates the call, since the caller's old one may have ended.
        """
        message = decode(messages.RefreshSessionRequest, request)
        principal = self._admission.refresh_session(message.session_id, message.token)
        response = messages.RefreshSessionResponse()
        if not math.isinf(principal.expires_at):
            response.expires_at.CopyFrom(timestamp(principal.expires_at))
        return response.SerializeToString()

    async def acknowledge(self, request: bytes, caller: Caller) -> bytes:
        """Acknowledge: deliveries of the caller's sessions, and events."""
        principal = self._admission.principal(caller)
        message = decode(frame_pb2.AcknowledgeRequest, request)
        results = await self._pipelines.acknowledger.acknowledge(message, principal)
        return messages.AcknowledgeResponse(results=results).SerializeToString()

    async def read_history(self, request: bytes, caller: Caller) -> bytes:
        """ReadHistory."""
        principal = self._admission.principal(caller)
        message = decode(messages.ReadHistoryRequest, request)
        return (await self._pipelines.history.read(message, principal)).SerializeToString()

    async def cancel_scheduled(self, request: bytes, caller: Caller) -> bytes:
        """CancelScheduled."""
        principal = self._admission.principal(caller)
        message = decode(messages.CancelScheduledRequest, request)
        await self._pipelines.canceller.cancel(message, principal)
        return messages.CancelScheduledResponse().SerializeToString()

    async def read_presence(self, request: bytes, caller: Caller) -> bytes:
        """ReadPresence."""
        principal = self._admission.principal(caller)
        message = decode(messages.ReadPresenceRequest, request)
        return self._pipelines.presence.read(message, principal).SerializeToString()

    def _connection(self, session_id: str, caller: Caller) -> Connection:
        principal = self._admission.principal(caller)
        return self._connections.owned_by(session_id, principal.subject)


def _check_backlog(session: Session) -> None:
    if session.control_backlog > MAX_CONTROL_FRAMES:
        raise ResourceExhausted(
            reasons.ERROR_REASON_RATE_LIMITED,
            f"{session.control_backlog} answers wait on the stream; read them, then try again",
            retry_after=1.0,
        )
