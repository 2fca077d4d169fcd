"""The publisher's workers: what ends them, and what those hear who wait."""

from __future__ import annotations

import asyncio

import pytest

from shipspeak.realtime.v1 import event_pb2, frame_pb2, realtime_service_pb2
from shipspeak_realtime import ClosedError, RealtimeError, Stats
from shipspeak_realtime.publish import Publisher
from tests.unit.sdk.manual_clock import ManualClock, settle


class Calls:
    """Stands where the unary calls stand: stores, or fails as a test says."""

    def __init__(self) -> None:
        self.fault: BaseException | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.log: list[str] = []

    async def publish(
        self, request: frame_pb2.PublishRequest
    ) -> realtime_service_pb2.PublishResponse:
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        self.log += [draft.id for draft in request.drafts]
        stored = frame_pb2.OUTCOME_STORED
        return realtime_service_pb2.PublishResponse(
            results=[
                frame_pb2.PublishResult(id=draft.id, outcome=stored, epoch=7, offset=1)
                for draft in request.drafts
            ]
        )


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def publisher(calls: Calls) -> Publisher:
    return Publisher(calls, ManualClock(), Stats(), lambda: 0.0)  # type: ignore[arg-type]


def draft(number: int = 0, topic: str = "meeting/1") -> event_pb2.Draft:
    return event_pb2.Draft(id=f"d{number}", topic=topic)


async def test_an_unknown_failure_reaches_all_who_wait_and_harms_no_later_call(
    publisher: Publisher, calls: Calls, caplog: pytest.LogCaptureFixture
):
    calls.fault = KeyError("mine")
    outcomes = await asyncio.gather(
        *(publisher.publish(draft(number), 5) for number in range(3)), return_exceptions=True
    )
    for outcome in outcomes:
        assert isinstance(outcome, RealtimeError)
        assert not isinstance(outcome, ClosedError)
        assert "KeyError('mine')" in str(outcome)
        assert outcome.__cause__ is calls.fault
    assert "publishing to meeting/1 failed" in caplog.text
    calls.fault = None
    assert (await publisher.publish(draft(3), 5)).id == "d3"


async def test_closing_tells_those_who_wait_that_the_client_was_closed(
    publisher: Publisher, calls: Calls
):
    calls.gate.clear()
    waiting = asyncio.create_task(publisher.publish(draft(), 5))
    await settle()
    await publisher.close()
    with pytest.raises(ClosedError):
        await waiting


async def test_a_worker_cancelled_from_outside_is_not_a_closed_client(
    publisher: Publisher, calls: Calls
):
    calls.fault = asyncio.CancelledError()
    with pytest.raises(RealtimeError, match="cancelled") as caught:
        await publisher.publish(draft(), 5)
    assert not isinstance(caught.value, ClosedError)
