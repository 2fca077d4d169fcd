"""Scheduled publishing by the SDK, over a kill of a real hub."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from hub.engine.sqlite.schedule import LONGEST_SLEEP_S
from shipspeak.realtime.v1 import notification_pb2
from shipspeak_realtime import InvalidRequestError, Outcome, RealtimeClient

if TYPE_CHECKING:
    from tests.support.hub_process import HubProcess

TOPIC = "user/alice"


def _notification(title: str) -> notification_pb2.Notification:
    return notification_pb2.Notification(title=title)


def _in(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def test_a_draft_is_delivered_when_it_is_due(hub: HubProcess) -> None:
    """C1: a notification for later, promptly when its time has come."""
    async with RealtimeClient(hub.grpc) as client, asyncio.timeout(40):
        reading = aiter(client.subscribe(TOPIC, start="earliest"))
        due = _in(3.0)
        receipt = await client.publish(TOPIC, _notification("later"), id="a", deliver_at=due)
        assert (receipt.outcome, receipt.offset) == (Outcome.SCHEDULED, 0)
        again = await client.publish(TOPIC, _notification("later"), id="a", deliver_at=due)
        assert (again.outcome, again.duplicate) == (Outcome.SCHEDULED, True)
        await client.publish(TOPIC, _notification("now"))
        assert (await anext(reading)).content.notification.title == "now"
        event = await anext(reading)
        late = (datetime.now(UTC) - due).total_seconds()
        assert (event.id, event.offset) == ("a", 2)
        assert event.published_at >= due - timedelta(milliseconds=1)
        assert 0 <= late < LONGEST_SLEEP_S / 2, "by a timer, and not by a look now and then"
        known = await client.publish(TOPIC, _notification("later"), id="a", deliver_at=_in(90))
        assert (known.outcome, known.offset, known.duplicate) == (Outcome.STORED, 2, True)
        assert not await client.cancel_scheduled(TOPIC, "a")


async def test_it_waits_through_a_kill_and_comes_late_but_once(hub: HubProcess) -> None:
    async with RealtimeClient(hub.grpc) as client, asyncio.timeout(40):
        await client.publish(TOPIC, _notification("x"), id="a", deliver_at=_in(0.5))
        await client.publish(TOPIC, _notification("y"), id="b", deliver_at=_in(3600))
        await client.publish(TOPIC, _notification("z"), id="c", deliver_at=_in(0.5), ttl=0.1)
        await asyncio.to_thread(hub.kill)
        await asyncio.sleep(0.8)  # its time comes while nobody is there
        await asyncio.to_thread(hub.start)
        reading = aiter(client.subscribe(TOPIC, start="earliest"))
        assert (await anext(reading)).id == "a"
        assert await client.cancel_scheduled(TOPIC, "b")
        assert not await client.cancel_scheduled(TOPIC, "b")
        assert (await client.publish(TOPIC, _notification("last"), id="d")).offset == 3
        assert (await anext(reading)).id == "d"
        assert client.stats().expired == 1, "c took its place, was not delivered, and is counted"


async def test_what_cannot_be_scheduled_is_refused(shared_hub: HubProcess) -> None:
    async with RealtimeClient(shared_hub.grpc) as client:
        for topic, more in (
            (TOPIC, {"deliver_at": _in(366 * 86_400)}),
            (TOPIC, {"deliver_at": _in(60), "expected_offset": 0}),
        ):
            with pytest.raises(InvalidRequestError):
                await client.publish(topic, _notification("x"), **more)
        progress = notification_pb2.Notification(title="x")
        with pytest.raises(InvalidRequestError):
            await client.publish("signal/1", progress, deliver_at=_in(60))
        past = await client.publish(TOPIC, _notification("past"), deliver_at=_in(-60))
        assert past.outcome is Outcome.STORED
