"""The connection manager: all sessions of this instance, their heartbeats, expiry and end."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from typing import TYPE_CHECKING, Protocol

import structlog

from hub.errors import ResourceExhausted, Unauthenticated, Unavailable, draining_error, fault
from hub.session import frames
from hub.session.session import Session
from hub.session.states import State
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hub.session.sink import Caller, FrameSink

log = structlog.get_logger(__name__)

# A peer silent for this many heartbeats is dead (G11).
SILENT_HEARTBEATS = 2.5
# The end of a token is announced this long before, but not before its last third.
EXPIRY_NOTICE_SECONDS = 60.0
EXPIRY_NOTICE_SHARE = 1 / 3
# Two ticks, so that the end of the shortest token is announced at all.
LEAST_EXPIRY_NOTICE_SECONDS = 2.0
# A closed session whose transport takes nothing any more is cut off after this.
STALLED_SECONDS = 5.0


class Completeness(Protocol):
    """Tells how far the sessions' topics are known to be complete."""

    def complete_as_of_ms(self) -> int:
        """Everything stored before this time has been handed to the fan-out."""


class Sessions:
    """All sessions.

    Args:
        clock: seconds since the epoch.
        completeness: asked once per tick.
        heartbeat_interval: seconds.
        max_sessions: more are refused; a poll under way counts as one.
        on_closed: releases a session's subscriptions; called once per session.
        new_id: names a session; where several instances live it begins with this one's name.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        completeness: Completeness,
        *,
        heartbeat_interval: float,
        max_sessions: int,
        on_closed: Callable[[Session], None],
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._clock = clock
        self._completeness = completeness
        self._interval = heartbeat_interval
        self._max = max_sessions
        self._release = on_closed
        self._new_id = new_id
        self._sessions: dict[str, Session] = {}
        self._ending: dict[Session, float] = {}
        self._polls = 0
        self.draining = False
        self._all_gone = asyncio.Event()

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[Session]:
        return iter(tuple(self._sessions.values()))

    def create(self, caller: Caller, sink: FrameSink) -> Session:
        """A new session, before its Hello.

        Raises:
            Unavailable: DRAINING.
            ResourceExhausted: CONNECTION_LIMIT.
        """
        self._check_room()
        session = Session(self._new_id(), caller, sink, self._clock, self._on_closed)
        self._sessions[session.session_id] = session
        return session

    @contextlib.contextmanager
    def poll(self) -> Iterator[None]:
        """Count a poll as a session for as long as it is under way.

        Raises:
            Unavailable: DRAINING.
            ResourceExhausted: CONNECTION_LIMIT.
        """
        self._check_room()
        self._polls += 1
        try:
            yield
        finally:
            self._polls -= 1

    def _check_room(self) -> None:
        if self.draining:
            raise draining_error()
        if len(self._sessions) + self._polls >= self._max:
            raise ResourceExhausted(
                reasons.ERROR_REASON_CONNECTION_LIMIT,
                f"this instance has its {self._max} sessions; try another one",
                retry_after=5.0,
            )

    def opened(self, session: Session) -> None:
        """The session was welcomed: its heartbeats begin."""
        session.next_heartbeat = self._clock() + self._interval

    def tick(self) -> None:
        """Heartbeats, silent peers and expiry; to be called about once a second."""
        now = self._clock()
        now_ms = int(now * 1000)
        as_of = self._completeness.complete_as_of_ms()
        complete = frames.heartbeat_frame(now_ms, as_of)
        lagging = frames.heartbeat_frame(now_ms, None)
        for session in self:
            try:
                if self._keep(session, now) and now >= session.next_heartbeat:
                    session.next_heartbeat = now + self._interval
                    # A stalled reader must not gather heartbeats for as long as it stalls.
                    if not session.control_backlog:
                        session.send_control(lagging if session.lagging() else complete)
            except Exception:
                # One session's fault must not cost the others their heartbeats.
                log.exception("session_failed", session=session.session_id)
                session.abort(fault())
        self._cut_off(now)

    def _keep(self, session: Session, now: float) -> bool:
        """Close a session that is silent or has expired; whether it goes on."""
        silent_since = session.opened_at if session.state is State.NEW else session.last_heard
        watched = session.window.size or session.must_live or session.state is State.NEW
        if watched and now - silent_since > SILENT_HEARTBEATS * self._interval:
            session.close(_silent_error(now - silent_since), lost=True)
            return False
        if now >= session.rights_until:
            self._expire(session)
            return False
        self._notify_expiry(session, now)
        return True

    def _cut_off(self, now: float) -> None:
        for session, since in tuple(self._ending.items()):
            if session.ended:
                del self._ending[session]
            elif now - since >= STALLED_SECONDS:
                del self._ending[session]
                session.abort(None)

    def _notify_expiry(self, session: Session, now: float) -> None:
        if session.expiry_told:
            return
        # A client refreshes when it is told: a short token told too early would never rest.
        lifetime = session.rights_until - session.rights_since
        notice = max(LEAST_EXPIRY_NOTICE_SECONDS, lifetime * EXPIRY_NOTICE_SHARE)
        if session.rights_until - now > min(EXPIRY_NOTICE_SECONDS, notice):
            return
        session.expiry_told = True
        expiring = frame_pb2.SessionExpiring(at=frames.timestamp(session.rights_until))
        session.send_control(frame_pb2.ServerFrame(session_expiring=expiring).SerializeToString())

    def _expire(self, session: Session) -> None:
        error = Unauthenticated(
            reasons.ERROR_REASON_SESSION_EXPIRED,
            "the session's token has ended; connect again with a new one",
        )
        go_away = frames.go_away_frame(error.reason, frame_pb2.GO_AWAY_ACTION_REAUTHENTICATE, 0)
        session.close(error, [go_away])

    async def drain(self, spread: float, grace: float) -> None:
        """Tell every client to go, wait until they have gone, then end the streams that are left.

        Args:
            spread: seconds that the clients spread their return over.
            grace: seconds that are waited beyond the spread; less when all have gone before.
        """
        self.draining = True
        log.info("draining", sessions=len(self), spread_seconds=spread, grace_seconds=grace)
        for session in self:
            if session.state is State.NEW:
                session.close(draining_error())
            session.go_away(reasons.ERROR_REASON_DRAINING, frame_pb2.GO_AWAY_ACTION_RESUME, spread)
        if self._sessions:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(spread + grace):
                    await self._all_gone.wait()
        for session in self:
            session.close(draining_error())

    def close_all(self, *transports: str) -> None:
        """End all sessions on some transports; their clients come back."""
        for session in self:
            if session.caller.transport in transports:
                session.close(draining_error())

    def _on_closed(self, session: Session) -> None:
        self._sessions.pop(session.session_id, None)
        if not session.ended:
            self._ending[session] = self._clock()
        if self.draining and not self._sessions:
            self._all_gone.set()
        self._release(session)


def _silent_error(seconds: float) -> Unavailable:
    return Unavailable(
        reasons.ERROR_REASON_HEARTBEAT_MISSED,
        f"nothing was heard from the client for {seconds:.0f} s; "
        "send Window or Touch each heartbeat",
        retry_after=0.0,
    )
