"""A client of another protocol version is refused first, whatever else is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest

from shipspeak.realtime.v1 import error_reason_pb2, frame_pb2
from tests.support.raw_client import RawClient, hello

if TYPE_CHECKING:
    from tests.support.hub_process import HubProcess

REFUSED = (grpc.StatusCode.FAILED_PRECONDITION, "PROTOCOL_VERSION_UNSUPPORTED")
# Too long a client_id and a forged token: neither may be looked at before the version.
DOCTORED = [
    {"protocol_version": version, **rest}
    for version in (0, 2, 99)
    for rest in ({}, {"client_id": "x" * 65, "token": "forged", "sdk": "y" * 1000})
]


@pytest.fixture(params=DOCTORED, ids=lambda case: f"{case['protocol_version']}+{len(case) - 1}")
def doctored(request: pytest.FixtureRequest) -> frame_pb2.Hello:
    return hello(**request.param)


def _is_upgrade(frame: frame_pb2.ServerFrame) -> bool:
    return (
        frame.go_away.action == frame_pb2.GO_AWAY_ACTION_UPGRADE
        and frame.go_away.reason == error_reason_pb2.ERROR_REASON_PROTOCOL_VERSION_UNSUPPORTED
    )


async def test_connect(shared_hub: HubProcess, doctored: frame_pb2.Hello) -> None:
    async with RawClient(shared_hub.grpc) as client:
        stream = client.connect()
        await stream.send(hello=doctored)
        assert _is_upgrade(await stream.read())
        assert await stream.end() == REFUSED


async def test_listen(shared_hub: HubProcess, doctored: frame_pb2.Hello) -> None:
    async with RawClient(shared_hub.grpc) as client:
        stream = client.listen(frame_pb2.Subscribe(topic="nonsense"), hello=doctored)
        assert _is_upgrade(await stream.read())
        assert await stream.end() == REFUSED


async def test_poll(shared_hub: HubProcess, doctored: frame_pb2.Hello) -> None:
    async with RawClient(shared_hub.grpc) as client:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await client.poll(frame_pb2.Subscribe(topic="nonsense"), hello=doctored)
        assert caught.value.code() == REFUSED[0]
        assert "upgrade" in (caught.value.details() or "")


async def test_a_version_that_is_no_number_at_all(shared_hub: HubProcess) -> None:
    async with RawClient(shared_hub.grpc) as client:
        stream = client.listen_bytes(b"")
        assert _is_upgrade(await stream.read())
        assert await stream.end() == REFUSED


async def test_the_right_version_is_welcomed(shared_hub: HubProcess) -> None:
    async with RawClient(shared_hub.grpc) as client:
        _, welcome = await client.session()
        assert welcome.protocol_version == 1
        assert welcome.session_id
        assert welcome.durability == frame_pb2.DURABILITY_LOCAL_FSYNC
        assert welcome.limits.max_event_bytes == 262_144
        assert welcome.heartbeat_interval.seconds == 1
