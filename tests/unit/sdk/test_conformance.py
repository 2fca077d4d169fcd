"""What errors mean, and the states of a connection: the vectors that every SDK runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import grpc
import pytest

from shipspeak_realtime import (
    AuthError,
    DeadlineError,
    InvalidRequestError,
    NetworkError,
    PermissionDeniedError,
    ProtocolError,
    RealtimeError,
    ServerBusyError,
    ServerError,
    UnsupportedError,
)
from shipspeak_realtime.backoff import Backoff
from shipspeak_realtime.endings import ending_of, wait_after
from shipspeak_realtime.states import Effect, Input, State, step
from shipspeak_realtime.wire import build

VECTORS = Path("tests/conformance/vectors")
ERRORS = json.loads((VECTORS / "errors.json").read_text())
TRACES = json.loads((VECTORS / "states.json").read_text())

# What this SDK raises for a kind of the vectors.
CLASSES: dict[str, type[RealtimeError]] = {
    "network": NetworkError,
    "timeout": DeadlineError,
    "auth": AuthError,
    "permission": PermissionDeniedError,
    "busy": ServerBusyError,
    "server": ServerError,
    "protocol": ProtocolError,
    "unsupported": UnsupportedError,
    "feature": UnsupportedError,
    "refused": InvalidRequestError,
}
# There is one way to the hub here: where a browser takes the next one, this SDK stops.
AFTER = {
    "again": Input.LOST,
    "token": Input.TOKEN_REFUSED,
    "stop": Input.FATAL,
    "step_down": Input.FATAL,
}
DOES = {
    Effect.NONE: None,
    Effect.GET_TOKEN: "get-token",
    Effect.OPEN_STREAM: "open",
    Effect.WAIT: "wait",
    Effect.FAIL_SUBSCRIPTIONS: "stop",
    Effect.STOP: "stop",
}
LOSSES: dict[str, RealtimeError] = {
    "lost": NetworkError("lost"),
    "token-refused": AuthError("refused"),
    "fatal": PermissionDeniedError("no right"),
}


@pytest.mark.parametrize("case", ERRORS["statuses"], ids=lambda case: case["name"])
def test_what_an_error_means(case: dict[str, Any]):
    hint = case.get("retry_after_ms")
    retry_after = None if hint is None else hint / 1000
    code = getattr(grpc.StatusCode, case["code"])
    error = build(code, case.get("reason", ""), "", retry_after=retry_after)
    assert type(error) is CLASSES[case["kind"]]
    if case["session"] is None:
        return
    ending = ending_of(error, token_was_refused=False)
    assert ending.happened is AFTER[case["session"]]
    if retry_after is not None:
        assert wait_after(ending, Backoff(lambda: 0.0), live_seconds=None, now=0.0) == retry_after


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace["name"])
def test_the_states_of_a_connection(trace: dict[str, Any]):
    state, refused = State.IDLE, False
    for expected in trace["steps"]:
        name = expected["input"]
        if name in LOSSES:
            happened = ending_of(LOSSES[name], token_was_refused=refused).happened
            refused = happened is Input.TOKEN_REFUSED
        else:
            happened = Input(name)
            refused = refused and happened is not Input.WELCOME
        state, effect = step(state, happened)
        assert (name, state.value, DOES[effect]) == (name, expected["state"], expected["does"])
