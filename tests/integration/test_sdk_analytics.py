"""Figures published to a real hub, and worked out again by who reads the events behind them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import meeting_pb2
from shipspeak_realtime import RealtimeClient, figures_of

if TYPE_CHECKING:
    from tests.support.hub_process import HubProcess

SECONDS = 40
TOPIC = "meeting/figures"


async def test_a_reader_who_works_the_figures_out_again_gets_the_same(
    shared_hub: HubProcess,
) -> None:
    """L1: and who comes late needs the last update alone."""
    sizes = [100 * number for number in range(1, 31)]
    async with asyncio.timeout(SECONDS), RealtimeClient(shared_hub.grpc) as hub:
        async with hub.analytics(TOPIC) as figures:
            for size in sizes:
                await hub.publish(TOPIC, meeting_pb2.UploadProgress(sent_bytes=size))
                figures.add("uploads")
                figures.set("largest", size, unit="bytes")
        uploads, largest = 0, 0
        async for event in hub.subscribe(TOPIC, start="earliest"):
            if isinstance(event.payload, meeting_pb2.MeetingUpdate):
                uploads, largest = uploads + 1, event.payload.upload.sent_bytes
                continue
            told = figures_of(event)
            # What an update tells was published before it.
            assert told["uploads"].value <= uploads
            if uploads == len(sizes) and told["uploads"].value == uploads:
                break
        assert (told["largest"].value, told["largest"].unit) == (largest, "bytes")
        [last] = (await hub.read_history(TOPIC, limit=1, reverse=True)).events
        assert figures_of(last)["uploads"].value == len(sizes)
