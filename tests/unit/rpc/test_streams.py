"""Listen sessions end with their call, whenever that is."""

from __future__ import annotations

import asyncio

import pytest

from hub.errors import FailedPrecondition, HubError
from hub.session.sink import Caller
from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2
from tests.support.fake_sink import FakeSink
from tests.support.listening import ListenBench, listen_request


@pytest.fixture
async def bench() -> ListenBench:
    return ListenBench()


async def test_welcome_first_then_the_verdicts(bench: ListenBench) -> None:
    sink = FakeSink(automatic=True)
    attachment = await bench.listen.open(listen_request(2), Caller(), sink)
    for _ in range(20):
        await asyncio.sleep(0)
    assert sink.controls == ["welcome", "subscribed", "subscribed"]
    attachment.detach()
    attachment.detach()
    assert len(bench.sessions) == 0


async def test_a_call_that_is_cancelled_while_it_opens_leaves_no_session(
    bench: ListenBench,
) -> None:
    bench.engine.opening.clear()
    opening = asyncio.ensure_future(bench.listen.open(listen_request(300), Caller(), FakeSink()))
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(bench.sessions) == 1
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert len(bench.sessions) == 0
    assert not bench.connections._by_session
    bench.engine.opening.set()


@pytest.mark.parametrize("request_", [b"\xff", listen_request(1, version=9)])
async def test_a_refused_call_leaves_no_session_and_is_counted(
    bench: ListenBench, request_: bytes
) -> None:
    with pytest.raises(HubError) as caught:
        await bench.listen.open(request_, Caller(), FakeSink())
    assert len(bench.sessions) == 0
    label = f'rthub_refused_total{{reason="{caught.value.reason_name}"}} 1.0'
    assert label in bench.metrics.render()[0].decode()


async def test_the_version_is_judged_before_anything_else(bench: ListenBench) -> None:
    request = realtime_service_pb2.ListenRequest(
        hello=frame_pb2.Hello(protocol_version=9, token="forged", client_id="?" * 99),
        subscriptions=[frame_pb2.Subscribe()],
    )
    with pytest.raises(FailedPrecondition):
        await bench.listen.open(request.SerializeToString(), Caller(), FakeSink())
