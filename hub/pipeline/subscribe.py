"""Subscribe: check rights, judge the position, answer with a verdict, begin to deliver."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.engine.contract import Engine, TopicHead, Verdict
from hub.errors import (
    AlreadyExists,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    Unimplemented,
)
from hub.fanout.notice import subscribed_frame
from hub.model.cursor import Cursor, decode_cursor, encode_cursor
from hub.pipeline.verdict import WIRE_VERDICTS
from hub.session.frames import unsubscribed_frame
from hub.session.position import Subscription
from hub.session.states import State
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2, frame_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.auth.grants import Principal
    from hub.fanout.registry import TopicRegistry
    from hub.fanout.topic import LiveTopic
    from hub.session.session import Session
    from hub.telemetry.metrics import Metrics
    from hub.topics.namespaces import Namespaces


@dataclass(frozen=True, slots=True)
class Begin:
    """Where a reader begins.

    Attributes:
        live: the topic.
        verdict: as on the wire.
        position: offset after which reading begins.
        cursor: resume token of ``position``.
        state: the topic's log.
        lost: upper bound of the events lost.
    """

    live: LiveTopic
    verdict: frame_pb2.Verdict.ValueType
    position: int
    cursor: bytes
    state: TopicHead
    lost: int | None = None

    def frame(self, request_id: int = 0) -> bytes:
        """The answer."""
        return subscribed_frame(
            self.live.name,
            self.state,
            self.verdict,
            position=self.position,
            cursor=self.cursor,
            request_id=request_id,
            lost=self.lost,
        )


class Subscriber:
    """Starts and ends subscriptions.

    Args:
        engine: judges cursors.
        registry: live topics.
        namespaces: policies.
        metrics: counted by verdict.
        max_subscriptions: of one session.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        engine: Engine,
        registry: TopicRegistry,
        namespaces: Namespaces,
        metrics: Metrics,
        *,
        max_subscriptions: int,
        clock: Callable[[], float],
    ) -> None:
        self._engine = engine
        self._registry = registry
        self._namespaces = namespaces
        self._metrics = metrics
        self._max = max_subscriptions
        self._clock = clock

    async def subscribe(
        self,
        session: Session,
        principal: Callable[[], Principal],
        request: frame_pb2.Subscribe,
        request_id: int = 0,
    ) -> None:
        """Begin to deliver a topic to a session; the answer is a Subscribed frame on its stream.

        Args:
            session: gets the topic.
            principal: gives the session's principal now; asked again once the topic is open, since
                a refresh may have come meanwhile.
            request: validated.
            request_id: of the frame, for the answer.

        Raises:
            HubError: the topic, the right or the start is refused; the session goes on.
        """
        self._check_room(session, request.topic)
        begin = await self.begin(principal(), request)
        if session.state is State.CLOSED:
            return
        principal().require("subscribe", request.topic)
        self._check_room(session, request.topic)
        live = begin.live
        # Before the answer: whoever is told Subscribed must get what follows.
        self._registry.require(live)
        slot = live.ring.next_slot if live.volatile else live.ring.slot_after(begin.position)
        subscription = Subscription(
            session,
            live,
            epoch=begin.state.epoch,
            offset=begin.position,
            slot=slot,
            rights_until=math.inf,
            conflate=request.conflate,
        )
        self._metrics.subscribes.labels(frame_pb2.Verdict.Name(begin.verdict)).inc()
        session.send_control(begin.frame(request_id))
        self._registry.subscribe(live, subscription)

    def unsubscribe(self, session: Session, topic: str, request_id: int = 0) -> None:
        """Stop delivering a topic; the answer is an Unsubscribed frame.

        Raises:
            NotFound: NOT_SUBSCRIBED.
        """
        if not self._registry.unsubscribe(session, topic):
            raise NotFound(
                reasons.ERROR_REASON_NOT_SUBSCRIBED,
                f"the session is not subscribed to {topic}",
                topic=topic,
            )
        session.send_control(unsubscribed_frame(topic, request_id=request_id))

    def renew(self, session: Session, principal: Principal) -> None:
        """The session has a new token: end what it does not allow any more, and go on (G10)."""
        for topic in tuple(session.subscriptions):
            try:
                principal.require("subscribe", topic)
            except PermissionDenied as error:
                self._registry.unsubscribe(session, topic)
                session.send_control(unsubscribed_frame(topic, error=error))
        session.renew(principal.expires_at)

    async def begin(self, principal: Principal, request: frame_pb2.Subscribe) -> Begin:
        """Open the topic and find where this reader begins.

        Raises:
            HubError: TOPIC_INVALID, NAMESPACE_UNKNOWN, RIGHT_MISSING, CURSOR_INVALID,
                FEATURE_UNAVAILABLE, CONFLATION_NOT_ALLOWED or SHARD_UNAVAILABLE.
        """
        topic = request.topic
        namespace = self._namespaces.of(topic)
        principal.require("subscribe", topic)
        if request.conflate and not namespace.conflation:
            raise InvalidArgument(
                reasons.ERROR_REASON_CONFLATION_NOT_ALLOWED,
                f"{namespace.name} topics are never conflated; subscribe without conflate",
                topic=topic,
            )
        self._refuse_unavailable(request)
        live = await self._registry.open(topic)
        if live.volatile:
            return Begin(live, frame_pb2.VERDICT_LIVE, 0, b"", TopicHead(0, 0, 0))
        # However long the engine takes to judge, the topic is not let go of meanwhile.
        with live.held():
            return await self._judge(live, request)

    async def _judge(self, live: LiveTopic, request: frame_pb2.Subscribe) -> Begin:
        """Find where a reader of a topic with a log begins."""
        if request.WhichOneof("start") == "position":
            return await self._resume(live, request.position)
        earliest = request.at == frame_pb2.START_EARLIEST
        if earliest:
            state = await self._engine.head(live.name)
            position = state.floor
        else:
            state = TopicHead(live.ring.epoch, live.ring.head, 0)
            position = state.head
        return Begin(
            live, frame_pb2.VERDICT_OK, position, self._cursor(live, position, state), state
        )

    async def _resume(self, live: LiveTopic, position: event_pb2.Position) -> Begin:
        topic, ring = live.name, live.ring
        if not position.cursor:
            raise InvalidArgument(
                reasons.ERROR_REASON_CURSOR_INVALID,
                "the position has no cursor; give one, or name a start",
                topic=topic,
            )
        cursor = decode_cursor(topic, position.cursor)
        if (
            cursor.epoch == ring.epoch
            and cursor.event_id
            and ring.holds(cursor.offset, cursor.event_id)
        ):
            # The ring proves it: a storm of reconnects does not touch the disk.
            state, verdict, at, lost = (
                TopicHead(ring.epoch, ring.head, 0),
                Verdict.OK,
                cursor.offset,
                None,
            )
        else:
            resume = await self._engine.resume(topic, cursor)
            state, verdict, at, lost = resume.state, resume.verdict, resume.position, resume.lost
        if verdict is Verdict.OK:
            # What the client has handled inside a run counts, as far as it can be true.
            at = max(at, min(position.handled_offset, state.head))
        token = (
            position.cursor
            if at == cursor.offset and verdict is Verdict.OK
            else self._cursor(live, at, state)
        )
        return Begin(live, WIRE_VERDICTS[verdict], at, token, state, lost)

    def _cursor(self, live: LiveTopic, offset: int, state: TopicHead) -> bytes:
        event_id = state.floor_id if offset == state.floor else ""
        return encode_cursor(
            live.name,
            Cursor(
                live.ring.epoch,
                offset,
                event_id or live.ring.id_at(offset),
                int(self._clock() * 1000),
            ),
        )

    def _refuse_unavailable(self, request: frame_pb2.Subscribe) -> None:
        start = request.WhichOneof("start")
        feature = ""
        if request.presence:
            feature = "presence"
        elif request.grant:
            feature = "grant"
        elif start == "last":
            feature = "last"
        elif start == "at" and request.at == frame_pb2.START_SNAPSHOT:
            feature = "SNAPSHOT"
        if feature:
            raise Unimplemented(
                reasons.ERROR_REASON_FEATURE_UNAVAILABLE,
                f"this hub does not offer {feature} on Subscribe yet; "
                "begin with a cursor, LATEST or EARLIEST",
                topic=request.topic,
                feature=feature,
            )

    def _check_room(self, session: Session, topic: str) -> None:
        if topic in session.subscriptions:
            raise AlreadyExists(
                reasons.ERROR_REASON_ALREADY_SUBSCRIBED,
                f"the session is already subscribed to {topic}",
                topic=topic,
            )
        self.check_number(len(session.subscriptions) + 1, topic)

    def check_number(self, subscriptions: int, topic: str = "") -> None:
        """Check how many subscriptions one session, or one poll, would have.

        Raises:
            ResourceExhausted: SUBSCRIPTION_LIMIT.
        """
        if subscriptions > self._max:
            raise ResourceExhausted(
                reasons.ERROR_REASON_SUBSCRIPTION_LIMIT,
                f"a session has {self._max} subscriptions at most; unsubscribe from something",
                topic=topic,
                max=self._max,
            )
