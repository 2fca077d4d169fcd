"""I2, D4: a strained hub refuses what is new, its sessions go on, and nobody loses anything."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

import grpc
import httpx
import pytest

from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2, frame_pb2, metrics_pb2, realtime_service_pb2
from shipspeak_realtime import RealtimeClient
from tests.support.hub_process import HubProcess
from tests.support.raw_client import SERVICE, RawClient, draft, hello
from tests.support.socket_client import open_socket
from tests.wire.raw import ask, frame, post

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(240)
# For each thing that is waited for; all of them together come never near to so much.
PATIENCE = 100
LAG = 0.5
OVERLOADED = (grpc.StatusCode.UNAVAILABLE, "OVERLOADED")


class Strained:
    """A hub whose readings are the test's own."""

    def __init__(self, hub: HubProcess, http: httpx.AsyncClient) -> None:
        self.hub, self._http = hub, http

    async def set(self, level: str) -> None:
        """Pretend a load and wait until the hub has judged it."""
        late = {"easy": 0.0, "strained": LAG, "overloaded": 4 * LAG}[level]
        sent = await self._http.post("/dev/load", json={"late": late, "memory": 1})
        assert sent.status_code == 200
        async with asyncio.timeout(PATIENCE):
            while not await self._is(level):  # noqa: ASYNC110 - it is asked over HTTP
                await asyncio.sleep(0.1)

    async def _is(self, level: str) -> bool:
        ready = await self._http.get("/readyz")
        assert ready.status_code == (503 if "overloaded:" in ready.text else 200)
        return f"{level}: the event loop is" in ready.text or (
            level == "easy" and ready.text == "ready\n"
        )


@pytest.fixture
async def strained(tmp_path: Path) -> AsyncIterator[Strained]:
    with HubProcess(tmp_path, env={"RTHUB_OVERLOAD_LAG": str(LAG)}) as hub:
        async with httpx.AsyncClient(base_url=hub.http, timeout=30) as http:
            yield Strained(hub, http)


def _topic() -> str:
    return f"meeting/{secrets.token_hex(4)}"


async def test_new_work_is_refused_and_sessions_keep_their_live_events(strained: Strained) -> None:
    """I2, D4: level by level, with a time to come back; what is urgent passes at any level."""
    topic, hub = _topic(), strained.hub
    await strained.set("easy")
    async with RawClient(hub.grpc) as client:
        stream, _ = await client.session()
        await stream.subscribe(topic)

        await strained.set("strained")
        await _new_work_is_refused(client)
        await _new_work_is_refused_to_browsers(hub)
        await stream.send(request_id=5, subscribe=frame_pb2.Subscribe(topic=_topic()))
        error = await stream.control("error")
        assert error.reason == reasons.ERROR_REASON_OVERLOADED
        assert error.HasField("retry_after")
        low, normal = draft(_topic(), 1), draft(topic, 2)
        low.content.priority = event_pb2.PRIORITY_LOW
        results = await stream.publish(low, normal)
        assert [result.outcome for result in results] == [
            frame_pb2.OUTCOME_REFUSED,
            frame_pb2.OUTCOME_STORED,
        ]
        assert results[0].error.HasField("retry_after")
        assert [event.id for event in await stream.events(1)] == ["e2"]
        await client.call("Poll", _poll(topic))

        await strained.set("overloaded")
        assert await client.refused("Poll", _poll(topic)) == OVERLOADED
        urgent = draft(topic, 4)
        urgent.content.priority = event_pb2.PRIORITY_CRITICAL
        results = await stream.publish(draft(_topic(), 3), urgent)
        assert [result.outcome for result in results] == [
            frame_pb2.OUTCOME_REFUSED,
            frame_pb2.OUTCOME_STORED,
        ]
        assert [event.id for event in await stream.events(1)] == ["e4"]

        await strained.set("easy")
        another, _ = await client.session()
        await another.subscribe(_topic())
    assert "overloaded" in hub.log
    assert "load_eases" in hub.log


async def _new_work_is_refused(client: RawClient) -> None:
    assert await client.connect().end() == OVERLOADED
    listen = client.listen(frame_pb2.Subscribe(topic=_topic()))
    assert await listen.end() == OVERLOADED
    history = realtime_service_pb2.ReadHistoryRequest(topic=_topic())
    assert await client.refused("ReadHistory", history) == OVERLOADED


async def _new_work_is_refused_to_browsers(hub: HubProcess) -> None:
    async with open_socket(hub.http) as socket:
        assert await socket.closed() == (4014, "OVERLOADED", ["OVERLOADED"])
    wish = frame_pb2.Subscribe(topic=_topic(), at=frame_pb2.START_LATEST)
    listen = realtime_service_pb2.ListenRequest(hello=hello(), subscriptions=[wish])
    body = frame(listen.SerializeToString())
    port = int(hub.http.rpartition(":")[2])
    answer = await ask(port, post(f"/{SERVICE}/Listen", body, host="localhost"))
    assert answer.status_message()[0] == str(grpc.StatusCode.UNAVAILABLE.value[0])


def _poll(topic: str) -> realtime_service_pb2.PollRequest:
    wish = frame_pb2.Subscribe(topic=topic, at=frame_pb2.START_LATEST)
    return realtime_service_pb2.PollRequest(hello=hello(), subscriptions=[wish])


async def test_the_sdk_waits_and_sends_again_so_that_nothing_is_lost(strained: Strained) -> None:
    """I2, D4: a client that comes, one that subscribes, and what both publish."""
    topic, hub = _topic(), strained.hub
    await strained.set("easy")
    async with RealtimeClient(hub.grpc) as early:
        await early.publish(topic, _figure(0), timeout=PATIENCE)
        await strained.set("overloaded")
        async with RealtimeClient(hub.grpc) as late:
            got: list[int] = []
            reading = asyncio.create_task(_read(late, topic, got))
            publishing = [
                asyncio.create_task(early.publish(topic, _figure(number), timeout=PATIENCE))
                for number in range(1, 51)
            ]
            # Refused at least once, before anything is let in again.
            async with asyncio.timeout(PATIENCE):
                while not await _was_refused(hub):  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0.1)
            assert not got
            assert not any(task.done() for task in publishing)
            await strained.set("easy")
            receipts = await asyncio.gather(*publishing)
            async with asyncio.timeout(PATIENCE):
                await reading
    assert [receipt.offset for receipt in receipts] == list(range(2, 52))
    assert got == list(range(51))


async def _was_refused(hub: HubProcess) -> bool:
    async with httpx.AsyncClient(base_url=hub.http, timeout=30) as http:
        text = (await http.get("/metrics")).text
    return all(f'rthub_shed_total{{work="{work}"}}' in text for work in ("session", "draft"))


async def _read(client: RealtimeClient, topic: str, got: list[int]) -> None:
    async for event in client.subscribe(topic, start="earliest"):
        figures = event.payload
        assert isinstance(figures, metrics_pb2.MetricsUpdate)
        got.append(int(figures.metrics[0].value))
        if len(got) == 51:
            return


def _figure(number: int) -> metrics_pb2.MetricsUpdate:
    return metrics_pb2.MetricsUpdate(metrics=[metrics_pb2.Metric(name="n", value=number)])
