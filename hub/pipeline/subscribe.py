"""Subscribe: check rights, judge the position, answer with a verdict, begin to deliver."""

from __future__ import annotations

import asyncio
import math
from functools import partial
from typing import TYPE_CHECKING

from hub.errors import (
    AlreadyExists,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
)
from hub.limits.shedding import Work
from hub.pipeline.starts import Starts
from hub.session.frames import unsubscribed_frame
from hub.session.position import Subscription
from hub.session.states import State
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.auth.grants import Principal, TopicGrant
    from hub.auth.topic_grants import TopicGrants
    from hub.engine.contract import Engine
    from hub.fanout.registry import TopicRegistry
    from hub.limits.rates import Rates
    from hub.pipeline.presence import PresenceDesk
    from hub.pipeline.starts import Begin
    from hub.session.session import Session
    from hub.telemetry.metrics import Metrics
    from hub.topics.namespaces import Namespaces


class Subscriber:
    """Starts and ends subscriptions.

    Args:
        engine: judges cursors.
        registry: live topics.
        namespaces: policies.
        grants: judges who may read.
        presence: ends and is watched with subscriptions.
        metrics: counted by verdict.
        max_subscriptions: of one session.
        clock: seconds since the epoch.
        rates: refuse for load; None = nothing is.
    """

    def __init__(
        self,
        engine: Engine,
        registry: TopicRegistry,
        namespaces: Namespaces,
        grants: TopicGrants,
        presence: PresenceDesk,
        metrics: Metrics,
        *,
        max_subscriptions: int,
        clock: Callable[[], float],
        rates: Rates | None = None,
    ) -> None:
        self._rates = rates
        self._starts = Starts(engine, registry, namespaces, grants, clock)
        self._grants = grants
        self._clock = clock
        self._granted: dict[Session, dict[str, TopicGrant]] = {}
        self._asking: dict[tuple[Session, str], asyncio.Task[None]] = {}
        self._registry = registry
        self._presence = presence
        self._metrics = metrics
        self._max = max_subscriptions

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
        if self._rates is not None:
            self._rates.admit(Work.SUBSCRIPTION, request.topic)
        self._check_room(session, request.topic)
        if request.presence:
            self._presence.check_watch(principal(), request.topic)
        begin = await self.begin(principal(), request)
        if session.state is State.CLOSED:
            return
        grant = self.right(principal(), request)
        if request.presence:
            self._presence.check_watch(principal(), request.topic)
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
            rights_until=math.inf if grant is None else grant.expires_at,
            conflate=request.conflate,
        )
        subscription.snapshot_to = begin.snapshot_to
        subscription.on_failed = partial(self._presence.unsubscribed, session, request.topic)
        self._metrics.subscribes.labels(frame_pb2.Verdict.Name(begin.verdict)).inc()
        session.send_control(begin.frame(request_id))
        self._registry.subscribe(live, subscription, begin.purges if not live.volatile else None)
        if grant is not None:
            self._granted.setdefault(session, {})[request.topic] = grant
        if request.presence:
            self._presence.watch(session, request.topic)

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
        self._presence.unsubscribed(session, topic)
        session.send_control(unsubscribed_frame(topic, request_id=request_id))

    def change(self, session: Session, request: frame_pb2.Subscribe) -> None:
        """Let a subscription that goes on be conflated from now on, or not; its place stays.

        Raises:
            InvalidArgument: CONFLATION_NOT_ALLOWED; it goes on as it was.
        """
        subscription = session.subscriptions[request.topic]
        if request.conflate and not subscription.conflate:
            self._starts.check_conflation(request.topic)
        subscription.conflate = request.conflate

    def renew(self, session: Session, principal: Principal) -> None:
        """The session has a new token: end what it does not allow any more, and go on (G10)."""
        for topic in tuple(session.subscriptions):
            try:
                # What a grant of its own allows goes on until that ends.
                if session.subscriptions[topic].rights_until == math.inf:
                    principal.require("subscribe", topic)
                self._presence.check_watcher(session, principal, topic)
            except PermissionDenied as error:
                self._registry.unsubscribe(session, topic)
                self._presence.unsubscribed(session, topic)
                session.send_control(unsubscribed_frame(topic, error=error))
        self._presence.renew(session, principal)
        session.renew(principal.expires_at)

    def right(self, principal: Principal, request: frame_pb2.Subscribe) -> TopicGrant | None:
        """By what a principal may read what it asks for; as ``TopicGrants.right``."""
        return self._grants.right(principal, request.topic, request.grant)

    def end_grants(self) -> None:
        """End what grants allowed that have ended or were revoked; to be called once a second."""
        now = self._clock()
        for session, grants in tuple(self._granted.items()):
            for topic, grant in tuple(grants.items()):
                subscription = session.subscriptions.get(topic)
                if subscription is None or subscription.rights_until == math.inf:
                    del grants[topic]
                elif not self._grants.holds(grant, now):
                    del grants[topic]
                    self._end_grant(session, topic)
                elif self._grants.due(grant, now) and (session, topic) not in self._asking:
                    asking = self._ask_again(session, topic, grant)
                    task = asyncio.get_running_loop().create_task(asking, name=f"ask for {topic}")
                    self._asking[session, topic] = task
            if not grants or session.state is State.CLOSED:
                del self._granted[session]

    def _end_grant(self, session: Session, topic: str) -> None:
        self._registry.unsubscribe(session, topic)
        self._presence.unsubscribed(session, topic)
        session.send_control(unsubscribed_frame(topic, error=_grant_ended(topic)))

    async def _ask_again(self, session: Session, topic: str, grant: TopicGrant) -> None:
        """Let a topic go on for as long as the authorizer allows it now."""
        try:
            renewed = await self._grants.renewed(grant, topic)
        finally:
            del self._asking[session, topic]
        grants = self._granted.get(session, {})
        if grants.get(topic) is not grant or topic not in session.subscriptions:
            return
        if renewed is None:
            del grants[topic]
            self._end_grant(session, topic)
            return
        grants[topic] = renewed
        subscription = session.subscriptions[topic]
        subscription.rights_until = renewed.expires_at
        session.offer(subscription)

    async def prepare(self, principal: Principal, request: frame_pb2.Subscribe) -> None:
        """Have ready what `right` needs."""
        await self._grants.prepare(principal, request.topic, request.grant)

    async def begin(self, principal: Principal, request: frame_pb2.Subscribe) -> Begin:
        """Open the topic and find where this reader begins.

        Raises:
            HubError: as ``Starts.find``.
        """
        return await self._starts.find(principal, request)

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


def _grant_ended(topic: str) -> Unauthenticated:
    return Unauthenticated(
        reasons.ERROR_REASON_TOKEN_EXPIRED,
        "the grant for the topic has ended; subscribe again with a new one",
        topic=topic,
    )
