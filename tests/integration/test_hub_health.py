"""Health of the hub, its services and its shards on both doors without a token; reflection."""

from __future__ import annotations

import asyncio
import resource
import struct
from typing import TYPE_CHECKING, Any, cast

import grpc
import httpx
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from shipspeak_realtime import RealtimeClient, RealtimeError
from tests.support.hub_process import HubProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVING = health_pb2.HealthCheckResponse.SERVING
NAMES = [
    "",
    "shipspeak.realtime.v1.RealtimeService",
    "shipspeak.realtime.v1.AdminService",
    "shard/0",
    "shard/1",
    "shard/2",
]


@pytest.fixture(scope="module")
def locked_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A hub that wants tokens for everything else."""
    env = {"RTHUB_AUTH_HS256_SECRET": "integration-secret-0123456789abcdef"}
    folder = tmp_path_factory.mktemp("hub")
    with HubProcess(folder, "--shards", "3", env=env, dev=False) as process:
        yield process


@pytest.mark.parametrize("name", NAMES)
async def test_on_the_grpc_door(locked_hub: HubProcess, name: str) -> None:
    async with grpc.aio.insecure_channel(locked_hub.grpc) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service=name)
        assert (await stub.Check(request, timeout=10)).status == SERVING
        watch = stub.Watch(request, timeout=10)
        assert (await watch.read()).status == SERVING
        watch.cancel()


async def test_an_unknown_name_on_the_grpc_door(locked_hub: HubProcess) -> None:
    async with grpc.aio.insecure_channel(locked_hub.grpc) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        for name in ("shard/3", "nothing"):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=10)
            assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def _framed(message: bytes) -> bytes:
    return b"\0" + struct.pack(">I", len(message)) + message


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("method", ["Check", "Watch"])
async def test_on_the_browsers_door(locked_hub: HubProcess, method: str, name: str) -> None:
    request = health_pb2.HealthCheckRequest(service=name).SerializeToString()
    want = _framed(health_pb2.HealthCheckResponse(status=SERVING).SerializeToString())
    headers = {"content-type": "application/grpc-web+proto"}
    url = f"{locked_hub.http}/grpc.health.v1.Health/{method}"
    async with (
        httpx.AsyncClient(timeout=10) as http,
        http.stream("POST", url, content=_framed(request), headers=headers) as response,
    ):
        assert response.status_code == 200
        received = b""
        async for data in response.aiter_raw():
            received += data
            if len(received) >= len(want):
                break
        assert received.startswith(want)


async def test_plain_probes(locked_hub: HubProcess) -> None:
    async with httpx.AsyncClient(base_url=locked_hub.http) as http:
        for path in ("/healthz", "/readyz"):
            assert (await http.get(path)).status_code == 200
        metrics = await http.get("/metrics")
        assert "rthub_sessions 0.0" in metrics.text


async def _probes(hub: HubProcess) -> tuple[int, bool]:
    """The status of /readyz, and whether grpc.health.v1 says SERVING of the whole."""
    async with httpx.AsyncClient(base_url=hub.http) as http:
        ready = (await http.get("/readyz")).status_code
    async with grpc.aio.insecure_channel(hub.grpc) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=10)
    return ready, answer.status == SERVING


async def _until_probes(hub: HubProcess, wanted: tuple[int, bool]) -> None:
    async with asyncio.timeout(20):
        while await _probes(hub) != wanted:
            pass


async def test_all_probes_tell_of_a_disk_that_takes_nothing(hub: HubProcess) -> None:
    """/readyz once answered ready while the health service said NOT_SERVING."""
    assert await _probes(hub) == (200, True)
    _, hard = resource.prlimit(hub.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(hub.pid, resource.RLIMIT_FSIZE, (4096, hard))
    async with RealtimeClient(hub.grpc) as client:
        with pytest.raises(RealtimeError):
            await client.publish("meeting/1", StringValue(value="x" * 8192), timeout=0.5)
    await _until_probes(hub, (503, False))
    assert await _probes(hub) == (503, False)
    resource.prlimit(hub.pid, resource.RLIMIT_FSIZE, (hard, hard))
    await _until_probes(hub, (200, True))
    assert await _probes(hub) == (200, True)


async def test_reflection_lists_the_services(locked_hub: HubProcess) -> None:
    async with grpc.aio.insecure_channel(locked_hub.grpc) as channel:
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(cast("grpc.Channel", channel))
        call = stub.ServerReflectionInfo(timeout=10)
        await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        listed = {one.name for one in (await call.read()).list_services_response.service}
        assert listed >= {
            "shipspeak.realtime.v1.RealtimeService",
            "shipspeak.realtime.v1.AdminService",
            "grpc.health.v1.Health",
        }
        symbol = "shipspeak.realtime.v1.RealtimeService"
        await call.write(reflection_pb2.ServerReflectionRequest(file_containing_symbol=symbol))
        assert (await call.read()).file_descriptor_response.file_descriptor_proto
        await call.done_writing()
