"""The publisher's workers: what ends them, and what those hear who wait."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from shipspeak.realtime.v1 import event_pb2, frame_pb2, realtime_service_pb2
from shipspeak_realtime import (
    ClosedError,
    DeadlineError,
    OutboxFullError,
    RealtimeError,
    Stats,
)
from shipspeak_realtime.many import publish_many
from shipspeak_realtime.publish import Publisher
from tests.unit.sdk.manual_clock import ManualClock, settle

if TYPE_CHECKING:
    from collections.abc import Iterator


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


async def test_closing_tells_those_whose_publishing_has_not_begun(publisher: Publisher):
    waiting = asyncio.create_task(publisher.publish(draft(), 5))
    await asyncio.sleep(0)
    # The worker has not had its first turn: cancelled now, none of its lines run.
    assert publisher._workers
    await publisher.close()
    with pytest.raises(ClosedError):
        await waiting
    assert publisher._outbox.drafts == 0


async def test_a_worker_cancelled_from_outside_is_not_a_closed_client(
    publisher: Publisher, calls: Calls
):
    calls.fault = asyncio.CancelledError()
    with pytest.raises(RealtimeError, match="cancelled") as caught:
        await publisher.publish(draft(), 5)
    assert not isinstance(caught.value, ClosedError)


async def test_many_drafts_are_fed_as_room_appears(publisher: Publisher, calls: Calls):
    publisher._outbox.max_drafts = 3
    drafts = [draft(number) for number in range(10)]
    receipts = await publish_many(publisher, drafts, 5)
    ids = [each.id for each in drafts]
    assert [receipt.id for receipt in receipts] == ids
    assert calls.log == ids
    assert publisher._outbox.drafts == 0


async def test_many_drafts_are_taken_from_the_caller_no_faster_than_they_go(
    publisher: Publisher, calls: Calls
):
    publisher._outbox.max_drafts = 3
    calls.gate.clear()
    taken: list[int] = []

    def drafts() -> Iterator[event_pb2.Draft]:
        for number in range(10):
            taken.append(number)
            yield draft(number)

    publishing = asyncio.create_task(publish_many(publisher, drafts(), 5))
    await settle()
    assert taken == [0, 1, 2, 3]
    calls.gate.set()
    assert len(await publishing) == 10


async def test_the_first_failure_of_many_is_told_once_all_have_ended(
    publisher: Publisher, calls: Calls
):
    publisher._outbox.max_bytes = 100
    big = event_pb2.Draft(id="big", topic="meeting/1", content=event_pb2.Content(key="x" * 200))
    with pytest.raises(OutboxFullError) as caught:
        await publish_many(publisher, [draft(0), big, draft(1)], 5)
    assert caught.value.request_id == "big"
    assert calls.log == ["d0", "d1"]


@pytest.mark.parametrize("room", [2, 100])
async def test_many_drafts_that_take_too_long_name_the_first_without_a_receipt(
    publisher: Publisher, calls: Calls, room: int
):
    publisher._outbox.max_drafts = room
    await publisher.publish(draft(0), 5)
    calls.gate.clear()
    with pytest.raises(DeadlineError) as caught:
        await publish_many(publisher, [draft(number) for number in range(1, 6)], 0.05)
    assert (caught.value.request_id, caught.value.reason) == ("d1", "OUTCOME_UNKNOWN")
    await settle()
    assert publisher._outbox.drafts == 0


async def test_closing_ends_many_drafts_that_wait_for_room(publisher: Publisher, calls: Calls):
    publisher._outbox.max_drafts = 2
    calls.gate.clear()
    publishing = asyncio.create_task(publish_many(publisher, map(draft, range(5)), 5))
    await settle()
    await publisher.close()
    with pytest.raises(ClosedError):
        await publishing
