"""Cursors that lie before the ring are judged once for all who hold the same."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any

import pytest

from hub.engine.contract import Verdict
from hub.fanout.places import ProvedPlaces
from hub.model.cursor import Cursor
from tests.support.topic_bench import TOPIC, TopicBench
from tests.support.until import until

if TYPE_CHECKING:
    from hub.engine.contract import Resume


class _Counted(TopicBench):
    """Counts what the engine is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self._resume = self.engine.resume
        self.engine.resume = self._count  # type: ignore[method-assign]

    async def _count(self, topic: str, cursor: Cursor) -> Resume:
        self.asked += 1
        await asyncio.sleep(0)
        return await self._resume(topic, cursor)


@pytest.fixture
async def bench() -> _Counted:
    made = _Counted()
    await made.publish(10)
    return made


async def test_all_who_hold_the_same_cursor_cost_one_question(bench: _Counted) -> None:
    epoch = bench.engine.log(TOPIC).epoch
    places = ProvedPlaces(bench.engine, TOPIC, epoch)
    cursor = Cursor(epoch, 3, "e3")
    assert not places.prove(cursor)
    resumes = await asyncio.gather(*(places.judge(cursor) for _ in range(20)))
    assert {resume.verdict for resume in resumes} == {Verdict.OK}
    assert bench.asked == 1
    assert places.prove(Cursor(epoch, 3, "e3", as_of_ms=7)), "whenever it was made"
    for other in (
        Cursor(epoch, 3, "other"),
        Cursor(epoch, 3),
        Cursor(epoch, 4, "e4"),
        Cursor(epoch + 1, 3, "e3"),
    ):
        assert not places.prove(other)
    places.trimmed(3)
    assert places.prove(cursor), "nothing behind it is gone"
    places.trimmed(4)
    assert not places.prove(cursor)


async def test_only_what_the_log_proves_is_remembered(bench: _Counted) -> None:
    epoch = bench.engine.log(TOPIC).epoch
    places = ProvedPlaces(bench.engine, TOPIC, epoch)
    wrong = Cursor(epoch, 3, "other")
    assert (await places.judge(wrong)).verdict is Verdict.RESET
    assert not places.prove(wrong)


async def test_places_are_few(bench: _Counted) -> None:
    await bench.publish(200)
    epoch = bench.engine.log(TOPIC).epoch
    places = ProvedPlaces(bench.engine, TOPIC, epoch)
    for offset in range(1, 201):
        await places.judge(Cursor(epoch, offset, f"e{offset}"))
    remembered = [n for n in range(1, 201) if places.prove(Cursor(epoch, n, f"e{n}"))]
    assert remembered == list(range(137, 201))


@pytest.mark.parametrize("turns", range(8))
async def test_whoever_comes_right_behind_the_answer_does_not_ask_again(
    bench: _Counted, turns: int
) -> None:
    """F3: so many turns of the loop behind the first: also before who waited has its answer."""
    epoch = bench.engine.log(TOPIC).epoch
    places = ProvedPlaces(bench.engine, TOPIC, epoch)
    cursor = Cursor(epoch, 3, "e3")
    first = asyncio.ensure_future(places.judge(cursor))
    for _ in range(turns):
        await asyncio.sleep(0)
    if not places.prove(cursor):
        assert (await places.judge(cursor)).verdict is Verdict.OK
    await first
    assert bench.asked == 1


async def test_a_question_that_fails_when_everyone_has_left_is_no_fault(
    bench: _Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    epoch = bench.engine.log(TOPIC).epoch
    places, answer = ProvedPlaces(bench.engine, TOPIC, epoch), asyncio.Event()

    async def fail(*_: object) -> Resume:
        await answer.wait()
        raise OSError

    monkeypatch.setattr(bench.engine, "resume", fail)
    waiting = asyncio.ensure_future(places.judge(Cursor(epoch, 3, "e3")))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    del waiting
    answer.set()
    await until(lambda: not places._asked)
    await asyncio.sleep(0)
    gc.collect()
    assert told == []
