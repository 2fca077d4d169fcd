"""From Hello to Welcome: version first, then the contract's rules, then the token."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from hub.errors import Unauthenticated
from hub.rpc.decode import PROTOCOL_VERSION
from hub.session.frames import duration, timestamp
from hub.session.states import Input
from hub.session.window import ByteWindow
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.auth.grants import Principal
    from hub.auth.tokens import Authenticator
    from hub.rpc.connection import Connection, Connections
    from hub.session.manager import Sessions
    from hub.session.session import Session
    from hub.session.sink import Caller
    from hub.settings import Settings
    from hub.telemetry.metrics import Metrics

_BEARER = "bearer "
_MIN_WINDOW = 65_536


def token_of(caller: Caller, hello_token: str = "") -> str:
    """The call's token: from ``authorization: Bearer`` (RFC 6750 section 2.1), or from Hello.

    Raises:
        Unauthenticated: TOKEN_MALFORMED when the metadata has another scheme.
    """
    header = caller.metadata.get("authorization", "")
    if not header:
        return hello_token
    if not header.lower().startswith(_BEARER):
        raise Unauthenticated(
            reasons.ERROR_REASON_TOKEN_MALFORMED, "the authorization metadata is not `Bearer <JWT>`"
        )
    return header[len(_BEARER) :].strip()


class Renewed(Protocol):
    """What holds something of a session by a right."""

    def renew(self, session: Session, principal: Principal) -> None:
        """A new token: end what it does not allow."""


class Admission:
    """Opens sessions.

    Args:
        settings: limits, heartbeat, window.
        authenticator: tokens to principals.
        sessions: all sessions.
        connections: all connections.
        renewed: end what a new token does not allow.
        metrics: counted by transport.
        instance: name of this instance.
    """

    def __init__(
        self,
        settings: Settings,
        authenticator: Authenticator,
        sessions: Sessions,
        connections: Connections,
        renewed: Sequence[Renewed],
        metrics: Metrics,
        instance: str,
    ) -> None:
        self._settings = settings
        self._authenticator = authenticator
        self._sessions = sessions
        self._connections = connections
        self._renewed = renewed
        self._metrics = metrics
        self._instance = instance

    def principal(self, caller: Caller, hello_token: str = "") -> Principal:
        """Who calls. Raises: Unauthenticated."""
        return self._authenticator.authenticate(token_of(caller, hello_token), caller.certificate)

    def welcome(self, connection: Connection, hello: frame_pb2.Hello, now: float) -> None:
        """Admit a session whose Hello has been checked, and queue its Welcome.

        Raises:
            Unauthenticated: the token is refused.
            ResourceExhausted: CONNECTION_LIMIT: of its user.
        """
        session = connection.session
        principal = self.principal(session.caller, hello.token)
        connection.principal = principal
        self._connections.add(connection)
        connection.device = hello.device_id
        connection.client_id = hello.client_id
        connection.sdk = hello.sdk
        session.rights_until = principal.expires_at
        asked = hello.window_bytes
        session.window = ByteWindow(
            max(_MIN_WINDOW, min(asked, self._settings.window_bytes)) if asked else 0
        )
        # Nobody asks for them again, and a token is not kept for longer than it is needed.
        session.caller = replace(session.caller, metadata={})
        session.apply(Input.WELCOMED)
        self._sessions.opened(session)
        self._metrics.opened.labels(session.caller.transport).inc()
        self._metrics.transports.stepped(hello, session.caller.transport)
        session.send_control(self._welcome_frame(connection, now))

    def polled(self, hello: frame_pb2.Hello, taken: str, size: int) -> None:
        """Count an answered poll of so many bytes, of a client that took this transport."""
        self._metrics.transports.stepped(hello, taken)
        self._metrics.transports.of(taken).bytes += size

    def refresh(self, connection: Connection, token: str) -> Principal:
        """Take a new token of a connection: its rights go on, or end where the token lacks them.

        Raises:
            Unauthenticated: the token is refused, or is another principal's (PRINCIPAL_MISMATCH).
        """
        principal = self._authenticator.authenticate(token)
        if principal.subject != connection.principal.subject:
            raise Unauthenticated(
                reasons.ERROR_REASON_PRINCIPAL_MISMATCH,
                "the new token is another user's; open a new session for it",
            )
        return self._renew(connection, principal)

    def refresh_session(self, session_id: str, token: str) -> Principal:
        """Take a new token of a session by its id; the token also says who calls.

        Raises:
            Unauthenticated: the token is refused.
            NotFound: SESSION_UNKNOWN, also for another principal's session.
        """
        principal = self._authenticator.authenticate(token)
        return self._renew(self._connections.owned_by(session_id, principal.subject), principal)

    def _renew(self, connection: Connection, principal: Principal) -> Principal:
        connection.principal = principal
        for renewed in self._renewed:
            renewed.renew(connection.session, principal)
        return principal

    def _welcome_frame(self, connection: Connection, now: float) -> bytes:
        settings = self._settings
        welcome = frame_pb2.Welcome(
            session_id=connection.session.session_id,
            instance=self._instance,
            protocol_version=PROTOCOL_VERSION,
            heartbeat_interval=duration(settings.heartbeat_interval),
            server_time=timestamp(now),
            limits=frame_pb2.Limits(
                max_event_bytes=settings.max_event_bytes,
                max_batch_events=settings.max_batch_events,
                max_batch_bytes=settings.max_batch_bytes,
                max_subscriptions=settings.max_subscriptions,
                idempotency_window=duration(settings.dedup_lifetime),
            ),
            durability=frame_pb2.DURABILITY_LOCAL_FSYNC,
            window_bytes=connection.session.window.size,
            principal=connection.principal.subject,
        )
        return frame_pb2.ServerFrame(welcome=welcome).SerializeToString()


def token_accepted_frame(request_id: int, expires_at: float) -> bytes:
    """ServerFrame{token_accepted}."""
    accepted = frame_pb2.TokenAccepted(request_id=request_id)
    if not math.isinf(expires_at):
        accepted.expires_at.CopyFrom(timestamp(expires_at))
    return frame_pb2.ServerFrame(token_accepted=accepted).SerializeToString()
