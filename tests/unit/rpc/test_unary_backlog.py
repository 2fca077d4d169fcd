"""A Listen session whose reader takes nothing cannot be made to gather answers without bound."""

from __future__ import annotations

import pytest

from hub.errors import ResourceExhausted
from hub.session.session import MAX_CONTROL_FRAMES
from hub.session.sink import Caller
from tests.support.fake_sink import FakeSink
from tests.support.listening import UnaryBench, listen_request


async def _flood(bench: UnaryBench, session_id: str) -> None:
    for revision in range(1, 2 * MAX_CONTROL_FRAMES):
        await bench.update(session_id, revision, f"meeting/{revision % 2}")


async def test_updates_are_refused_while_their_answers_are_not_read() -> None:
    bench = UnaryBench()
    sink = FakeSink()
    await bench.listen.open(listen_request(0), Caller(), sink)
    (session,) = bench.sessions
    with pytest.raises(ResourceExhausted) as caught:
        await _flood(bench, session.session_id)
    assert caught.value.reason_name == "RATE_LIMITED"
    assert caught.value.retry_after
    assert session.control_backlog <= MAX_CONTROL_FRAMES + 2
    # A refused revision was not taken: the same set may be sent again once the answers are read.
    refused = session.revision + 1
    sink.take_all()
    await bench.update(session.session_id, refused, "meeting/9")
    sink.take_all()
    assert set(session.subscriptions) == {"meeting/9"}
