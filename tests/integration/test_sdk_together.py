"""All or nothing by the SDK, on a real hub."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from shipspeak.realtime.v1 import event_pb2, metrics_pb2
from shipspeak_realtime import InvalidRequestError, RealtimeClient, RealtimeError, make_draft
from shipspeak_realtime.contents import make_content

if TYPE_CHECKING:
    from tests.support.hub_process import HubProcess


def _draft(topic: str, name: str, expected_offset: int | None = None) -> event_pb2.Draft:
    metric = metrics_pb2.MetricsUpdate()
    metric.metrics.add(name=name, value=1)
    return make_draft(topic, make_content(metric), draft_id=name, expected_offset=expected_offset)


async def test_all_are_stored_or_none(shared_hub: HubProcess) -> None:
    topic = "meeting/together"
    async with RealtimeClient(shared_hub.grpc) as client, asyncio.timeout(20):
        good = [_draft(topic, name) for name in ("a", "b")]
        receipts = await client.publish_many(good, all_or_nothing=True)
        assert [receipt.offset for receipt in receipts] == [1, 2]
        wrong = [_draft(topic, "c"), _draft(topic, "d", expected_offset=9)]
        with pytest.raises(RealtimeError) as refused:
            await client.publish_many(wrong, all_or_nothing=True)
        assert refused.value.reason == "OFFSET_MISMATCH"
        again = [_draft(topic, "c"), _draft(topic, "d")]
        receipts = await client.publish_many(again, all_or_nothing=True)
        assert [receipt.offset for receipt in receipts] == [3, 4]
        with pytest.raises(InvalidRequestError):
            await client.publish_many(
                [_draft(topic, "e"), _draft("meeting/other", "f")], all_or_nothing=True
            )
        assert [event.id for event in (await client.read_history(topic)).events] == list("abcd")
