"""Listen sessions end with their call, whenever that is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hub.auth.tokens import Authenticator
from hub.errors import FailedPrecondition, HubError
from hub.rpc.admission import Admission
from hub.rpc.connection import Connections
from hub.rpc.streams import ListenMethod
from hub.session.manager import Sessions
from hub.session.sink import Caller
from hub.settings import Settings
from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2
from tests.support.fake_sink import FakeSink
from tests.support.pipelines import PipelineBench

if TYPE_CHECKING:
    from hub.session.session import Session


class _Bench(PipelineBench):
    def __init__(self) -> None:
        super().__init__()
        settings = Settings(dev=True)
        self.connections = Connections()
        self.sessions = Sessions(
            self.clock,
            self.registry,
            heartbeat_interval=20,
            max_sessions=10,
            on_closed=self._release,
        )
        admission = Admission(
            settings,
            Authenticator(settings, self.clock),
            self.sessions,
            self.connections,
            self.metrics,
            "instance",
        )
        self.listen = ListenMethod(
            self.sessions, admission, self.subscriber, self.metrics, self.clock
        )

    def _release(self, session: Session) -> None:
        self.registry.release(session)
        self.connections.release(session)


def _request(topics: int, version: int = 1) -> bytes:
    return realtime_service_pb2.ListenRequest(
        hello=frame_pb2.Hello(protocol_version=version),
        subscriptions=[frame_pb2.Subscribe(topic=f"meeting/{n}") for n in range(topics)],
    ).SerializeToString()


@pytest.fixture
async def bench() -> _Bench:
    return _Bench()


async def test_welcome_first_then_the_verdicts(bench: _Bench) -> None:
    sink = FakeSink(automatic=True)
    attachment = await bench.listen.open(_request(2), Caller(), sink)
    for _ in range(20):
        await asyncio.sleep(0)
    assert sink.controls == ["welcome", "subscribed", "subscribed"]
    attachment.detach()
    attachment.detach()
    assert len(bench.sessions) == 0


async def test_a_call_that_is_cancelled_while_it_opens_leaves_no_session(bench: _Bench) -> None:
    bench.engine.opening.clear()
    opening = asyncio.ensure_future(bench.listen.open(_request(300), Caller(), FakeSink()))
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(bench.sessions) == 1
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert len(bench.sessions) == 0
    assert not bench.connections._by_session
    bench.engine.opening.set()


@pytest.mark.parametrize("request_", [b"\xff", _request(1, version=9)])
async def test_a_refused_call_leaves_no_session_and_is_counted(
    bench: _Bench, request_: bytes
) -> None:
    with pytest.raises(HubError) as caught:
        await bench.listen.open(request_, Caller(), FakeSink())
    assert len(bench.sessions) == 0
    label = f'rthub_refused_total{{reason="{caught.value.reason_name}"}} 1.0'
    assert label in bench.metrics.render()[0].decode()


async def test_the_version_is_judged_before_anything_else(bench: _Bench) -> None:
    request = realtime_service_pb2.ListenRequest(
        hello=frame_pb2.Hello(protocol_version=9, token="forged", client_id="?" * 99),
        subscriptions=[frame_pb2.Subscribe()],
    )
    with pytest.raises(FailedPrecondition):
        await bench.listen.open(request.SerializeToString(), Caller(), FakeSink())
