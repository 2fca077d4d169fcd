"""One topic's publishing against a hub that fails in every way a result can say."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence

import pytest
from google.rpc.code_pb2 import INVALID_ARGUMENT, UNAVAILABLE
from hypothesis import given
from hypothesis import strategies as st

from shipspeak.realtime.v1 import error_reason_pb2, event_pb2, frame_pb2
from shipspeak_realtime import (
    AuthError,
    InvalidRequestError,
    NetworkError,
    OutboxFullError,
    ProtocolError,
    RealtimeError,
    ServerError,
    Stats,
)
from shipspeak_realtime.backoff import Backoff
from shipspeak_realtime.lane import Lane
from shipspeak_realtime.outbox import BATCH_BYTES, BATCH_DRAFTS, Entry, Outbox, take_batch
from tests.unit.sdk.manual_clock import ManualClock

Answer = Callable[[frame_pb2.PublishRequest], Sequence[frame_pb2.PublishResult] | RealtimeError]


class Hub:
    """A log, and the answers that a test scripts; without one it stores."""

    def __init__(self, *answers: Answer) -> None:
        self.log: list[str] = []
        self.requests: list[frame_pb2.PublishRequest] = []
        self.pauses: list[float] = []
        self.in_flight = 0
        self._answers = list(answers)

    async def send(self, request: frame_pb2.PublishRequest) -> Sequence[frame_pb2.PublishResult]:
        assert self.in_flight == 0, "one batch of a topic at a time"
        self.in_flight += 1
        await asyncio.sleep(0)
        self.in_flight -= 1
        copy = frame_pb2.PublishRequest()
        copy.CopyFrom(request)
        self.requests.append(copy)
        answer = self._answers.pop(0)(request) if self._answers else self.store(request)
        if isinstance(answer, RealtimeError):
            raise answer
        return answer

    def store(self, request: frame_pb2.PublishRequest) -> list[frame_pb2.PublishResult]:
        return [self.store_one(draft) for draft in request.drafts]

    def store_one(self, draft: event_pb2.Draft) -> frame_pb2.PublishResult:
        duplicate = draft.id in self.log
        if not duplicate:
            self.log.append(draft.id)
        offset = self.log.index(draft.id) + 1
        return frame_pb2.PublishResult(
            id=draft.id,
            outcome=frame_pb2.OUTCOME_STORED,
            epoch=7,
            offset=offset,
            duplicate=duplicate,
        )

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


def lane_of(hub: Hub, jitter: float = 0.0) -> Lane:
    return Lane(hub.send, hub.pause, Backoff(lambda: jitter), ManualClock(), Stats())


def entries(lane: Lane, count: int) -> list[Entry]:
    outbox = Outbox()
    made = [outbox.admit(event_pb2.Draft(id=f"d{n}", topic="meeting/1")) for n in range(count)]
    for entry in made:
        lane.add(entry)
    return made


def refused(draft: event_pb2.Draft, *, retry: bool = False) -> frame_pb2.PublishResult:
    error = event_pb2.Error(
        code=UNAVAILABLE if retry else INVALID_ARGUMENT,
        reason=error_reason_pb2.ERROR_REASON_PAYLOAD_NOT_ALLOWED,
        message="no",
    )
    if retry:
        error.retry_after.seconds = 2
    return frame_pb2.PublishResult(id=draft.id, outcome=frame_pb2.OUTCOME_REFUSED, error=error)


def with_outcome(
    draft: event_pb2.Draft, outcome: frame_pb2.Outcome.ValueType
) -> frame_pb2.PublishResult:
    return frame_pb2.PublishResult(id=draft.id, outcome=outcome)


async def test_what_waits_goes_in_one_batch():
    hub = Hub()
    lane = lane_of(hub)
    made = entries(lane, 5)
    await lane.work()
    assert [len(request.drafts) for request in hub.requests] == [5]
    assert [entry.receipt.result().offset for entry in made] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "failure",
    [NetworkError("x"), ServerError("cut"), ServerError("x", reason="INTERNAL", retry_after=1.0)],
    ids=str,
)
async def test_a_failed_call_is_repeated_with_the_same_ids(failure: RealtimeError):
    hub = Hub(lambda _request: failure)
    lane = lane_of(hub)
    made = entries(lane, 3)
    await lane.work()
    assert hub.log == ["d0", "d1", "d2"]
    assert len(hub.pauses) == 1
    assert not any(draft.HasField("first_sent_at") for draft in hub.requests[0].drafts)
    assert all(draft.HasField("first_sent_at") for draft in hub.requests[1].drafts)
    assert all(entry.receipt.done() for entry in made)


async def test_a_call_that_stored_before_it_broke_gives_the_first_offsets():
    hub = Hub(lambda request: (hub.store(request), NetworkError("cut"))[1])
    lane = lane_of(hub)
    made = entries(lane, 3)
    await lane.work()
    assert [entry.receipt.result().offset for entry in made] == [1, 2, 3]
    assert all(entry.receipt.result().duplicate for entry in made)


async def test_unknown_and_what_followed_it_are_sent_again_in_order():
    def answer(request: frame_pb2.PublishRequest) -> list[frame_pb2.PublishResult]:
        first, second, *rest = request.drafts
        return [
            hub.store_one(first),
            with_outcome(second, frame_pb2.OUTCOME_UNKNOWN),
            *(with_outcome(draft, frame_pb2.OUTCOME_NOT_ATTEMPTED) for draft in rest),
        ]

    hub = Hub(answer)
    lane = lane_of(hub)
    entries(lane, 4)
    await lane.work()
    assert hub.log == ["d0", "d1", "d2", "d3"]
    assert [draft.id for draft in hub.requests[1].drafts] == ["d1", "d2", "d3"]
    assert hub.pauses == [0.25]


async def test_a_batch_in_doubt_is_one_failed_try():
    def answer(request: frame_pb2.PublishRequest) -> list[frame_pb2.PublishResult]:
        return [with_outcome(draft, frame_pb2.OUTCOME_UNKNOWN) for draft in request.drafts]

    hub = Hub(answer)
    lane = lane_of(hub, jitter=1.0)
    entries(lane, 50)
    await lane.work()
    assert hub.log == [f"d{n}" for n in range(50)]
    assert hub.pauses == [0.75]


async def test_a_refused_draft_fails_alone_and_the_rest_goes_on():
    def answer(request: frame_pb2.PublishRequest) -> list[frame_pb2.PublishResult]:
        return [
            refused(request.drafts[0]),
            *(with_outcome(d, frame_pb2.OUTCOME_NOT_ATTEMPTED) for d in request.drafts[1:]),
        ]

    hub = Hub(answer)
    lane = lane_of(hub)
    made = entries(lane, 3)
    await lane.work()
    error = made[0].receipt.exception()
    assert isinstance(error, InvalidRequestError)
    assert (error.reason, error.topic, error.request_id) == (
        "PAYLOAD_NOT_ALLOWED",
        "meeting/1",
        "d0",
    )
    assert hub.log == ["d1", "d2"]


async def test_a_refusal_with_a_time_is_waited_for():
    hub = Hub(lambda request: [refused(request.drafts[0], retry=True)])
    lane = lane_of(hub)
    made = entries(lane, 1)
    await lane.work()
    assert hub.pauses == [2.0]
    assert made[0].receipt.result().offset == 1


async def test_a_refused_batch_is_sent_one_by_one_to_find_the_one_to_blame():
    def refuse(
        request: frame_pb2.PublishRequest,
    ) -> Sequence[frame_pb2.PublishResult] | RealtimeError:
        if any(draft.id == "d1" for draft in request.drafts):
            return InvalidRequestError("bad", reason="FIELD_INVALID")
        return hub.store(request)

    hub = Hub(*[refuse] * 4)
    lane = lane_of(hub)
    made = entries(lane, 3)
    await lane.work()
    assert hub.log == ["d0", "d2"]
    assert [len(request.drafts) for request in hub.requests] == [3, 1, 1, 1]
    assert getattr(made[1].receipt.exception(), "request_id", None) == "d1"


async def test_a_refused_token_fails_all_that_went():
    hub = Hub(lambda _request: AuthError("no", reason="TOKEN_EXPIRED"))
    lane = lane_of(hub)
    made = entries(lane, 2)
    await lane.work()
    assert all(isinstance(entry.receipt.exception(), AuthError) for entry in made)


async def test_a_wrong_number_of_results_is_the_protocols_fault():
    hub = Hub(lambda _request: [])
    lane = lane_of(hub)
    made = entries(lane, 1)
    await lane.work()
    assert isinstance(made[0].receipt.exception(), ProtocolError)


async def test_what_its_caller_gave_up_is_not_sent():
    hub = Hub()
    lane = lane_of(hub)
    made = entries(lane, 3)
    made[1].receipt.cancel()
    await lane.work()
    assert hub.log == ["d0", "d2"]


@given(st.integers(1, 30), st.integers(0, 2**32), st.integers(0, 12))
async def test_every_script_of_failures_ends_in_the_callers_order(
    count: int, seed: int, failures: int
):
    rng = random.Random(seed)  # noqa: S311 - a script of failures

    def fail(
        request: frame_pb2.PublishRequest,
    ) -> Sequence[frame_pb2.PublishResult] | RealtimeError:
        cut = rng.randrange(len(request.drafts) + 1)
        stored = [hub.store_one(draft) for draft in request.drafts[:cut]]
        if cut == len(request.drafts) or rng.random() < 0.5:
            return NetworkError("the answer was lost")
        unknown = with_outcome(request.drafts[cut], frame_pb2.OUTCOME_UNKNOWN)
        if rng.random() < 0.5:
            hub.store_one(request.drafts[cut])
        rest = [
            with_outcome(draft, frame_pb2.OUTCOME_NOT_ATTEMPTED)
            for draft in request.drafts[cut + 1 :]
        ]
        return [*stored, unknown, *rest]

    hub = Hub(*[fail] * failures)
    lane = lane_of(hub)
    made = entries(lane, count)
    await lane.work()
    assert hub.log == [entry.draft.id for entry in made]
    assert [entry.receipt.result().offset for entry in made] == list(range(1, count + 1))


def entry_of(size: int) -> Entry:
    return Entry(event_pb2.Draft(), asyncio.Future(), size)


async def test_batches_are_bounded_by_number_and_bytes():
    assert len(take_batch(deque(entry_of(1) for _ in range(600)), BATCH_DRAFTS)) == 500
    assert len(take_batch(deque(entry_of(BATCH_BYTES // 2) for _ in range(3)), BATCH_DRAFTS)) == 2
    assert len(take_batch(deque([entry_of(BATCH_BYTES * 2)]), BATCH_DRAFTS)) == 1


async def test_the_outbox_is_bounded_and_lets_go():
    outbox = Outbox(max_drafts=2)
    first = outbox.admit(event_pb2.Draft(id="a", topic="meeting/1"))
    outbox.admit(event_pb2.Draft(id="b", topic="meeting/1"))
    with pytest.raises(OutboxFullError) as caught:
        outbox.admit(event_pb2.Draft(id="c", topic="meeting/1"))
    assert caught.value.request_id == "c"
    outbox.release(first)
    outbox.admit(event_pb2.Draft(id="c", topic="meeting/1"))
    assert outbox.drafts == 2
    with pytest.raises(OutboxFullError):
        Outbox(max_bytes=3).admit(event_pb2.Draft(id="abc", topic="meeting/1"))
