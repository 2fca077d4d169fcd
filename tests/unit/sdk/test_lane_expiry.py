"""Drafts that wait on disk: their time runs while they wait, and faults on the way keep order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipspeak_realtime import NetworkError, ServerBusyError
from tests.unit.sdk.test_lane import Hub, entries, lane_of

if TYPE_CHECKING:
    from shipspeak.realtime.v1 import frame_pb2


async def test_the_time_of_a_draft_runs_while_it_waits():
    told: list[float] = []

    def note(request: frame_pb2.PublishRequest) -> list[frame_pb2.PublishResult]:
        told.extend(draft.ttl.ToMilliseconds() / 1000 for draft in request.drafts)
        return hub.store(request)

    hub = Hub(lambda _: NetworkError("away"), note)
    lane = lane_of(hub)
    short, long = entries(lane, 2)
    now = lane._clock.now()
    short.expires_at, long.expires_at = now - 1, now + 60
    await lane.work()
    assert short.receipt.cancelled()
    assert long.receipt.result().id == "d1"
    assert len(told) == 1
    assert told[0] <= 60


async def test_what_comes_back_without_a_reason_keeps_its_place():
    hub = Hub(lambda _: ServerBusyError("a proxy is full"))
    lane = lane_of(hub)
    waiting = entries(lane, 3)
    for entry in waiting:
        entry.durable = True
    await lane.work()
    assert hub.log == ["d0", "d1", "d2"]
    assert all(entry.receipt.result() for entry in waiting)
