"""The client: the one object that an application makes."""

from __future__ import annotations

import dataclasses
import random as _random
import uuid
from typing import TYPE_CHECKING, Self

from shipspeak.realtime.v1 import event_pb2, frame_pb2, realtime_service_pb2
from shipspeak_realtime.backoff import Backoff
from shipspeak_realtime.clock import SystemClock
from shipspeak_realtime.connection import Connection
from shipspeak_realtime.contents import duration, make_content, make_draft
from shipspeak_realtime.follow_up import FollowUps
from shipspeak_realtime.ids import IdFactory
from shipspeak_realtime.many import publish_many
from shipspeak_realtime.meeting import MeetingPublisher
from shipspeak_realtime.pages import answer_of_poll, page_of_history
from shipspeak_realtime.parts import Parts
from shipspeak_realtime.presence import PresenceReader, members_of_page
from shipspeak_realtime.present import leave_all, say_presence
from shipspeak_realtime.publish import Publisher
from shipspeak_realtime.session import PROTOCOL_VERSION, Identity
from shipspeak_realtime.stats import Stats
from shipspeak_realtime.subscription import QUEUE_EVENTS, Subscription
from shipspeak_realtime.tokens import TokenSource
from shipspeak_realtime.transport import Transport
from shipspeak_realtime.unary import UnaryCalls
from shipspeak_realtime.version import SDK
from shipspeak_realtime.work import ACK_DEADLINE_SECONDS, OUTSTANDING, Work, retry_delay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
    from datetime import datetime, timedelta
    from types import TracebackType

    import grpc
    from google.protobuf.message import Message

    from shipspeak_realtime.changes import ConnectionChange
    from shipspeak_realtime.clock import Clock
    from shipspeak_realtime.cursor import Cursor
    from shipspeak_realtime.meeting import StepIds
    from shipspeak_realtime.pages import Page, PollAnswer
    from shipspeak_realtime.presence import Members, PresenceState
    from shipspeak_realtime.receipts import Receipt
    from shipspeak_realtime.start import Start
    from shipspeak_realtime.states import State
    from shipspeak_realtime.tokens import GetToken
    from shipspeak_realtime.verdicts import OnLeftOut, OnVerdict
    from shipspeak_realtime.work import RetryDelay

PUBLISH_TIMEOUT_SECONDS = 30.0


class RealtimeClient(FollowUps):
    """A client of one hub: publishes, and reads topics over one session that is kept for ever.

    ::

        async with RealtimeClient("127.0.0.1:50051", token=token) as hub:
            receipt = await hub.publish("meeting/42", UploadProgress(sent_bytes=1, total_bytes=2))
            async for event in hub.subscribe("meeting/42", start="earliest"):
                print(event.offset, event.payload)

    It does no I/O before `async with`; the session opens with the first subscription, so a client
    that only publishes has none. It belongs to one event loop.

    Args:
        server: gRPC target of the hub.
        token: a JWT; an async function that gets one (asked before every session, when the hub says
            that the old one ends, and after a refusal; None from it = signed out); None for a hub
            that asks for none.
        credentials: of TLS; None = plain text, for development and trusted networks.
        client_id: stable for this running program; 1 to 64 characters; None = a random one.
        device_id: stable for this installation; may be empty.
        clock: time, for tests.
        random: a number in [0, 1] at each call, for tests.
        id_factory: makes ids of drafts; None = UUIDv7.
    """

    def __init__(
        self,
        server: str,
        *,
        token: str | GetToken | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        client_id: str | None = None,
        device_id: str = "",
        clock: Clock | None = None,
        random: Callable[[], float] = _random.random,
        id_factory: Callable[[], str] | None = None,
    ) -> None:
        self.server = server
        self._token, self._credentials = token, credentials
        self._identity = Identity(client_id or uuid.uuid4().hex, device_id, SDK)
        self._clock = clock or SystemClock()
        self._random = random
        self._new_id = id_factory or IdFactory(self._clock.now)
        self._stats = Stats()
        self._parts = None

    async def __aenter__(self) -> Self:
        """Make the channel; connects with the first call or subscription."""
        transport = Transport(self.server, self._credentials)
        tokens = TokenSource(self._token)
        calls = UnaryCalls(transport, tokens)
        self._parts = Parts(
            transport,
            calls,
            Publisher(calls, self._clock, self._stats, self._random),
            Connection(
                transport,
                tokens,
                self._identity,
                stats=self._stats,
                clock=self._clock,
                backoff=Backoff(self._random),
            ),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the session, all subscriptions and all calls; safe to repeat."""
        if self._parts is not None:
            await leave_all(self._parts.connection, self._parts.calls)
            await self._parts.connection.close()
            await self._parts.publisher.close()
            await self._parts.transport.close()

    # Reading

    def subscribe(
        self,
        topic: str,
        *,
        start: Start = "latest",
        last: int | None = None,
        on_verdict: OnVerdict | None = None,
        on_left_out: OnLeftOut | None = None,
        conflate: bool = False,
        grant: str = "",
        queue_events: int = QUEUE_EVENTS,
    ) -> Subscription:
        """Read a topic for as long as the program wants, through restarts and bad networks.

        Args:
            topic: kind/id[/more]; no patterns.
            start: "latest" = what comes from now on; "earliest" = everything that the log has;
                "snapshot" = the latest of each key, then what comes; or a `Cursor` to go on from.
            last: in place of `start`: the newest 1 to 1000 events, then what comes.
            on_verdict: called with each `Verdict`, at the start and after every reconnect; by the
                reader, in line with the events: what came before it has been handed over.
            on_left_out: called likewise with each `LeftOut`: events counted in place of delivered.
            conflate: while this reader lags, only the latest event of each key.
            grant: short JWT for this one topic.
            queue_events: events that may wait here; a full queue stops the reading of all this
                client's topics, so give a slow reader a client of its own.

        Raises:
            InvalidRequestError: for a cursor of another topic or an unknown start.
        """
        connection = self._open_parts().connection
        return Subscription(
            topic,
            start=start,
            last=last,
            stats=self._stats,
            on_open=connection.open,
            on_close=connection.forget,
            on_verdict=on_verdict,
            on_left_out=on_left_out,
            conflate=conflate,
            grant=grant,
            queue_events=queue_events,
        )

    def work(
        self,
        name: str,
        pattern: str,
        *,
        max_outstanding: int = OUTSTANDING,
        ack_deadline: timedelta | float = ACK_DEADLINE_SECONDS,
        ordered: bool = False,
        retry: RetryDelay = retry_delay,
    ) -> Work:
        """Share the events of topics with other workers, each event to one of them.

        ::

            async for delivery in hub.work("analyse", "meeting/*"):
                async with delivery:
                    await analyse(delivery.event)

        Args:
            name: of the work subscription; workers with the same name share it. It begins with what
                is published after its first member opened it, and lives on without members.
            pattern: a topic, or a pattern such as "meeting/*"; the first member fixes it.
            max_outstanding: events that this member may hold at a time; 1 for long jobs.
            ack_deadline: lease of a delivery, 10 to 600 s; it is extended while the work runs.
            ordered: each topic's events come one at a time, in order; the first member fixes it.
            retry: seconds before an event comes again whose block failed, by its attempt.
        """
        return Work(
            name,
            pattern,
            max_outstanding=max_outstanding,
            ack_deadline=ack_deadline,
            ordered=ordered,
            retry=retry,
            clock=self._clock,
            on_open=self._open_parts().connection.open_work,
        )

    # Presence

    def presence(self, topic: str) -> PresenceReader:
        """Watch who is in a topic: `async for members in hub.presence("meeting/42")`.

        It may stand beside a subscription of the same topic, and shares its session.

        Args:
            topic: kind/id[/more]; takes the rights `subscribe` and `presence`.
        """
        connection = self._open_parts().connection
        return PresenceReader(topic, connection.watch, connection.unwatch)

    async def set_presence(
        self,
        topic: str,
        state: PresenceState = "online",
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Say what others see of this client in a topic, now and after every reconnect.

        Without a session it is said when one opens. "offline", and the client's `close`, leave.

        Args:
            topic: kind/id[/more]; takes the right `presence`.
            state: "online", "active", "away" or "offline".
            metadata: facts for display; at most 8, of 256 characters.

        Raises:
            RealtimeError: the hub's refusal, typed.
        """
        parts = self._open_parts()
        await say_presence(parts.connection, parts.calls, topic, state, metadata)

    async def read_presence(
        self, topic: str, *, counts_only: bool = False, page: str = ""
    ) -> Members:
        """Who is in a topic at this moment, in pages of 100.

        Args:
            topic: kind/id[/more]; takes the rights `subscribe` and `presence`.
            counts_only: no members.
            page: `next_page` of the page before; empty = the first.
        """
        request = realtime_service_pb2.ReadPresenceRequest(
            topic=topic, counts_only=counts_only, page=page
        )
        answer = await self._open_parts().calls.read_presence(request)
        return members_of_page(topic, answer, counts_only=counts_only)

    # Pages

    async def read_history(
        self,
        topic: str,
        *,
        after: Cursor | None = None,
        limit: int = 0,
        max_bytes: int = 0,
        reverse: bool = False,
        latest_per_key: bool = False,
    ) -> Page:
        """One page of a topic's log; pass its `next` as `after` for as long as it says `more`.

        Args:
            topic: kind/id[/more].
            after: read after this place (`reverse`: before it); None = from the oldest (newest).
            limit: events at most; 0 = 100.
            max_bytes: bytes at most; 0 = 262144.
            reverse: newest first.
            latest_per_key: only the latest event of each key.
        """
        request = realtime_service_pb2.ReadHistoryRequest(
            topic=topic,
            limit=limit,
            max_bytes=max_bytes,
            reverse=reverse,
            latest_per_key=latest_per_key,
            position=None if after is None else after.position(),
        )
        return page_of_history(request, await self._open_parts().calls.read_history(request))

    async def poll(
        self,
        subscriptions: Iterable[frame_pb2.Subscribe],
        *,
        wait: timedelta | float = 0.0,
        max_events: int = 0,
        max_bytes: int = 0,
    ) -> PollAnswer:
        """One Poll: what lies after the given positions, at once or within `wait`.

        Args:
            subscriptions: topics and positions, as the contract has them; for a position give
                `page.next.position()`.
            wait: seconds or a timedelta, at most 30 s.
            max_events: of one answer; 0 = 500.
            max_bytes: of one answer; 0 = 262144.
        """
        identity, asked = self._identity, tuple(subscriptions)
        request = realtime_service_pb2.PollRequest(
            hello=frame_pb2.Hello(
                protocol_version=PROTOCOL_VERSION,
                client_id=identity.client_id,
                device_id=identity.device_id,
                sdk=identity.sdk,
            ),
            subscriptions=asked,
            wait=duration(wait),
            max_events=max_events,
            max_bytes=max_bytes,
        )
        return answer_of_poll(asked, await self._open_parts().calls.poll(request))

    # Publishing

    async def publish(
        self,
        topic: str,
        payload: Message,
        *,
        key: str = "",
        priority: event_pb2.Priority.ValueType = event_pb2.PRIORITY_UNSPECIFIED,
        ttl: timedelta | float | None = None,
        id: str | None = None,  # noqa: A002 - the contract's own word
        attributes: Mapping[str, str] | None = None,
        deliver_at: datetime | None = None,
        expected_offset: int | None = None,
        traceparent: str = "",
        timeout: float | None = PUBLISH_TIMEOUT_SECONDS,  # noqa: ASYNC109 - see publish.py
    ) -> Receipt:
        """Publish one event and wait for the hub's word that it is stored.

        Events of this client on one topic are stored in the order of these calls. A hub that is
        away is waited for, with the same id, until `timeout`.

        Args:
            topic: kind/id[/more].
            payload: a typed update or one of its inner messages, an Any, or any other message (see
                `make_content`).
            key: events of one key may supersede each other for a receiver that lags.
            priority: lane of delivery.
            ttl: how long it is worth delivering, seconds or a timedelta; None = no end.
            id: idempotency key; None = a UUIDv7. The same id is stored once.
            attributes: free attributes, at most 32.
            deliver_at: not before this time, at most 365 days ahead; None = now. The receipt says
                SCHEDULED; `ttl` counts from that time.
            expected_offset: store only if this is the topic's head.
            traceparent: W3C trace context.
            timeout: seconds; None = for ever.

        Raises:
            DeadlineError: no receipt in time: publish again with the same id (`error.request_id`).
            RealtimeError: the hub's refusal, typed.
        """
        content = make_content(
            payload, key=key, priority=priority, attributes=attributes, traceparent=traceparent
        )
        draft = make_draft(
            topic,
            content,
            draft_id=id or self._new_id(),
            ttl=ttl,
            deliver_at=deliver_at,
            expected_offset=expected_offset,
        )
        return await self._open_parts().publisher.publish(draft, timeout)

    async def publish_many(
        self,
        drafts: Iterable[event_pb2.Draft],
        *,
        all_or_nothing: bool = False,
        timeout: float | None = PUBLISH_TIMEOUT_SECONDS,  # noqa: ASYNC109 - see publish.py
    ) -> Sequence[Receipt]:
        """Publish drafts (see `make_draft`), in order within each topic, and wait for all receipts.

        Any number: they are taken as the outbox has room. What is published meanwhile by other
        calls may land between them.

        Args:
            drafts: stay as they are; one without an id is sent with a UUIDv7.
            all_or_nothing: store all or none, as one batch; one topic, at most 500 drafts.
            timeout: seconds for all of them; None = for ever.

        Raises:
            RealtimeError: the first failure, in the order of the drafts, once all have ended.
        """
        publisher = self._open_parts().publisher
        own = (self._own(draft) for draft in drafts)
        return await publish_many(publisher, own, timeout, all_or_nothing=all_or_nothing)

    def _own(self, draft: event_pb2.Draft) -> event_pb2.Draft:
        """A copy with an id: the caller's draft stays as it was given."""
        own = event_pb2.Draft()
        own.CopyFrom(draft)
        own.id = own.id or self._new_id()
        return own

    def meeting(
        self,
        meeting_id: str,
        *,
        attempt: int = 1,
        stages: Sequence[str] = (),
        id_factory: StepIds | None = None,
    ) -> MeetingPublisher:
        """A publisher of one meeting's progress, on topic meeting/<meeting_id>.

        Args:
            meeting_id: of the meeting.
            attempt: counts from 1; a retry of the whole processing raises it.
            stages: all stages in order, for display; at most 32.
            id_factory: the id of each step by its name (see `stable_ids`); None = UUIDv7.
        """
        ids = id_factory or (lambda _step: self._new_id())
        return MeetingPublisher(
            self,
            meeting_id,
            attempt=attempt,
            stages=stages,
            step_ids=ids,
            clock=self._clock,
        )

    # The connection

    @property
    def state(self) -> State:
        """Where the connection stands."""
        return self._open_parts().connection.state

    @property
    def welcome(self) -> frame_pb2.Welcome | None:
        """What the hub said when the last session opened; None = no session yet."""
        return self._open_parts().connection.welcome

    def connection_changes(self) -> AsyncIterator[ConnectionChange]:
        """Every change of `state` from this call on (100 wait at most); ends with the client."""
        return self._open_parts().connection.changes()

    def connect(self) -> None:
        """Open the session now, without waiting for a first subscription."""
        self._open_parts().connection.start()

    async def ping(self) -> float:
        """One round trip on the session, in seconds.

        Raises:
            NetworkError: when not connected, or without an answer.
        """
        return await self._open_parts().connection.ping()

    def stats(self) -> Stats:
        """A copy of the counters."""
        return dataclasses.replace(self._stats)
