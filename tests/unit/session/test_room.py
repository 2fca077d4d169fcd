"""How many sessions and polls one instance takes."""

from __future__ import annotations

import pytest

from hub.errors import ResourceExhausted, Unavailable
from tests.support.managed_sessions import SessionsBench


def test_a_poll_counts_as_a_session_while_it_lasts() -> None:
    bench = SessionsBench(max_sessions=2)
    bench.open()
    with bench.sessions.poll():
        with pytest.raises(ResourceExhausted):
            bench.open()
        with pytest.raises(ResourceExhausted), bench.sessions.poll():
            pytest.fail("a third one was let in")
    bench.open()


def test_no_poll_begins_while_draining() -> None:
    bench = SessionsBench()
    bench.sessions.draining = True
    with pytest.raises(Unavailable) as caught, bench.sessions.poll():
        pytest.fail("it was let in")
    assert caught.value.reason_name == "DRAINING"
