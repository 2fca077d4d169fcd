"""Events that were taken from the register and reach no member (E1, G9)."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from hub.engine.sqlite.steward import SqliteSteward
from hub.engine.work import OpenItem, Taken
from hub.work.items import Deliver, Take
from hub.work.queue import WorkQueue
from tests.support.until import until
from tests.unit.work.bench import TOPIC, WorkBench
from tests.unit.work.gate import gate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[WorkBench]:
    made = WorkBench(tmp_path / "data", max_attempts=2)
    await made.start()
    yield made
    await made.stop()


async def left_alone(bench: WorkBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last member goes while an answer with events is on its way."""
    with monkeypatch.context() as patch:
        taking = gate(bench, "take", patch, after=True)
        await taking.reached.wait()
        bench.room.coordinator.release("one", lost=False)
        taking.open.set()
        await bench.room.coordinator._works["analyse"]._writes.done()
    await until(lambda: not bench.room.coordinator._works["analyse"]._turn_due)


async def test_an_event_that_met_no_member_is_not_given_to_the_next_after_its_expiry(
    bench: WorkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G9."""
    await bench.publish("a", "b", expires_in=5)
    bench.join("one")
    await left_alone(bench, monkeypatch)
    bench.clock.advance(3600)
    two = bench.join("two")
    await bench.publish("c")
    await until(lambda: two.ids)
    assert two.ids == [("c", 1)]
    assert (await bench.room.coordinator.states())[0][0].expired == 2


async def test_an_event_that_met_no_member_is_not_given_to_the_next_after_its_removal(
    bench: WorkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does its content stay in memory."""
    await bench.publish("a")
    bench.join("one")
    await left_alone(bench, monkeypatch)
    items = bench.room.coordinator._works["analyse"].queue._items
    assert [item.data for item in items.values()] == [b""]
    await SqliteSteward(bench.engine).withdraw(TOPIC, "a")
    two = bench.join("two")
    await bench.publish("c")
    await until(lambda: two.ids)
    assert two.ids == [("c", 1)]


async def test_an_attempt_that_met_no_member_is_none(
    bench: WorkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often that happens, the event does not become a dead letter for it."""
    await bench.publish("a")
    for _ in range(3):
        bench.join("one")
        await left_alone(bench, monkeypatch)
    two = bench.join("two", lease=10)
    await until(lambda: two.ids == [("a", 1)])
    bench.clock.advance(10)
    bench.room.coordinator._works["analyse"]._wake()
    await until(lambda: two.ids == [("a", 1), ("a", 2)])


def test_an_event_that_expires_on_the_way_from_the_register_is_not_given_out() -> None:
    """G9."""
    ids = map(str, itertools.count())
    queue = WorkQueue([0], ordered=False, max_attempts=3, new_id=lambda: next(ids))
    queue.join("one", "one", 1, 30.0)
    (take,) = queue.poll(100.0)
    assert isinstance(take, Take)
    event = OpenItem(7, TOPIC, 1, 1, expires_ms=101_000)
    queue.taken(take, Taken([(event, b"data")]), 100.5)
    assert queue.poll(101.0) == []
    assert queue.next_due() == 101.0
    (again,) = queue.poll(101.0)
    assert isinstance(again, Take)
    assert (again.again, again.uncounted) == ((7,), (7,))
    queue.taken(again, Taken(gone=[7], expired=1), 101.0)
    assert not any(isinstance(effect, Deliver) for effect in queue.poll(101.0))
    assert queue._items == {}


def test_an_attempt_that_met_a_move_and_no_member_is_none() -> None:
    """The move failed, so that the event is open as before."""
    ids = map(str, itertools.count())
    queue = WorkQueue([0], ordered=False, max_attempts=1, new_id=lambda: next(ids))
    queue.join("one", "one", 1, 30.0)
    (take,) = queue.poll(100.0)
    assert isinstance(take, Take)
    queue.moving = True
    queue.taken(take, Taken([(OpenItem(7, TOPIC, 1, 1), b"data")]), 100.0)
    queue.reset()
    queue.restore(0, [OpenItem(7, TOPIC, 1, 1)])
    queue.moving = False
    (again,) = queue.poll(100.0)
    assert isinstance(again, Take)
    assert (again.again, again.uncounted) == ((7,), (7,))
