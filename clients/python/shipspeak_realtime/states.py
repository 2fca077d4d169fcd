"""The states of the connection, as a table: (state, input) to (next state, effect).

No timers, no I/O: `connection.py` asks the table what an input means and does what the effect
says. An input that a state has no row for changes nothing (a late answer after close, for
example). `closed` has no way out; every other state has a way to `live` once faults stop (tests
hold both).
"""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """Where the connection stands."""

    IDLE = "idle"
    AUTHENTICATING = "authenticating"
    CONNECTING = "connecting"
    SYNCING = "syncing"
    LIVE = "live"
    BACKOFF = "backoff"
    NEEDS_AUTH = "needs-auth"
    FAILED = "failed"
    CLOSED = "closed"


class Input(Enum):
    """What can happen to it."""

    START = "start"
    TOKEN = "token"  # noqa: S105 - the word, not a secret
    TOKEN_FAILED = "token-failed"  # noqa: S105 - as above
    NO_TOKEN = "no-token"  # noqa: S105 - as above
    WELCOME = "welcome"
    CAUGHT_UP = "caught-up"
    BEHIND = "behind"
    LOST = "lost"
    GO_AWAY = "go-away"
    TOKEN_REFUSED = "token-refused"  # noqa: S105 - as above
    TOKEN_REFUSED_AGAIN = "token-refused-again"  # noqa: S105 - as above
    TOKEN_ENDED_AGAIN = "token-ended-again"  # noqa: S105 - as above
    FATAL = "fatal"
    TIMER = "timer"
    CLOSE = "close"


class Effect(Enum):
    """What to do about it."""

    NONE = "none"
    GET_TOKEN = "get-token"  # noqa: S105 - as above
    OPEN_STREAM = "open-stream"
    WAIT = "wait"
    FAIL_SUBSCRIPTIONS = "fail-subscriptions"
    STOP = "stop"


_WITH_STREAM = (State.CONNECTING, State.SYNCING, State.LIVE)
_RUNNING = (State.AUTHENTICATING, *_WITH_STREAM, State.BACKOFF)
_OPEN = tuple(state for state in State if state is not State.CLOSED)

TABLE: dict[tuple[State, Input], tuple[State, Effect]] = {
    **{
        (state, Input.START): (State.AUTHENTICATING, Effect.GET_TOKEN)
        for state in (State.IDLE, State.NEEDS_AUTH, State.FAILED)
    },
    (State.AUTHENTICATING, Input.TOKEN): (State.CONNECTING, Effect.OPEN_STREAM),
    (State.AUTHENTICATING, Input.TOKEN_FAILED): (State.BACKOFF, Effect.WAIT),
    (State.AUTHENTICATING, Input.NO_TOKEN): (State.NEEDS_AUTH, Effect.FAIL_SUBSCRIPTIONS),
    (State.CONNECTING, Input.WELCOME): (State.SYNCING, Effect.NONE),
    (State.SYNCING, Input.CAUGHT_UP): (State.LIVE, Effect.NONE),
    (State.LIVE, Input.BEHIND): (State.SYNCING, Effect.NONE),
    (State.BACKOFF, Input.TIMER): (State.AUTHENTICATING, Effect.GET_TOKEN),
    **{(state, Input.LOST): (State.BACKOFF, Effect.WAIT) for state in _WITH_STREAM},
    **{(state, Input.GO_AWAY): (State.BACKOFF, Effect.WAIT) for state in _WITH_STREAM},
    **{
        (state, Input.TOKEN_REFUSED): (State.AUTHENTICATING, Effect.GET_TOKEN)
        for state in _WITH_STREAM
    },
    **{
        (state, Input.TOKEN_REFUSED_AGAIN): (State.NEEDS_AUTH, Effect.FAIL_SUBSCRIPTIONS)
        for state in _WITH_STREAM
    },
    # Time heals it: readers wait, and whoever looks is told what is missing.
    **{(state, Input.TOKEN_ENDED_AGAIN): (State.NEEDS_AUTH, Effect.WAIT) for state in _WITH_STREAM},
    (State.NEEDS_AUTH, Input.TIMER): (State.AUTHENTICATING, Effect.GET_TOKEN),
    **{(state, Input.FATAL): (State.FAILED, Effect.FAIL_SUBSCRIPTIONS) for state in _RUNNING},
    **{(state, Input.CLOSE): (State.CLOSED, Effect.STOP) for state in _OPEN},
}


def step(state: State, happened: Input) -> tuple[State, Effect]:
    """The next state and what to do; an input without a row changes nothing."""
    return TABLE.get((state, happened), (state, Effect.NONE))
