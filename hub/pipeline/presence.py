"""Presence: check rights, keep the room's leases and watchers, and its time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from hub.errors import (
    HubError,
    InvalidArgument,
    PermissionDenied,
    ResourceExhausted,
    unsafe_text_error,
)
from hub.model.text import unsafe_field
from hub.presence.member import Holder, Lease, MemberKey
from hub.presence.room import GRACE_SECONDS, PresenceRoom
from hub.session.frames import error_frame
from hub.session.manager import SILENT_HEARTBEATS
from hub.session.states import State
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.auth.grants import Principal
    from hub.limits.rates import Rates
    from hub.session.session import Session
    from hub.topics.namespaces import Namespaces

log = structlog.get_logger(__name__)

# Topics in which one session can be present.
MAX_TOPICS = 100
PAGE_MEMBERS = 100
_TOKEN_CHARACTERS = 32
_LIVE_FOR = "presence"


class PresenceDesk:
    """Who may set and see presence, and when a session's presence ends.

    Args:
        namespaces: policies.
        instance: name of this instance.
        heartbeat_interval: seconds.
        clock: seconds since the epoch.
        rates: how often a session may change what it says.
        room: has the presence of all topics; None = this instance is alone.
    """

    def __init__(
        self,
        namespaces: Namespaces,
        instance: str,
        heartbeat_interval: float,
        clock: Callable[[], float],
        rates: Rates,
        room: PresenceRoom | None = None,
    ) -> None:
        self._rates = rates
        self._namespaces = namespaces
        self._instance = instance
        self._silence = SILENT_HEARTBEATS * heartbeat_interval
        self._clock = clock
        self._room = PresenceRoom(clock) if room is None else room
        self._room.on_moved = self._arm
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0

    # What a session says of itself

    def set(
        self,
        session: Session,
        principal: Principal,
        client_id: str,
        request: frame_pb2.SetPresence,
    ) -> None:
        """Take a session's presence in a topic; OFFLINE leaves at once.

        Args:
            session: whose it is; from now on its silence ends it, whatever its window.
            principal: must have the ``presence`` right on the topic.
            client_id: of its Hello; empty = the session's id stands for it.
            request: validated.

        Raises:
            HubError: TOPIC_INVALID, NAMESPACE_UNKNOWN, PRESENCE_NOT_ALLOWED, RIGHT_MISSING,
                TEXT_UNSAFE, SUBSCRIPTION_LIMIT, or RATE_LIMITED for too many changes; to leave,
                and to repeat what was said, is free.
        """
        topic = request.topic
        self._namespaces.require_presence(topic)
        principal.require("presence", topic)
        if field := unsafe_field(request):
            raise unsafe_text_error(field, topic)
        holder = self._holder(session)
        if session.state is State.CLOSED:
            return
        if request.state == frame_pb2.PRESENCE_STATE_OFFLINE:
            self._leave(session, topic)
            return
        held = self._room.held(holder)
        if topic not in held and len(held) >= MAX_TOPICS:
            raise ResourceExhausted(
                reasons.ERROR_REASON_SUBSCRIPTION_LIMIT,
                f"a session is present in {MAX_TOPICS} topics at most; leave one",
                topic=topic,
                max=MAX_TOPICS,
            )
        lease = Lease(
            holder,
            MemberKey(principal.subject, client_id or session.session_id),
            request.state or frame_pb2.PRESENCE_STATE_ONLINE,
            tuple(sorted(request.metadata.items())),
            int(self._clock() * 1000),
        )
        if not self._room.says(topic, lease):
            self._rates.presence(session.session_id, topic)
        session.live_for.add(_LIVE_FOR)
        self._room.put(topic, lease)
        self._arm()

    def _leave(self, session: Session, topic: str) -> None:
        holder = self._holder(session)
        self._room.leave(topic, holder)
        if not self._room.holds(holder):
            session.live_for.discard(_LIVE_FOR)
        self._arm()

    # Who watches

    def check_watch(self, principal: Principal, topic: str) -> None:
        """Check that a topic's presence may be seen: by who may both read it and see presence.

        Raises:
            HubError: TOPIC_INVALID, NAMESPACE_UNKNOWN, PRESENCE_NOT_ALLOWED or RIGHT_MISSING.
        """
        self._namespaces.require_presence(topic)
        principal.require("subscribe", topic)
        principal.require("presence", topic)

    def watch(self, session: Session, topic: str) -> None:
        """Send a topic's presence to a session that may see it: the full state, then changes."""
        self._room.watch(topic, session)
        self._arm()

    def change(self, session: Session, principal: Principal, topic: str, *, wanted: bool) -> None:
        """A subscription that goes on wants the topic's presence from now on, or no more.

        Raises:
            HubError: as ``check_watch``.
        """
        if wanted == (topic in self._room.watched(session.session_id)):
            return
        if wanted:
            self.check_watch(principal, topic)
            self.watch(session, topic)
        else:
            self._room.unwatch(topic, session.session_id)

    # How it ends

    def unsubscribed(self, session: Session, topic: str) -> None:
        """A session reads the topic no more: it has left it, and watches it no more."""
        self._room.unwatch(topic, session.session_id)
        self._leave(session, topic)

    def check_watcher(self, session: Session, principal: Principal, topic: str) -> None:
        """Check that a session may go on to see a topic's presence, where it does.

        Raises:
            PermissionDenied: RIGHT_MISSING.
        """
        if topic in self._room.watched(session.session_id):
            principal.require("presence", topic)

    def renew(self, session: Session, principal: Principal) -> None:
        """The session has a new token: leave what it does not allow any more, and say so (G10).

        It also watches no more what it may not see. Subscriptions end with what they watch; this
        asks the room itself, so that nothing is told by an oversight elsewhere.
        """
        for topic in self._room.watched(session.session_id):
            try:
                self.check_watch(principal, topic)
            except HubError as error:
                self._room.unwatch(topic, session.session_id)
                session.send_control(error_frame(error, topic=topic))
        for topic in self._room.held(self._holder(session)):
            try:
                principal.require("presence", topic)
            except PermissionDenied as error:
                self._leave(session, topic)
                session.send_control(error_frame(error, topic=topic))

    def release(self, session: Session) -> None:
        """A session has ended: of its own will at once, else after a grace to come back in.

        The grace never outlasts the time in which a silent peer is noticed.
        """
        for topic in self._room.watched(session.session_id):
            self._room.unwatch(topic, session.session_id)
        grace_until = min(self._clock() + GRACE_SECONDS, session.last_heard + self._silence)
        self._room.end(self._holder(session), 0.0 if session.left else grace_until)
        self._rates.session_ended(session.session_id)
        self._arm()

    # Reading

    def read(
        self, request: realtime_service_pb2.ReadPresenceRequest, principal: Principal
    ) -> realtime_service_pb2.ReadPresenceResponse:
        """Answer ReadPresence.

        Raises:
            HubError: as ``check_watch``; FIELD_INVALID for a token that is not one of a page.
        """
        self.check_watch(principal, request.topic)
        if request.page and len(request.page) != _TOKEN_CHARACTERS:
            raise InvalidArgument(
                reasons.ERROR_REASON_FIELD_INVALID,
                "page is not a token of ReadPresence; begin with an empty one",
                topic=request.topic,
                field="page",
            )
        sessions, users = self._room.counts(request.topic)
        answer = realtime_service_pb2.ReadPresenceResponse(sessions=sessions, users=users)
        if not request.counts_only:
            members, answer.next_page = self._room.page(request.topic, request.page, PAGE_MEMBERS)
            answer.members.extend(member.message() for member in members)
        return answer

    # Time

    def _holder(self, session: Session) -> Holder:
        return Holder(self._instance, session.session_id)

    def _arm(self) -> None:
        due = self._room.next_due
        if due is None or (self._timer is not None and self._timer_due <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = due
        wait = max(0.0, due - self._clock())
        self._timer = asyncio.get_running_loop().call_later(wait, self._advance)

    def _advance(self) -> None:
        self._timer = None
        try:
            self._room.advance()
        except Exception:
            # One topic's fault must not end the presence of all.
            log.exception("presence_failed")
        self._arm()
