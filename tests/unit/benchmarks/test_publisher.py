"""The publisher on the stock client, against the tutorial's hub, sound and doctored."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from benchmarks.publisher import Plan, PublishRefusedError, publish, run_apart
from benchmarks.tutorial_hub import TutorialHub
from shipspeak.realtime.v1 import frame_pb2
from tests.unit.benchmarks.doctored import serving

if TYPE_CHECKING:
    from collections.abc import Callable

_TOPICS = ("meeting/1", "meeting/2")


class _Changed(TutorialHub):
    """Answers as told."""

    def __init__(self, change: Callable[[list[frame_pb2.PublishResult]], None]) -> None:
        super().__init__()
        self._change = change

    def publish(self, request: frame_pb2.PublishRequest) -> list[frame_pb2.PublishResult]:
        results = super().publish(request)
        self._change(results)
        return results


def _refuse(results):
    results[0].outcome = frame_pb2.OUTCOME_REFUSED


def _double(results):
    results[0].duplicate = True


def _stand_still(results):
    for result in results:
        result.outcome, result.offset = frame_pb2.OUTCOME_STORED, 7


def _leave_out(results):
    results.pop()


@pytest.mark.parametrize(("in_flight", "batch"), [(1, 1), (8, 1), (8, 4)])
async def test_every_draft_is_answered_and_no_more_are_in_flight_than_told(in_flight, batch):
    seen: list[int] = []
    async with serving(_Changed(lambda results: seen.append(len(results)))) as port:
        outcome = await publish(Plan(port, _TOPICS, in_flight, batch, seconds=0.5))
    assert outcome.published == sum(seen) > 0
    assert set(seen) == {batch}
    assert outcome.p50_ms <= outcome.p99_ms


async def test_a_paced_publisher_keeps_its_rate():
    async with serving(TutorialHub()) as port:
        outcome = await publish(Plan(port, _TOPICS, 4, 1, seconds=1.0, rate=50))
    assert 2 <= outcome.published <= 51


@pytest.mark.parametrize("change", [_refuse, _double, _stand_still, _leave_out])
async def test_an_unsound_answer_ends_the_run(change):
    async with serving(_Changed(change)) as port:
        with pytest.raises(ExceptionGroup) as raised:
            await publish(Plan(port, ("meeting/1",), 2, 2, seconds=5))
    assert isinstance(raised.value.exceptions[0], PublishRefusedError)


async def test_the_process_of_its_own_reports_the_same():
    async with serving(TutorialHub()) as port:
        outcome = await asyncio.to_thread(run_apart, Plan(port, _TOPICS, 4, 2, seconds=0.5))
    assert outcome.published > 0
    assert outcome.cpu_seconds > 0
