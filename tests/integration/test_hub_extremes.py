"""Numbers at the edges of their types: a typed answer each, and the hub goes on."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest
from google.protobuf import timestamp_pb2
from google.rpc import code_pb2

from hub.model.cursor import Cursor, encode_cursor
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2, frame_pb2, realtime_service_pb2
from tests.support.raw_client import RawClient, draft

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.hub_process import HubProcess

HUGE = 2**64 - 1
EDGES = [2**31, 2**53, 2**63 - 1, 2**63, HUGE]


@pytest.fixture
async def client(shared_hub: HubProcess) -> AsyncIterator[RawClient]:
    async with RawClient(shared_hub.grpc) as client:
        yield client
        (result,) = await client.publish(draft(f"meeting/{secrets.token_hex(4)}", 1))
        assert result.outcome == frame_pb2.OUTCOME_STORED, "the hub goes on"


@pytest.fixture
def topic() -> str:
    return f"meeting/{secrets.token_hex(4)}"


@pytest.mark.parametrize("offset", EDGES)
async def test_expected_offsets(client: RawClient, topic: str, offset: int) -> None:
    (result,) = await client.publish(draft(topic, 1, expected_offset=offset))
    assert result.outcome == frame_pb2.OUTCOME_REFUSED
    assert result.error.reason == reasons.ERROR_REASON_OFFSET_MISMATCH


@pytest.mark.parametrize(
    "seconds", [-(2**63), -(10**12), -1, 0, 253_402_300_799, 10**12, 2**62, 2**63 - 1]
)
async def test_first_sent_at(client: RawClient, topic: str, seconds: int) -> None:
    made = draft(topic, 1, first_sent_at=timestamp_pb2.Timestamp(seconds=seconds))
    (result,) = await client.publish(made)
    if result.outcome == frame_pb2.OUTCOME_REFUSED:
        assert result.error.reason in {
            reasons.ERROR_REASON_IDEMPOTENCY_EXPIRED,
            reasons.ERROR_REASON_FIELD_INVALID,
        }
    else:
        assert result.outcome == frame_pb2.OUTCOME_STORED


@pytest.mark.parametrize("offset", [*EDGES, 1])
@pytest.mark.parametrize("as_of", [0, HUGE])
async def test_cursors(client: RawClient, topic: str, offset: int, as_of: int) -> None:
    first = await client.poll(frame_pb2.Subscribe(topic=topic))
    epoch = first.frames[0].subscribed.epoch
    for one in (epoch, 1, HUGE):
        cursor = encode_cursor(topic, Cursor(one, offset, "e1", as_of))
        position = event_pb2.Position(cursor=cursor, handled_offset=HUGE, handled_id="e1")
        answer = await client.poll(frame_pb2.Subscribe(topic=topic, position=position))
        assert answer.frames[0].subscribed.verdict == frame_pb2.VERDICT_RESET
        for reverse in (False, True):
            request = realtime_service_pb2.ReadHistoryRequest(
                topic=topic, position=position, reverse=reverse
            )
            assert (await client.call("ReadHistory", request)).head == 0


@pytest.mark.parametrize("total", EDGES)
async def test_window_reports(client: RawClient, topic: str, total: int) -> None:
    stream, welcome = await client.session(window_bytes=HUGE)
    assert welcome.window_bytes == 262_144
    await stream.send(window=frame_pb2.Window(handled_bytes=total))
    await stream.subscribe(topic)
    await client.publish(draft(topic, 1))
    assert len(await stream.events(1)) == 1


async def test_a_frame_over_the_limit_is_refused_and_the_stream_goes_on(
    client: RawClient, topic: str
) -> None:
    """I2: beyond 4 MiB a typed refusal; gRPC's own would end the stream without a reason."""
    stream, _ = await client.session()
    await stream.send_bytes(b"\x2a" + b"\xff" * 5_000_000)
    error = await stream.control("error")
    assert (error.code, error.reason) == (
        code_pb2.RESOURCE_EXHAUSTED,
        reasons.ERROR_REASON_FRAME_TOO_LARGE,
    )
    assert error.metadata["max_bytes"] == str(4 * 1024 * 1024)
    (result,) = await stream.publish(draft(topic, 1))
    assert result.outcome == frame_pb2.OUTCOME_STORED
