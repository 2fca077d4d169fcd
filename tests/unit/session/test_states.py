"""The table of a session's life is complete and has no way back."""

from __future__ import annotations

from itertools import product

import pytest

from hub.session.states import TRANSITIONS, Effect, Input, State

_ORDER = [State.NEW, State.OPEN, State.DRAINING, State.CLOSED]


@pytest.mark.parametrize(("state", "what"), list(product(State, Input)))
def test_every_input_has_an_answer_in_every_state(state: State, what: Input) -> None:
    target, effect = TRANSITIONS[state, what]
    assert _ORDER.index(target) >= _ORDER.index(state)
    assert isinstance(effect, Effect)


def test_nothing_reopens_a_closed_session() -> None:
    for what in Input:
        target, effect = TRANSITIONS[State.CLOSED, what]
        assert target is State.CLOSED
        assert effect in {Effect.NOTHING, Effect.RELEASE}


def test_no_command_runs_before_hello_and_hello_comes_once() -> None:
    assert TRANSITIONS[State.NEW, Input.COMMAND][1] is Effect.REFUSE_FIRST_FRAME
    for state in (State.OPEN, State.DRAINING):
        assert TRANSITIONS[state, Input.HELLO][1] is Effect.REFUSE_SECOND_HELLO


def test_every_state_but_the_last_can_end() -> None:
    for state in (State.NEW, State.OPEN, State.DRAINING):
        assert TRANSITIONS[state, Input.CLOSE] == (State.CLOSED, Effect.END_STREAM)
        assert TRANSITIONS[state, Input.PEER_GONE] == (State.CLOSED, Effect.RELEASE)
