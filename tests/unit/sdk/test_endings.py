"""How sessions end, and what follows."""

from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration

from shipspeak.realtime.v1 import error_reason_pb2, frame_pb2
from shipspeak_realtime import (
    AuthError,
    NetworkError,
    PermissionDeniedError,
    ProtocolError,
    RealtimeError,
    ServerBusyError,
    ServerError,
)
from shipspeak_realtime.backoff import Backoff
from shipspeak_realtime.endings import Ending, ending_of, ending_of_go_away, wait_after
from shipspeak_realtime.states import Input


@pytest.mark.parametrize(
    ("error", "refused_before", "happened"),
    [
        (NetworkError("x"), False, Input.LOST),
        (ServerError("x"), False, Input.LOST),
        (ServerBusyError("x"), False, Input.LOST),
        (AuthError("x"), False, Input.TOKEN_REFUSED),
        (AuthError("x"), True, Input.TOKEN_REFUSED_AGAIN),
        (ProtocolError("x"), False, Input.FATAL),
        (PermissionDeniedError("x"), False, Input.FATAL),
        (PermissionDeniedError("x", retry_after=1.0), False, Input.LOST),
    ],
    ids=str,
)
def test_errors(error: RealtimeError, refused_before: bool, happened: Input):
    assert ending_of(error, token_was_refused=refused_before) == Ending(happened, error)


@pytest.mark.parametrize(
    ("action", "happened"),
    [
        ("UNSPECIFIED", Input.GO_AWAY),
        ("RESUME", Input.GO_AWAY),
        ("REAUTHENTICATE", Input.TOKEN_REFUSED),
        ("UPGRADE", Input.FATAL),
        ("STOP", Input.FATAL),
    ],
)
def test_go_away_is_obeyed(action: str, happened: Input):
    frame = frame_pb2.GoAway(
        reason=error_reason_pb2.ERROR_REASON_DRAINING,
        action=frame_pb2.GoAwayAction.Value(f"GO_AWAY_ACTION_{action}"),
        within=Duration(seconds=3),
    )
    ending = ending_of_go_away(frame, leave_at=12.0)
    assert ending.happened is happened
    assert ending.leave_at == (12.0 if happened is Input.GO_AWAY else None)
    assert happened is Input.GO_AWAY or (ending.error and ending.error.reason == "DRAINING")


@pytest.mark.parametrize(
    ("ending", "live", "delay"),
    [
        (Ending(Input.GO_AWAY, None, 102.5), 60.0, 2.5),
        (Ending(Input.GO_AWAY, None, 90.0), 60.0, 0.0),
        (Ending(Input.LOST, NetworkError("x")), 60.0, 1.0),
        (Ending(Input.LOST, NetworkError("x")), 1.0, 0.75),
        (Ending(Input.LOST, NetworkError("x")), None, 0.75),
        (Ending(Input.LOST, ServerBusyError("x")), None, 6.0),
        (Ending(Input.LOST, ServerBusyError("x", retry_after=4.0)), None, 5.8),
    ],
)
def test_the_wait(ending: Ending, live: float | None, delay: float):
    wait = wait_after(ending, Backoff(lambda: 1.0), live_seconds=live, now=100.0)
    assert wait == pytest.approx(delay)
