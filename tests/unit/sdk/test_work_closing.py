"""The end of a membership without a hub: what is in hand may end first."""

from __future__ import annotations

import asyncio

import pytest

from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2, frame_pb2
from shipspeak_realtime.errors import RealtimeError
from tests.support.until import until
from tests.unit.sdk.work_bench import LEASE, Bench


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    made.works.welcome()
    return made


async def test_closing_waits_for_the_block_that_runs(bench: Bench) -> None:
    work = bench.work
    async with work:
        bench.deliver("a", "b")
        delivery = await anext(aiter(work))
        await delivery.__aenter__()
    assert not bench.closed()
    bench.deliver("c")
    with pytest.raises(StopAsyncIteration):
        await work.next_delivery()
    await bench.clock.advance(LEASE / 3)
    assert bench.said() == [("EXTEND", "a")]
    bench.answer(0)
    ending = asyncio.ensure_future(delivery.__aexit__(None, None, None))
    await until(lambda: bench.said()[-1] == ("ACK", "a"))
    assert not bench.closed()
    bench.answer(0)
    await ending
    assert (delivery.settled, delivery.lost) == (True, False)
    assert bench.closed()


async def test_closing_waits_for_an_ack_by_hand_and_its_refusal_ends_it_too(bench: Bench) -> None:
    async with bench.work:
        bench.deliver("a")
        delivery = await anext(aiter(bench.work))
        acking = asyncio.ensure_future(delivery.ack())
        await until(bench.said)
    assert not bench.closed()
    bench.answer(reasons.ERROR_REASON_DELIVERY_UNKNOWN)
    with pytest.raises(RealtimeError, match="DELIVERY_UNKNOWN"):
        await acking
    assert bench.closed()


async def test_a_session_that_ends_while_it_closes_ends_it(bench: Bench) -> None:
    async with bench.work:
        bench.deliver("a")
        delivery = await anext(aiter(bench.work))
        await delivery.__aenter__()
    bench.works.disconnected()
    assert delivery.lost
    bench.sent.clear()
    bench.works.welcome()
    assert bench.sent == []


async def test_leaving_the_loop_ends_the_membership(bench: Bench) -> None:
    bench.deliver("too early")
    bench.work._open()
    bench.deliver("a")
    async for delivery in bench.work:
        assert delivery.id == "a"
        break
    await until(lambda: bench.sent[-1].close_work.name == "analyse")
    assert delivery.lost


async def test_what_has_left_is_known_to_the_hub_before_the_session_ends(bench: Bench) -> None:
    """E1: what the hub hands out until then would come back as an attempt."""
    async with bench.work:
        pass
    leaving = asyncio.ensure_future(bench.works.left())
    await asyncio.wait([leaving], timeout=0)
    assert not leaving.done()
    closed = frame_pb2.WorkClosed(request_id=bench.sent[-1].request_id, name="analyse")
    bench.works.control(frame_pb2.ServerFrame(work_closed=closed))
    await leaving


@pytest.mark.parametrize("ends", ["refused", "lost"])
async def test_leaving_ends_without_that_answer_too(bench: Bench, ends: str) -> None:
    async with bench.work:
        pass
    leaving = asyncio.ensure_future(bench.works.left())
    await asyncio.wait([leaving], timeout=0)
    if ends == "lost":
        bench.works.disconnected()
    else:
        assert bench.works.error(event_pb2.Error(request_id=bench.sent[-1].request_id))
    await leaving
