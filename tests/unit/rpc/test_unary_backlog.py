"""A Listen session whose reader takes nothing cannot be made to gather answers without bound."""

from __future__ import annotations

from typing import Any, cast

import pytest

from hub.errors import ResourceExhausted
from hub.rpc.unary import UnaryMethods
from hub.session.session import MAX_CONTROL_FRAMES
from hub.session.sink import Caller
from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2
from tests.support.fake_sink import FakeSink
from tests.unit.rpc.test_streams import _Bench, _request


class _Unary(_Bench):
    def __init__(self) -> None:
        super().__init__()
        pipelines = cast("Any", self)
        self.unary = UnaryMethods(
            pipelines,
            self.listen._admission,
            self.sessions,
            self.connections,
            self.listen,
            self.clock,
        )

    async def flood(self, session_id: str) -> None:
        for revision in range(1, 2 * MAX_CONTROL_FRAMES):
            await self.update(session_id, revision, f"meeting/{revision % 2}")

    async def update(self, session_id: str, revision: int, *topics: str) -> None:
        request = realtime_service_pb2.UpdateSubscriptionsRequest(
            session_id=session_id,
            revision=revision,
            subscriptions=[frame_pb2.Subscribe(topic=topic) for topic in topics],
        )
        await self.unary.update_subscriptions(request.SerializeToString(), Caller())


async def test_updates_are_refused_while_their_answers_are_not_read() -> None:
    bench = _Unary()
    sink = FakeSink()
    await bench.listen.open(_request(0), Caller(), sink)
    (session,) = bench.sessions
    with pytest.raises(ResourceExhausted) as caught:
        await bench.flood(session.session_id)
    assert caught.value.reason_name == "RATE_LIMITED"
    assert caught.value.retry_after
    assert session.control_backlog <= MAX_CONTROL_FRAMES + 2
    # A refused revision was not taken: the same set may be sent again once the answers are read.
    refused = session.revision + 1
    sink.take_all()
    await bench.update(session.session_id, refused, "meeting/9")
    sink.take_all()
    assert set(session.subscriptions) == {"meeting/9"}
