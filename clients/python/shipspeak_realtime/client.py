"""The client: the one object that an application makes."""

from __future__ import annotations

import dataclasses
import random as _random
import uuid
from typing import TYPE_CHECKING, Self

from shipspeak_realtime.backoff import Backoff
from shipspeak_realtime.clock import SystemClock
from shipspeak_realtime.connection import Connection
from shipspeak_realtime.durable.open import OpenOutbox
from shipspeak_realtime.face_durable import DurableFace
from shipspeak_realtime.face_pages import PagesFace
from shipspeak_realtime.face_presence import PresenceFace
from shipspeak_realtime.face_product import ProductFace
from shipspeak_realtime.face_publish import PublishFace
from shipspeak_realtime.follow_up import FollowUps
from shipspeak_realtime.ids import IdFactory
from shipspeak_realtime.meeting import MeetingPublisher
from shipspeak_realtime.parts import Parts
from shipspeak_realtime.present import leave_all
from shipspeak_realtime.publish import Publisher
from shipspeak_realtime.session import Identity
from shipspeak_realtime.stats import Stats
from shipspeak_realtime.subscription import QUEUE_EVENTS, Subscription
from shipspeak_realtime.tokens import TokenSource
from shipspeak_realtime.transport import Transport
from shipspeak_realtime.unary import UnaryCalls
from shipspeak_realtime.version import SDK
from shipspeak_realtime.work import ACK_DEADLINE_SECONDS, OUTSTANDING, Work, retry_delay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from datetime import timedelta
    from types import TracebackType

    import grpc

    from shipspeak.realtime.v1 import frame_pb2
    from shipspeak_realtime.changes import ConnectionChange
    from shipspeak_realtime.clock import Clock
    from shipspeak_realtime.durable import SqliteOutbox
    from shipspeak_realtime.meeting import StepIds
    from shipspeak_realtime.start import Start
    from shipspeak_realtime.states import State
    from shipspeak_realtime.tokens import GetToken
    from shipspeak_realtime.verdicts import OnLeftOut, OnVerdict
    from shipspeak_realtime.work import RetryDelay


class RealtimeClient(PublishFace, DurableFace, PagesFace, PresenceFace, ProductFace, FollowUps):
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
        outbox: keeps what `publish_soon` takes; None = there is no `publish_soon`.
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
        outbox: SqliteOutbox | None = None,
        clock: Clock | None = None,
        random: Callable[[], float] = _random.random,
        id_factory: Callable[[], str] | None = None,
    ) -> None:
        self.server = server
        self._token, self._credentials = token, credentials
        self._identity = Identity(client_id or uuid.uuid4().hex, device_id, SDK)
        self._outbox = outbox
        self._clock = clock or SystemClock()
        self._random = random
        self._new_id = id_factory or IdFactory(self._clock.now)
        self._stats = Stats()
        self._parts = None

    async def __aenter__(self) -> Self:
        """Make the channel and open the outbox; connects with the first call or subscription.

        Raises:
            OutboxError: its file cannot be opened.
        """
        if self._outbox is not None:
            await self._outbox.open()
        transport = Transport(self.server, self._credentials)
        tokens = TokenSource(self._token)
        calls = UnaryCalls(transport, tokens)
        publisher = Publisher(calls, self._clock, self._stats, self._random)
        outbox = self._outbox
        durable = OpenOutbox(outbox, publisher, self._clock) if outbox is not None else None
        self._parts = Parts(
            transport,
            calls,
            publisher,
            Connection(
                transport,
                tokens,
                self._identity,
                stats=self._stats,
                clock=self._clock,
                backoff=Backoff(self._random),
            ),
            durable,
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
            durable = self._parts.durable
            if durable is not None:
                await durable.stop()
            await leave_all(self._parts.connection, self._parts.calls)
            await self._parts.connection.close()
            await self._parts.publisher.close()
            if durable is not None:
                await durable.close()
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

    # Publishing

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
