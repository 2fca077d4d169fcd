"""What a refusal says when an earlier try of the same publish had no answer (G6)."""

from __future__ import annotations

import pytest

from shipspeak.realtime.v1 import frame_pb2
from shipspeak_realtime import AuthError, NetworkError, RealtimeError, ServerError
from tests.unit.sdk.test_lane import Answer, Hub, entries, lane_of, refused, with_outcome


@pytest.mark.parametrize("lost", [NetworkError("the answer"), "unknown", ServerError("cut")])
@pytest.mark.parametrize("refusal", [AuthError("ended"), "refused"])
async def test_a_refusal_behind_a_lost_answer_does_not_say_that_nothing_is_stored(
    lost: RealtimeError | str, refusal: RealtimeError | str
):
    hub = Hub()

    def store_and_lose(request: frame_pb2.PublishRequest) -> list[frame_pb2.PublishResult]:
        hub.store(request)
        if isinstance(lost, RealtimeError):
            raise lost
        return [with_outcome(draft, frame_pb2.OUTCOME_UNKNOWN) for draft in request.drafts]

    def refuse(request: frame_pb2.PublishRequest) -> list[frame_pb2.PublishResult]:
        if isinstance(refusal, RealtimeError):
            raise refusal
        return [refused(draft) for draft in request.drafts]

    hub._answers += [store_and_lose, refuse]
    lane = lane_of(hub)
    (entry,) = entries(lane, 1)
    await lane.work()
    error = entry.receipt.exception()
    assert isinstance(error, RealtimeError)
    assert error.may_be_stored
    assert "may be stored" in str(error)
    assert hub.log == ["d0"]


@pytest.mark.parametrize("before", ["", "busy"])
async def test_a_refusal_of_what_was_never_taken_says_so(before: str):
    busy: Answer = lambda request: [refused(draft, retry=True) for draft in request.drafts]  # noqa: E731
    hub = Hub(*([busy] if before else []), lambda _: AuthError("ended"))
    lane = lane_of(hub)
    (entry,) = entries(lane, 1)
    await lane.work()
    error = entry.receipt.exception()
    assert isinstance(error, AuthError)
    assert not error.may_be_stored
