"""For operators: look into a hub's topics and sessions, and take content out of it."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Self

from shipspeak.realtime.v1 import (
    admin_service_pb2,
    admin_service_pb2_grpc,
    realtime_service_pb2,
    realtime_service_pb2_grpc,
)
from shipspeak_realtime.contents import duration
from shipspeak_realtime.cursor import Cursor
from shipspeak_realtime.tokens import TokenSource
from shipspeak_realtime.transport import UNARY_TIMEOUT_SECONDS, make_channel
from shipspeak_realtime.unary import call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime, timedelta
    from types import TracebackType

    import grpc

    from shipspeak.realtime.v1.admin_service_pb2_grpc import AdminServiceAsyncStub
    from shipspeak.realtime.v1.realtime_service_pb2_grpc import RealtimeServiceAsyncStub
    from shipspeak_realtime.tokens import GetToken

# Taking out what a busy user has published in a large store goes through all of it.
REMOVAL_TIMEOUT_SECONDS = 600.0


class AdminClient:
    """A client of a hub's admin service; its token needs the admin right.

    ::

        async with AdminClient("127.0.0.1:50051", token=token) as admin:
            async for topic in admin.topics("meeting/*"):
                print(topic.topic, topic.depth, topic.readers)

    Every method raises PermissionDeniedError without that right, NetworkError when the hub cannot
    be reached, and the hub's other refusals typed.

    Args:
        server: gRPC target of the hub.
        token: a JWT, or an async function that gets one; None for a development hub.
        credentials: of TLS; None = plain text.
        timeout: seconds for a call that removes nothing.
    """

    def __init__(
        self,
        server: str,
        *,
        token: str | GetToken | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        timeout: float = UNARY_TIMEOUT_SECONDS,
    ) -> None:
        self._server, self._credentials = server, credentials
        self._tokens = TokenSource(token)
        self._timeout = timeout
        self._channel: grpc.aio.Channel | None = None

    async def __aenter__(self) -> Self:
        """Make the channel; connects with the first call."""
        self._channel = make_channel(self._server, self._credentials)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._channel is not None:
            await self._channel.close(grace=None)

    async def topics(self, pattern: str = "") -> AsyncIterator[admin_service_pb2.TopicInfo]:
        """All topics that fall under a pattern, by name; empty = all."""
        request = admin_service_pb2.ListTopicsRequest(pattern=pattern)
        while True:
            answer = await call(self._tokens, self._stub.ListTopics, request, self._timeout)
            for topic in answer.topics:
                yield topic
            if not answer.next_page:
                return
            request.page.token = answer.next_page

    async def sessions(
        self, *, user: str = "", topic: str = ""
    ) -> AsyncIterator[admin_service_pb2.SessionInfo]:
        """All sessions, or only a user's, or only those that read a topic."""
        request = admin_service_pb2.ListSessionsRequest(user=user, topic=topic)
        while True:
            answer = await call(self._tokens, self._stub.ListSessions, request, self._timeout)
            for session in answer.sessions:
                yield session
            if not answer.next_page:
                return
            request.page.token = answer.next_page

    async def shards(self) -> Sequence[admin_service_pb2.ShardInfo]:
        """All shards, by number."""
        request = admin_service_pb2.ListShardsRequest()
        return (await call(self._tokens, self._stub.ListShards, request, self._timeout)).shards

    async def audit(self, last: int = 100) -> Sequence[admin_service_pb2.AuditEntry]:
        """The newest calls of the admin service, refused ones too, oldest first; at most 1000.

        The token needs the right to subscribe to `control/audit` as well.
        """
        request = realtime_service_pb2.ReadHistoryRequest(
            topic="control/audit", limit=last, reverse=True, max_bytes=1_048_576
        )
        answer = await call(self._tokens, self._reader.ReadHistory, request, self._timeout)
        events = [event for run in answer.runs for event in run.events]
        entries = []
        for event in sorted(events, key=lambda event: event.offset):
            entry = admin_service_pb2.AuditEntry()
            if event.content.other.Unpack(entry):
                entries.append(entry)
        return entries

    async def disconnect(self, *, session_id: str = "", user: str = "") -> int:
        """Close one session, or all of a user's; how many. The clients do not come back."""
        request = (
            admin_service_pb2.DisconnectRequest(session_id=session_id)
            if session_id
            else admin_service_pb2.DisconnectRequest(user=user)
        )
        return (await call(self._tokens, self._stub.Disconnect, request, self._timeout)).closed

    async def revoke(
        self, *, token_id: str = "", user: str = "", issued_before: datetime | None = None
    ) -> None:
        """Take rights back, for good: of one token, a user's tokens until now, or all older ones.

        It is stored and in force when this returns: open sessions end within 5 s, on every
        instance. Give exactly one.

        Args:
            token_id: the token's jti.
            user: whose tokens; whoever signs in again gets a new one, a second later or more.
            issued_before: all tokens issued before this moment, which has a time zone.

        Raises:
            ValueError: none of them was given, or more than one.
        """
        if [bool(token_id), bool(user), issued_before is not None].count(True) != 1:
            raise ValueError("give exactly one of token_id, user and issued_before")
        request = admin_service_pb2.RevokeRequest()
        if token_id:
            request.token_id = token_id
        elif user:
            request.user = user
        elif issued_before is not None:
            if issued_before.tzinfo is None:
                raise ValueError("issued_before has no time zone; use datetime.now(UTC)")
            request.issued_before.FromDatetime(issued_before.astimezone(UTC))
        await call(self._tokens, self._stub.Revoke, request, self._timeout)

    async def drain(self, within: timedelta | float | None = None) -> None:
        """Send all clients of the instance away, spread over `within` (seconds or a timedelta).

        It takes no new ones; its process ends by a signal, as ever.
        """
        request = admin_service_pb2.DrainRequest(
            within=None if within is None else duration(within)
        )
        await call(self._tokens, self._stub.Drain, request, self._timeout)

    async def purge(self, topic: str) -> int:
        """Remove all events that a topic has now; how many. Its readers are told GAP."""
        request = admin_service_pb2.PurgeTopicRequest(topic=topic)
        answer = await call(self._tokens, self._stub.PurgeTopic, request, REMOVAL_TIMEOUT_SECONDS)
        return answer.removed

    async def delete_event(
        self, topic: str, event_id: str, *, offset: int = 0, publisher: str = ""
    ) -> None:
        """Remove one event's content; its offset and id stay, readers see it counted as withdrawn.

        Args:
            topic: where it lies.
            event_id: its id, which is unique per publisher only.
            offset: its offset; 0 = all that have the id.
            publisher: its publisher; empty = whoever.

        Raises:
            RealtimeError: EVENT_UNKNOWN: the topic keeps no such event.
        """
        request = admin_service_pb2.DeleteEventRequest(
            topic=topic, event_id=event_id, offset=offset, publisher=publisher
        )
        await call(self._tokens, self._stub.DeleteEvent, request, REMOVAL_TIMEOUT_SECONDS)

    async def erase_user(self, user: str) -> int:
        """Remove all that a user published, and what lies in the user's own topics; how many.

        A call that was cut off can be repeated and goes on.
        """
        request = admin_service_pb2.EraseUserRequest(user=user)
        answer = await call(self._tokens, self._stub.EraseUser, request, REMOVAL_TIMEOUT_SECONDS)
        return answer.removed

    async def work(self) -> Sequence[admin_service_pb2.WorkInfo]:
        """All work subscriptions, by name, and how much is not acknowledged in each."""
        work: list[admin_service_pb2.WorkInfo] = []
        page = admin_service_pb2.Page()
        while True:
            request = admin_service_pb2.ListWorkRequest(page=page)
            answer = await call(self._tokens, self._stub.ListWork, request, self._timeout)
            work += answer.work
            if not answer.next_page:
                return work
            page.token = answer.next_page

    async def seek_work(self, name: str, to: datetime | Cursor) -> None:
        """Move a work subscription; what lies behind that place is handed out again.

        Args:
            name: of the work subscription.
            to: to the first event at or after a time (aware, or in local time), or behind a cursor
                of its one topic.
        """
        request = admin_service_pb2.SeekWorkRequest(name=name)
        if isinstance(to, Cursor):
            request.position.CopyFrom(to.position())
        else:
            request.time.FromDatetime(to.astimezone(UTC))
        await call(self._tokens, self._stub.SeekWork, request, REMOVAL_TIMEOUT_SECONDS)

    async def delete_work(self, name: str) -> None:
        """Forget a work subscription; its members are told, the events stay in their topics."""
        request = admin_service_pb2.DeleteWorkRequest(name=name)
        await call(self._tokens, self._stub.DeleteWork, request, self._timeout)

    async def replay_dead_letters(self, namespace: str, *, work: str = "", limit: int = 100) -> int:
        """Publish dead letters of a namespace again to their topics, oldest first; how many.

        Args:
            namespace: of the topics that they come from.
            work: only those of this work subscription; empty = all.
            limit: at most so many, up to 1000.
        """
        request = admin_service_pb2.ReplayDeadLettersRequest(
            namespace=namespace, work=work, limit=limit
        )
        stub = self._stub.ReplayDeadLetters
        return (await call(self._tokens, stub, request, REMOVAL_TIMEOUT_SECONDS)).replayed

    @property
    def _stub(self) -> AdminServiceAsyncStub:
        return admin_service_pb2_grpc.AdminServiceStub(self._opened())

    @property
    def _reader(self) -> RealtimeServiceAsyncStub:
        return realtime_service_pb2_grpc.RealtimeServiceStub(self._opened())

    def _opened(self) -> grpc.aio.Channel:
        if self._channel is None:
            message = "use the client inside `async with`"
            raise RuntimeError(message)
        return self._channel
