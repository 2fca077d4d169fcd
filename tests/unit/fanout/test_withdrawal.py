"""Withdrawn events: counted in their run, and their bytes are nowhere in the fan-out any more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from hub.fanout.budget import RingBudget
from hub.fanout.log_pages import LogPages
from hub.fanout.page_cache import PageCache
from hub.fanout.ring import Ring
from hub.model.events import withdrawn
from shipspeak.realtime.v1 import frame_pb2
from tests.support.topic_bench import TOPIC, TopicBench
from tests.support.until import until
from tests.unit.fanout.events import stored

if TYPE_CHECKING:
    from hub.engine.contract import LogPage
    from hub.fanout.page import CatchUpPage


def test_a_ring_forgets_the_bytes_and_counts_the_event() -> None:
    budget = RingBudget(1 << 20)
    ring = Ring(TOPIC, 7, 0, budget)
    for offset in (1, 2, 3):
        ring.append(stored(offset))
    before, _, _ = ring.frame(0, 0)
    bytes_before = budget.bytes

    ring.withdraw(2)
    ring.withdraw(2)
    ring.withdraw(9)

    frame, slot, through = ring.frame(0, 0)
    (run,) = frame_pb2.ServerFrame.FromString(frame).runs
    assert [event.offset for event in run.events] == [1, 3]
    assert (run.after_offset, run.through_offset, run.withdrawn) == (0, 3, 1)
    assert (slot, through) == (3, 3)
    assert len(frame) < len(before)
    assert budget.bytes < bytes_before
    assert ring.holds(2, stored(2).event_id), "cursors on it stay good"
    ring.release()
    assert budget.bytes == 0


def test_a_withdrawn_event_supersedes_nothing() -> None:
    ring = Ring(TOPIC, 7, 0, RingBudget(1 << 20))
    for offset in (1, 2, 3):
        ring.append(stored(offset, key="k"))
    ring.withdraw(3)
    (run,) = frame_pb2.ServerFrame.FromString(ring.conflated_frame(0, 0)[0]).runs
    assert [event.offset for event in run.events] == [2]
    assert (run.conflated, run.withdrawn) == (1, 1)


def test_a_ring_is_filled_with_what_is_left() -> None:
    ring = Ring(TOPIC, 7, 2, RingBudget(1 << 20))
    ring.prefill([stored(1), withdrawn(stored(2))], 0)
    (run,) = frame_pb2.ServerFrame.FromString(ring.frame(ring.first_slot, 0)[0]).runs
    assert ([event.offset for event in run.events], run.withdrawn) == ([1], 1)


async def test_a_page_in_a_stalled_readers_hand_forgets_it() -> None:
    bench = TopicBench()
    await bench.publish(600)
    sink = await bench.reader(0, automatic=False)
    (subscription,) = (await bench.registry.open(TOPIC)).subscribers
    subscription.session.send_control(b"")
    await until(lambda: subscription.page is not None)
    bench.engine.withdraw(TOPIC, 2)
    bench.engine.withdraw(TOPIC, 599)

    sink.automatic = True
    sink.take()
    await until(lambda: sink.runs and sink.runs[-1].through_offset == 600)

    got = [event.offset for run in sink.runs for event in run.events]
    assert got == [offset for offset in range(1, 601) if offset not in (2, 599)]
    assert sum(run.withdrawn for run in sink.runs) == 2


async def test_a_page_that_was_being_read_is_read_again() -> None:
    bench = TopicBench()
    await bench.publish(600)
    await bench.registry.open(TOPIC)
    bench.engine.reading.clear()
    bench.engine.read_begun.clear()
    sink = await bench.reader(0)
    (subscription,) = (await bench.registry.open(TOPIC)).subscribers
    subscription.session.offer(subscription)
    await bench.engine.read_begun.wait()
    reads = bench.engine.reads
    bench.engine.withdraw(TOPIC, 1)
    bench.engine.reading.set()
    await until(lambda: sink.runs and sink.runs[-1].through_offset == 600)
    assert bench.engine.reads > reads
    assert 1 not in [event.offset for run in sink.runs for event in run.events]


@pytest.mark.parametrize("how", ["withdrawn", "purged in part"])
async def test_what_goes_between_a_read_and_its_readers_turn_is_not_sent(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The read is over, and those that wait for it have not been woken yet."""
    bench = TopicBench()
    await bench.publish(600)
    await bench.registry.open(TOPIC)
    engine, read, taken = bench.engine, bench.engine.read, list[str]()

    def take_out() -> None:
        if how == "withdrawn":
            engine.withdraw(TOPIC, 1)
        else:
            engine.trim(TOPIC, 1, purged=True, more=True)

    async def then_take_out(*args: Any, **options: Any) -> LogPage:
        page = await read(*args, **options)
        if not taken:
            taken.append(how)
            asyncio.get_running_loop().call_soon(take_out)
        return page

    monkeypatch.setattr(engine, "read", then_take_out)
    sink = await bench.reader(0)
    await until(lambda: sink.runs and sink.runs[-1].through_offset == 600)
    assert taken
    assert [event.offset for run in sink.runs for event in run.events] == list(range(2, 601))


async def test_a_read_that_has_just_ended_is_not_waited_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between its end and its callbacks comes a removal, and then another reader's turn."""
    bench = TopicBench()
    await bench.publish(3)
    engine, read, loop = bench.engine, bench.engine.read, asyncio.get_running_loop()
    ring = Ring(TOPIC, engine.log(TOPIC).epoch, 3, RingBudget(1 << 20))
    pages = LogPages(engine, ring, PageCache(1 << 20), bench.clock)
    others: list[asyncio.Task[CatchUpPage]] = []

    def meanwhile() -> None:
        loop.call_soon(pages.forget)
        others.append(loop.create_task(pages.after(0)))

    async def slow_read(*args: Any, **options: Any) -> LogPage:
        page = await read(*args, **options)
        if not others:
            # In the turn after next: the end of this read, the removal, the other, the callbacks.
            loop.call_soon(meanwhile)
            await asyncio.sleep(0)
        return page

    monkeypatch.setattr(engine, "read", slow_read)
    first = await pages.after(0)
    [other] = others
    assert (await other).through == first.through == 3


async def test_a_withdrawal_while_a_topic_is_opened_is_not_undone() -> None:
    bench = TopicBench()
    await bench.publish(2)
    bench.engine.reading.clear()
    bench.engine.read_begun.clear()
    opening = asyncio.ensure_future(bench.registry.open(TOPIC))
    await bench.engine.read_begun.wait()
    bench.engine.withdraw(TOPIC, 1)
    bench.engine.reading.set()
    ring = (await opening).ring
    assert ring.slot_after(0) is None, "what was read before is not put into the ring"
    sink = await bench.reader(0)
    await bench.publish(1)
    await until(lambda: sink.runs and sink.runs[-1].through_offset == 3)
    assert [event.offset for run in sink.runs for event in run.events] == [2, 3]
