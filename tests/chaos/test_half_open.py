"""A connection that stands and brings nothing: both sides notice, and nothing is lost by it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from google.protobuf import any_pb2

from shipspeak_realtime import Outcome as SdkOutcome
from shipspeak_realtime import RealtimeClient, State
from tests.chaos.legs import no_jitter
from tests.chaos.logs import read_logs
from tests.chaos.proxy import FaultProxy
from tests.chaos.recorder import Recorder
from tests.guarantees.history import History, Outcome, Publish
from tests.guarantees.validators import judge
from tests.support.hub_process import HubProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

TOPIC = "meeting/half-open"
HEARTBEAT = 1.0
# Beyond 2.5 heartbeats: what a busy machine may add.
SLACK_SECONDS = 15.0
# The SDK's first wait without jitter, and a busy machine's second.
FIRST_RETRY_SECONDS = 1.0
EVENTS = 20


async def _read(client: RealtimeClient, recorder: Recorder) -> None:
    subscription = client.subscribe(TOPIC, start="earliest")
    subscription._receiver = recorder.receivers[TOPIC]
    async for event in subscription:
        recorder.handed_over(event)


async def _publish(client: RealtimeClient, history: History, count: int) -> None:
    for _ in range(count):
        call = Publish("writer", TOPIC, f"e{len(history.publishes)}", len(history.publishes) + 1)
        history.publishes.append(call)
        receipt = await client.publish(TOPIC, any_pb2.Any(type_url="chaos/x"), id=call.id)
        assert receipt.outcome is SdkOutcome.STORED
        call.outcome, call.offset, call.epoch = Outcome.STORED, receipt.offset, receipt.epoch
        call.ended_at = time.monotonic()


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[HubProcess]:
    """A hub of the test's own, with quick heartbeats."""
    process = HubProcess(tmp_path, "--heartbeat", str(HEARTBEAT))
    await asyncio.to_thread(process.start)
    yield process
    await asyncio.to_thread(process.stop)


@pytest.fixture
async def proxy(hub: HubProcess) -> AsyncIterator[FaultProxy]:
    """Stands before the hub's gRPC door."""
    async with FaultProxy(int(hub.grpc.rpartition(":")[2])) as between:
        yield between


@pytest.mark.timeout(180)
async def test_a_stranded_client_comes_back_by_a_connection_of_its_own(
    hub: HubProcess, proxy: FaultProxy
) -> None:
    """G11: nobody cuts the dead connection, so the next session must not be opened on it."""
    history, recorder = History(), Recorder("reader", [TOPIC])
    async with (
        RealtimeClient(hub.grpc) as writer,
        RealtimeClient(f"127.0.0.1:{proxy.port}", random=no_jitter) as client,
    ):
        changes = client.connection_changes()
        reading = asyncio.create_task(_read(client, recorder))
        await _publish(writer, history, EVENTS)
        await recorder.reach(_heads(hub))
        proxy.strand()
        began = time.monotonic()
        await _publish(writer, history, EVENTS)
        # It is under way on the dead connection, and comes through with the fresh one.
        own = asyncio.create_task(client.publish(TOPIC, any_pb2.Any(type_url="chaos/x")))
        states = []
        async with asyncio.timeout(30):
            async for change in changes:
                states.append(change.state)
                if State.BACKOFF in states and change.state is State.LIVE:
                    break
        took = time.monotonic() - began
        assert states.count(State.BACKOFF) == 1
        assert took < 2.5 * HEARTBEAT + FIRST_RETRY_SECONDS + SLACK_SECONDS
        assert (await own).outcome is SdkOutcome.STORED
        await recorder.reach(_heads(hub))
        reading.cancel()
    assert len(recorder.subscriber.deliveries) == 2 * EVENTS + 1


@pytest.mark.timeout(180)
async def test_a_half_open_connection_is_noticed_and_costs_nothing(
    hub: HubProcess, proxy: FaultProxy
) -> None:
    """G11 and G2, over a real connection."""
    history, recorder = History(), Recorder("reader", [TOPIC])
    async with (
        RealtimeClient(hub.grpc) as writer,
        RealtimeClient(f"127.0.0.1:{proxy.port}", random=no_jitter) as client,
    ):
        changes = client.connection_changes()
        reading = asyncio.create_task(_read(client, recorder))
        await _publish(writer, history, EVENTS)
        await recorder.reach(_heads(hub))
        proxy.blackhole()
        began = time.monotonic()
        await _publish(writer, history, EVENTS)
        async for change in changes:
            if change.state is State.BACKOFF:
                break
        assert change.error is not None
        assert change.error.reason == "HEARTBEAT_MISSED"
        assert time.monotonic() - began < 2.5 * HEARTBEAT + SLACK_SECONDS
        proxy.cut()
        await recorder.reach(_heads(hub))
        reading.cancel()
    history.logs = read_logs(hub.data_dir, [TOPIC])
    history.subscribers = [recorder.subscriber]
    recorder.subscriber.owed = {TOPIC: history.logs[TOPIC].head}
    assert judge(history) == []
    assert len(recorder.subscriber.deliveries) == 2 * EVENTS


def _heads(hub: HubProcess) -> dict[str, tuple[int, int]]:
    return {topic: (log.epoch, log.head) for topic, log in read_logs(hub.data_dir, [TOPIC]).items()}
