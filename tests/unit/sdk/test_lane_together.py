"""Drafts that are stored all or none: one batch of their own, settled as one."""

from __future__ import annotations

import pytest

from shipspeak.realtime.v1 import frame_pb2
from shipspeak_realtime import InvalidRequestError, NetworkError, RealtimeError
from tests.unit.sdk.test_lane import Hub, entries, lane_of, refused, with_outcome

NOT_ATTEMPTED = frame_pb2.OUTCOME_NOT_ATTEMPTED


def _batches(hub: Hub) -> list[tuple[list[str], bool]]:
    return [
        ([draft.id for draft in request.drafts], request.all_or_nothing) for request in hub.requests
    ]


async def test_a_group_goes_whole_and_alone_in_its_place() -> None:
    """G3: before it what came before, and after it what came after."""
    hub = Hub()
    lane = lane_of(hub)
    made = entries(lane, 6)
    for entry in made[2:4]:
        entry.group = made
    await lane.work()
    assert _batches(hub) == [(["d0", "d1"], False), (["d2", "d3"], True), (["d4", "d5"], False)]
    assert [entry.receipt.result().offset for entry in made] == [1, 2, 3, 4, 5, 6]


async def test_one_refusal_is_everyones_and_what_comes_after_goes_on() -> None:
    hub = Hub(
        lambda request: [
            with_outcome(request.drafts[0], NOT_ATTEMPTED),
            refused(request.drafts[1]),
        ]
    )
    lane = lane_of(hub)
    made = entries(lane, 3)
    for entry in made[:2]:
        entry.group = made
    await lane.work()
    for entry in made[:2]:
        error = entry.receipt.exception()
        assert isinstance(error, InvalidRequestError)
        assert error.request_id == "d1"
    assert hub.log == ["d2"]


@pytest.mark.parametrize("failure", ["call", "unknown", "later"])
async def test_a_group_is_repeated_as_a_whole(failure: str) -> None:
    def answer(
        request: frame_pb2.PublishRequest,
    ) -> list[frame_pb2.PublishResult] | RealtimeError:
        if failure == "call":
            return NetworkError("x")
        if failure == "unknown":
            return [with_outcome(draft, frame_pb2.OUTCOME_UNKNOWN) for draft in request.drafts]
        return [
            with_outcome(request.drafts[0], NOT_ATTEMPTED),
            refused(request.drafts[1], retry=True),
        ]

    hub = Hub(answer)
    lane = lane_of(hub)
    made = entries(lane, 2)
    for entry in made:
        entry.group = made
    await lane.work()
    assert _batches(hub) == [(["d0", "d1"], True)] * 2
    assert hub.log == ["d0", "d1"]


async def test_a_group_that_is_refused_as_a_call_is_not_taken_apart() -> None:
    hub = Hub(lambda _request: InvalidRequestError("too large", reason="BATCH_TOO_LARGE"))
    lane = lane_of(hub)
    made = entries(lane, 2)
    for entry in made:
        entry.group = made
    await lane.work()
    assert len(hub.requests) == 1
    assert all(isinstance(entry.receipt.exception(), InvalidRequestError) for entry in made)
