"""The connection's table: every input, no way out of closed, always a way to live."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipspeak_realtime.states import TABLE, Effect, Input, State, step

GOOD = (Input.START, Input.TIMER, Input.TOKEN, Input.WELCOME, Input.CAUGHT_UP)


@pytest.mark.parametrize(("state", "happened"), list(itertools.product(State, Input)))
def test_an_input_without_a_row_changes_nothing(state: State, happened: Input):
    following, effect = step(state, happened)
    if (state, happened) not in TABLE:
        assert (following, effect) == (state, Effect.NONE)


@given(st.lists(st.sampled_from(Input)))
def test_nothing_leaves_closed(inputs: list[Input]):
    state = State.CLOSED
    for happened in inputs:
        state, effect = step(state, happened)
        assert (state, effect) == (State.CLOSED, Effect.NONE)


@given(st.lists(st.sampled_from([each for each in Input if each is not Input.CLOSE])))
def test_every_history_reaches_live_once_faults_stop(inputs: list[Input]):
    state = State.IDLE
    for happened in inputs:
        state, _ = step(state, happened)
    for _ in range(len(GOOD)):
        for happened in GOOD:
            state, _ = step(state, happened)
    assert state is State.LIVE


def test_the_way_of_a_good_session():
    state, effects = State.IDLE, []
    for happened in (Input.START, Input.TOKEN, Input.WELCOME, Input.CAUGHT_UP):
        state, effect = step(state, happened)
        effects.append(effect)
    assert state is State.LIVE
    assert effects == [Effect.GET_TOKEN, Effect.OPEN_STREAM, Effect.NONE, Effect.NONE]


def test_every_effect_is_of_some_row():
    assert {effect for _, effect in TABLE.values()} == set(Effect)


@pytest.mark.parametrize("state", [State.CONNECTING, State.SYNCING, State.LIVE])
def test_a_token_refused_twice_needs_a_person(state: State):
    assert step(state, Input.TOKEN_REFUSED) == (State.AUTHENTICATING, Effect.GET_TOKEN)
    assert step(state, Input.TOKEN_REFUSED_AGAIN) == (
        State.NEEDS_AUTH,
        Effect.FAIL_SUBSCRIPTIONS,
    )


@pytest.mark.parametrize("state", [State.CONNECTING, State.SYNCING, State.LIVE])
def test_a_token_that_has_ended_twice_is_waited_for(state: State):
    assert step(state, Input.TOKEN_ENDED_AGAIN) == (State.NEEDS_AUTH, Effect.WAIT)
    assert step(State.NEEDS_AUTH, Input.TIMER) == (State.AUTHENTICATING, Effect.GET_TOKEN)
