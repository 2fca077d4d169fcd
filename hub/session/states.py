"""The life of a session as a table: (state, input) -> (next state, effect).

Every pair is here.
"""

from __future__ import annotations

import enum


class State(enum.Enum):
    """Where a session is in its life."""

    NEW = "new"
    OPEN = "open"
    DRAINING = "draining"
    CLOSED = "closed"


class Input(enum.Enum):
    """What can happen to a session."""

    HELLO = "hello"
    COMMAND = "command"
    WELCOMED = "welcomed"
    DRAIN = "drain"
    CLOSE = "close"
    PEER_GONE = "peer gone"


class Effect(enum.Enum):
    """What the shell does about it."""

    NOTHING = "nothing"
    ADMIT = "admit"
    REFUSE_FIRST_FRAME = "refuse: Hello comes first"
    REFUSE_SECOND_HELLO = "refuse: Hello comes once"
    RUN = "run the command"
    SEND_GO_AWAY = "send GoAway"
    END_STREAM = "end the stream"
    RELEASE = "release everything"


TRANSITIONS: dict[tuple[State, Input], tuple[State, Effect]] = {
    (State.NEW, Input.HELLO): (State.NEW, Effect.ADMIT),
    (State.NEW, Input.COMMAND): (State.NEW, Effect.REFUSE_FIRST_FRAME),
    (State.NEW, Input.WELCOMED): (State.OPEN, Effect.NOTHING),
    (State.NEW, Input.DRAIN): (State.CLOSED, Effect.END_STREAM),
    (State.NEW, Input.CLOSE): (State.CLOSED, Effect.END_STREAM),
    (State.NEW, Input.PEER_GONE): (State.CLOSED, Effect.RELEASE),
    (State.OPEN, Input.HELLO): (State.OPEN, Effect.REFUSE_SECOND_HELLO),
    (State.OPEN, Input.COMMAND): (State.OPEN, Effect.RUN),
    (State.OPEN, Input.WELCOMED): (State.OPEN, Effect.NOTHING),
    (State.OPEN, Input.DRAIN): (State.DRAINING, Effect.SEND_GO_AWAY),
    (State.OPEN, Input.CLOSE): (State.CLOSED, Effect.END_STREAM),
    (State.OPEN, Input.PEER_GONE): (State.CLOSED, Effect.RELEASE),
    # While draining, what was begun is finished: a publisher still gets its answers.
    (State.DRAINING, Input.HELLO): (State.DRAINING, Effect.REFUSE_SECOND_HELLO),
    (State.DRAINING, Input.COMMAND): (State.DRAINING, Effect.RUN),
    (State.DRAINING, Input.WELCOMED): (State.DRAINING, Effect.NOTHING),
    (State.DRAINING, Input.DRAIN): (State.DRAINING, Effect.NOTHING),
    (State.DRAINING, Input.CLOSE): (State.CLOSED, Effect.END_STREAM),
    (State.DRAINING, Input.PEER_GONE): (State.CLOSED, Effect.RELEASE),
    # A closed session hears nothing any more; frames may still be on their way.
    (State.CLOSED, Input.HELLO): (State.CLOSED, Effect.NOTHING),
    (State.CLOSED, Input.COMMAND): (State.CLOSED, Effect.NOTHING),
    (State.CLOSED, Input.WELCOMED): (State.CLOSED, Effect.NOTHING),
    (State.CLOSED, Input.DRAIN): (State.CLOSED, Effect.NOTHING),
    (State.CLOSED, Input.CLOSE): (State.CLOSED, Effect.NOTHING),
    (State.CLOSED, Input.PEER_GONE): (State.CLOSED, Effect.RELEASE),
}
