"""SIGTERM: unready first, everyone told, what was begun is finished, exit 0 in time."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import duration_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc

from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2, frame_pb2
from tests.support.raw_client import RawClient, draft

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.hub_process import HubProcess

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
# A hub that waited for nobody's sake would not be gone when the test's patience ends.
LONG_WAITS = {"RTHUB_DRAIN_SPREAD": "100", "RTHUB_DRAIN_GRACE": "100"}
LONG_POLL = 25


async def _exit_status(hub: HubProcess) -> int:
    return await asyncio.to_thread(hub.terminate)


async def test_watchers_hear_it_before_the_clients_do(hub: HubProcess) -> None:
    heard: list[str] = []
    async with RawClient(hub.grpc) as client, RawClient(hub.grpc) as prober:
        stub: Any = health_pb2_grpc.HealthStub(prober.channel)
        watch = stub.Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == SERVING
        stream, _ = await client.session()
        os.kill(hub.pid, signal.SIGTERM)

        async def health() -> None:
            assert (await watch.read()).status == NOT_SERVING
            heard.append("not serving")

        async def told() -> frame_pb2.GoAway:
            go_away: frame_pb2.GoAway = await stream.control("go_away")
            heard.append("go away")
            return go_away

        _, go_away = await asyncio.gather(health(), told())
        assert heard == ["not serving", "go away"]
        assert go_away.action == frame_pb2.GO_AWAY_ACTION_RESUME
        assert go_away.reason == reasons.ERROR_REASON_DRAINING
        assert go_away.within.ToMilliseconds() == 2000
        await stream.half_close()
        assert (await stream.end())[0] == grpc.StatusCode.OK
    assert await _exit_status(hub) == 0


async def test_an_idle_hub_goes_at_once(start_hub: Callable[..., HubProcess]) -> None:
    hub = await asyncio.to_thread(start_hub, env=LONG_WAITS)
    assert await _exit_status(hub) == 0


async def test_clients_that_go_by_themselves_are_not_waited_for(
    start_hub: Callable[..., HubProcess],
) -> None:
    hub = await asyncio.to_thread(start_hub, env=LONG_WAITS)
    async with RawClient(hub.grpc) as client:
        streams = [(await client.session())[0] for _ in range(20)]
        ending = asyncio.ensure_future(_exit_status(hub))
        for stream in streams:
            await stream.control("go_away")
            await stream.half_close()
        assert await ending == 0


async def test_clients_that_stay_are_ended_with_a_reason(
    start_hub: Callable[..., HubProcess],
) -> None:
    env = {"RTHUB_DRAIN_SPREAD": "0.5", "RTHUB_DRAIN_GRACE": "1"}
    hub = await asyncio.to_thread(start_hub, env=env)
    async with RawClient(hub.grpc) as client:
        stream, _ = await client.session()
        listener = client.listen(frame_pb2.Subscribe(topic="meeting/1"))
        await listener.read()
        nameless = client.connect()
        ending = asyncio.ensure_future(_exit_status(hub))
        want = (grpc.StatusCode.UNAVAILABLE, "DRAINING")
        assert await stream.end() == want
        assert await listener.end() == want
        assert (await nameless.end())[0] == grpc.StatusCode.UNAVAILABLE
        assert await ending == 0


async def test_what_was_published_before_and_while_draining_is_kept(hub: HubProcess) -> None:
    async with RawClient(hub.grpc) as client:
        stream, _ = await client.session()
        (before,) = await stream.publish(draft("meeting/d", 1))
        os.kill(hub.pid, signal.SIGTERM)
        await stream.control("go_away")
        (while_draining,) = await stream.publish(draft("meeting/d", 2))
        assert while_draining.outcome == frame_pb2.OUTCOME_STORED
        await stream.half_close()
        await stream.end()
    assert await _exit_status(hub) == 0
    await asyncio.to_thread(hub.start)
    async with RawClient(hub.grpc) as client:
        stream, _ = await client.session()
        await stream.subscribe("meeting/d", at=frame_pb2.START_EARLIEST)
        events = await stream.events(2)
        assert [event.offset for event in events] == [before.offset, while_draining.offset]


async def test_a_poll_that_waits_is_answered(hub: HubProcess) -> None:
    async with RawClient(hub.grpc) as client:
        first = await client.poll(frame_pb2.Subscribe(topic="meeting/1"))
        cursor = first.frames[0].subscribed.position.cursor
        subscription = frame_pb2.Subscribe(
            topic="meeting/1", position=event_pb2.Position(cursor=cursor)
        )
        wait = duration_pb2.Duration(seconds=LONG_POLL)
        waiting = asyncio.ensure_future(client.poll(subscription, wait=wait))
        await asyncio.wait([waiting], timeout=0.3)
        started = time.monotonic()
        ending = asyncio.ensure_future(_exit_status(hub))
        answer = await waiting
        assert not answer.frames
        assert time.monotonic() - started < LONG_POLL / 2
        assert await ending == 0
