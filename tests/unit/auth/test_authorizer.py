"""I1, G10: the authorizer fails closed, is asked once, and holds nobody up."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from hub.auth.authorizer import MAX_ASKED, MAX_KEPT, Authorizer
from hub.auth.circuit import FAILURES, REST_SECONDS, Circuit
from hub.errors import PermissionDenied, Unavailable
from tests.support.manual_clock import ManualClock

KEEP = 30.0


class Service:
    """Answers as the test says."""

    def __init__(self) -> None:
        self.answer: bool | Exception = True
        self.asked: list[tuple[str, str, str]] = []
        self.hangs = False

    async def __call__(self, subject: str, action: str, topic: str) -> bool:
        self.asked.append((subject, action, topic))
        if self.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Bench:
    """An authorizer, its service and its clocks."""

    def __init__(self, timeout: float = 30.0) -> None:
        self.clock, self.rising = ManualClock(), ManualClock(0.0)
        self.service = Service()
        self.counted: Counter[str] = Counter()
        self.authorizer = Authorizer(
            self.service,
            self.clock,
            timeout=timeout,
            keep=KEEP,
            count=lambda outcome: self.counted.update([outcome]),
            rising=self.rising,
        )

    async def ask(self, topic: str = "meeting/1", *, again: bool = False) -> float:
        await self.authorizer.prepare("alice", "subscribe", (topic,), again=again)
        return self.authorizer.require("alice", "subscribe", topic)


async def test_an_answer_counts_for_its_time_and_for_its_question_alone() -> None:
    bench = Bench()
    until = await bench.ask()
    assert until == bench.clock.now + KEEP
    bench.clock.advance(KEEP - 1)
    assert await bench.ask() == until
    assert bench.service.asked == [("alice", "subscribe", "meeting/1")]
    for subject, action, topic in (
        ("bob", "subscribe", "meeting/1"),
        ("alice", "publish", "meeting/1"),
        ("alice", "subscribe", "meeting/2"),
    ):
        with pytest.raises(Unavailable):
            bench.authorizer.require(subject, action, topic)
    bench.service.answer = False
    bench.clock.advance(1)
    with pytest.raises(PermissionDenied) as denied:
        await bench.ask()
    assert denied.value.metadata == {"right": "subscribe"}
    assert bench.counted == {"allowed": 1, "denied": 1}


async def test_callers_share_a_question_and_one_who_leaves_does_not_end_it() -> None:
    bench = Bench()
    tasks = [asyncio.create_task(bench.ask()) for _ in range(10)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(done[0], asyncio.CancelledError)
    assert set(done[1:]) == {bench.clock.now + KEEP}
    assert len(bench.service.asked) == 1


async def test_what_fails_is_not_allowed_and_what_is_known_counts_on() -> None:
    """It fails closed, and asks again at the next call."""
    bench = Bench()
    bench.service.answer = OSError("gone")
    with pytest.raises(Unavailable) as unknown:
        await bench.ask()
    assert unknown.value.reason_name == "AUTHORIZER_UNAVAILABLE"
    assert unknown.value.retry_after
    bench.service.answer = True
    until = await bench.ask()
    bench.service.answer = ValueError("no JSON")
    assert await bench.ask(again=True) == until
    bench.clock.advance(KEEP)
    with pytest.raises(Unavailable):
        await bench.ask()


async def test_one_that_hangs_is_left_alone_and_found_again() -> None:
    bench = Bench(timeout=0.01)
    bench.service.hangs = True
    for number in range(FAILURES + 20):
        with pytest.raises(Unavailable):
            await bench.ask(f"meeting/{number}")
    assert len(bench.service.asked) == FAILURES
    assert bench.counted["skipped"] == 20
    bench.service.hangs = False
    bench.rising.advance(REST_SECONDS)
    await bench.ask()
    await bench.ask("meeting/2")
    assert bench.counted["allowed"] == 2


async def test_questions_wait_for_their_turn_within_the_same_time() -> None:
    bench = Bench(timeout=0.05)
    bench.service.hangs = True
    topics = [f"meeting/{number}" for number in range(5 * MAX_ASKED)]
    await bench.authorizer.prepare("alice", "subscribe", topics)
    # Each has waited for its turn within its own time, so that most were never asked.
    assert len(bench.service.asked) < len(topics)
    with pytest.raises(Unavailable):
        bench.authorizer.require("alice", "subscribe", topics[-1])
    # To have waited for a turn is nobody's failure.
    assert bench.counted["skipped"] >= len(topics) - len(bench.service.asked)
    assert bench.counted["failed"] <= len(bench.service.asked)
    await bench.authorizer.stop()


async def test_the_memory_of_answers_is_bounded() -> None:
    bench = Bench()
    topics = [f"meeting/{number}" for number in range(MAX_KEPT + 10)]
    await bench.authorizer.prepare("alice", "subscribe", topics)
    assert len(bench.authorizer) == MAX_KEPT


async def test_the_hub_s_own_books_are_nobody_s_to_allow() -> None:
    bench = Bench()
    with pytest.raises(PermissionDenied):
        await bench.ask("control/audit")
    assert bench.service.asked == []


def test_a_circuit_lets_one_try_through_after_each_rest() -> None:
    circuit = Circuit()
    for _ in range(FAILURES):
        assert circuit.allows(0.0)
        circuit.failed(0.0)
    assert not circuit.allows(REST_SECONDS - 0.1)
    assert circuit.allows(REST_SECONDS)
    assert not circuit.allows(REST_SECONDS)
    circuit.failed(REST_SECONDS)
    assert not circuit.allows(2 * REST_SECONDS - 0.1)
    assert circuit.allows(2 * REST_SECONDS)
    circuit.succeeded()
    assert circuit.allows(0.0)
