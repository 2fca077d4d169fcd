"""I2: whoever is too fast is told when to come back, and loses nothing."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

import grpc
import pytest

from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2, metrics_pb2, realtime_service_pb2
from shipspeak_realtime import RealtimeClient
from tests.support.hub_process import HubProcess
from tests.support.raw_client import RawClient, draft

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RATES = {
    "RTHUB_RATE_DRAFTS_PER_USER": "400",
    "RTHUB_RATE_DRAFTS_PER_TOPIC": "50",
    "RTHUB_RATE_FRAMES_PER_CONNECTION": "400",
}
LIMITED = (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED")


@pytest.fixture(scope="module")
def slow_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    with HubProcess(tmp_path_factory.mktemp("hub"), env=RATES) as process:
        yield process


def _topic() -> str:
    return f"meeting/{secrets.token_hex(4)}"


async def test_a_topic_s_flood_is_refused_with_a_time_and_others_go_on(
    slow_hub: HubProcess,
) -> None:
    topic = _topic()
    async with RawClient(slow_hub.grpc) as client:
        stream, _ = await client.session()
        flood = [draft(topic, number) for number in range(150)]
        results = await stream.publish(*flood, draft(_topic(), 1))
    outcomes = [result.outcome for result in results]
    passed = outcomes.count(frame_pb2.OUTCOME_STORED) - 1
    assert 100 <= passed < 150
    refused = results[passed]
    assert refused.error.reason == reasons.ERROR_REASON_RATE_LIMITED
    assert refused.error.HasField("retry_after")
    assert set(outcomes[passed + 1 : -1]) <= {frame_pb2.OUTCOME_NOT_ATTEMPTED}
    assert outcomes[-1] == frame_pb2.OUTCOME_STORED


async def test_the_sdk_waits_and_sends_again_so_that_nothing_is_lost(
    slow_hub: HubProcess,
) -> None:
    """I2, G3: in the order in which it was published."""
    topic = _topic()
    async with RealtimeClient(slow_hub.grpc) as client:
        receipts = await asyncio.gather(
            *(
                client.publish(
                    topic,
                    metrics_pb2.MetricsUpdate(metrics=[metrics_pb2.Metric(name="n", value=n)]),
                    timeout=50,
                )
                for n in range(200)
            )
        )
    assert [receipt.offset for receipt in receipts] == list(range(1, 201))


async def test_a_flood_of_sessions_from_one_address_is_refused(tmp_path: Path) -> None:
    with HubProcess(tmp_path, env={"RTHUB_RATE_CONNECTS_PER_ADDRESS": "0.1"}) as hub:
        async with RawClient(hub.grpc) as client:
            first, _ = await client.session()
            second = client.listen(frame_pb2.Subscribe(topic=_topic(), at=frame_pb2.START_LATEST))
            assert await second.end() == LIMITED
            assert await client.connect().end() == LIMITED
            # Those that are in go on.
            await first.subscribe(_topic())


async def test_a_flood_of_calls_from_one_address_is_refused(tmp_path: Path) -> None:
    request = realtime_service_pb2.ReadHistoryRequest(topic=_topic())
    with HubProcess(tmp_path, env={"RTHUB_RATE_CALLS_PER_ADDRESS": "0.1"}) as hub:
        async with RawClient(hub.grpc) as client:
            await client.call("ReadHistory", request)
            assert await client.refused("ReadHistory", request) == LIMITED


async def test_frames_beyond_the_rate_are_taken_later(slow_hub: HubProcess) -> None:
    """The peer is held back, and each frame is answered."""
    async with RawClient(slow_hub.grpc) as client:
        stream, _ = await client.session()
        for number in range(1000):
            await stream.send(ping=frame_pb2.Ping(nonce=number))
        for number in range(1000):
            assert (await stream.control("pong", 30)).nonce == number
