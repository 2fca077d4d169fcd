"""How a session ends, and what the connection makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import frame_pb2
from shipspeak_realtime.errors import (
    AuthError,
    ClosedError,
    PermissionDeniedError,
    ProtocolError,
    RealtimeError,
    UnsupportedError,
)
from shipspeak_realtime.states import Input
from shipspeak_realtime.wire import reason_name

if TYPE_CHECKING:
    from shipspeak_realtime.backoff import Backoff

# Refused for what the client is, not for how things are: coming back changes nothing.
_FATAL = (PermissionDeniedError, ProtocolError, UnsupportedError, ClosedError)


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of one session.

    Attributes:
        happened: the input for the state table.
        error: what ended it; None = the hub said go, all is well.
        leave_at: for GO_AWAY: when to come back, by the client's monotonic clock.
    """

    happened: Input
    error: RealtimeError | None = None
    leave_at: float | None = None


def ending_of(error: RealtimeError, *, token_was_refused: bool) -> Ending:
    """The ending for a failed stream.

    Args:
        error: what the stream failed with.
        token_was_refused: whether the session before was refused for its token as well.
    """
    if isinstance(error, AuthError):
        again = Input.TOKEN_REFUSED_AGAIN if token_was_refused else Input.TOKEN_REFUSED
        return Ending(again, error)
    if isinstance(error, _FATAL) and error.retry_after is None:
        return Ending(Input.FATAL, error)
    return Ending(Input.LOST, error)


def ending_of_go_away(frame: frame_pb2.GoAway, leave_at: float) -> Ending:
    """The ending for a GoAway, by its action."""
    reason = reason_name(frame.reason)
    if frame.action == frame_pb2.GO_AWAY_ACTION_REAUTHENTICATE:
        error: RealtimeError = AuthError("the hub asks for a new token", reason=reason)
        return Ending(Input.TOKEN_REFUSED, error)
    if frame.action == frame_pb2.GO_AWAY_ACTION_UPGRADE:
        error = ProtocolError("the hub does not speak this SDK's version: upgrade", reason=reason)
        return Ending(Input.FATAL, error)
    if frame.action == frame_pb2.GO_AWAY_ACTION_STOP:
        return Ending(
            Input.FATAL, ClosedError("the hub told this client to stay away", reason=reason)
        )
    return Ending(Input.GO_AWAY, None, leave_at)


def wait_after(
    ending: Ending, backoff: Backoff, *, live_seconds: float | None, now: float
) -> float:
    """Seconds before the next try."""
    if ending.happened is Input.GO_AWAY:
        return max(0.0, (ending.leave_at or now) - now)
    if ending.error is not None and ending.error.retry_after is not None:
        return backoff.hint(ending.error.retry_after)
    if ending.error is not None and ending.error.code.name == "RESOURCE_EXHAUSTED":
        return backoff.slow()
    return backoff.lost(live_seconds)
