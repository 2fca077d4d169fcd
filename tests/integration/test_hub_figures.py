"""What a hub's metrics tell of its transports."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import httpx
from prometheus_client.parser import text_string_to_metric_families

from shipspeak.realtime.v1 import frame_pb2
from tests.support.raw_client import RawClient, draft, hello
from tests.support.socket_client import open_socket

if TYPE_CHECKING:
    from tests.support.hub_process import HubProcess


def figures(hub: HubProcess) -> dict[str, float]:
    text = httpx.get(f"{hub.http}/metrics").text
    return {
        sample.name + json.dumps(sample.labels): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_figures_tell_transports_apart(hub: HubProcess) -> None:
    """G6r: sessions, bytes, the time to the first event and changes of transport, by transport."""
    topic = "meeting/figures"
    step = frame_pb2.TransportStep(left="grpc-web", reason=frame_pb2.STEP_REASON_SILENT)
    odd = frame_pb2.TransportStep(left="carrier pigeon", reason=frame_pb2.STEP_REASON_PROBED)
    async with RawClient(hub.grpc) as client, open_socket(hub.http) as stream:
        await client.session(step=odd)
        await stream.welcomed(step=step)
        await stream.subscribe(topic)
        before = await asyncio.to_thread(figures, hub)
        assert before['rthub_sessions_now{"transport": "websocket"}'] == 1
        assert 'rthub_first_event_seconds_count{"transport": "websocket"}' in before
        await client.publish(draft(topic, 1))
        await stream.events(1)
        polled = await client.poll(frame_pb2.Subscribe(topic=topic), hello=hello(step=step))
        assert polled.frames
        await stream.leave()
    after = await asyncio.to_thread(figures, hub)
    sent = 'rthub_transport_bytes_total{"transport": "websocket"}'
    assert after[sent] - before[sent] >= 40
    assert after['rthub_first_event_seconds_count{"transport": "websocket"}'] == 1
    assert after['rthub_transport_bytes_total{"transport": "adaptive-poll"}'] > 0
    counted = {name: value for name, value in after.items() if "steps_total" in name}
    assert list(counted.values()) == [1, 1, 1]
    told = [json.loads(name[name.index("{") :]) for name in counted]
    assert {(one["left"], one["taken"], one["reason"]) for one in told} == {
        ("grpc-web", "websocket", "SILENT"),
        ("grpc-web", "adaptive-poll", "SILENT"),
        ("other", "grpc", "PROBED"),
    }
