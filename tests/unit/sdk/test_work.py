"""A membership without a hub: leases kept together, deliveries lost with their session."""

from __future__ import annotations

import asyncio
import gc

import pytest

from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak_realtime.delivery import Reject
from shipspeak_realtime.errors import InvalidRequestError, NetworkError, RealtimeError
from shipspeak_realtime.work import retry_delay
from tests.support.until import until
from tests.unit.sdk.work_bench import LEASE, Bench


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    made.works.welcome()
    return made


async def test_it_opens_again_with_every_session(bench: Bench) -> None:
    async with bench.work:
        bench.works.disconnected()
        bench.works.welcome()
        opened = [frame.open_work for frame in bench.sent if frame.HasField("open_work")]
        assert [one.name for one in opened] == ["analyse", "analyse"]
        assert (opened[0].pattern, opened[0].max_outstanding) == ("meeting/*", 4)
        assert opened[0].ack_deadline.seconds == LEASE
    assert bench.sent[-1].close_work.name == "analyse"


async def test_what_waits_and_what_is_worked_on_keeps_its_lease(bench: Bench) -> None:
    async with bench.work:
        deliveries = aiter(bench.work)
        bench.deliver("in hand", "by hand", "waiting")
        worked, _ = await anext(deliveries), await anext(deliveries)
        async with worked:
            await bench.clock.advance(LEASE / 3)
            await until(lambda: bench.said() == [("EXTEND", "in hand"), ("EXTEND", "waiting")])
            bench.answer(0, reasons.ERROR_REASON_DELIVERY_UNKNOWN)
            # The one that was taken away is not handed to the application any more.
            await until(lambda: not bench.work._waiting)
            bench.deliver("next")
            assert (await anext(deliveries)).id == "next"
            ending = asyncio.ensure_future(worked.__aexit__(None, None, None))
            await until(lambda: bench.said()[-1] == ("ACK", "in hand"))
            bench.answer(0)
            await ending
        assert worked.settled


async def test_acks_of_one_turn_go_together(bench: Bench) -> None:
    async with bench.work:
        deliveries = aiter(bench.work)
        bench.deliver("a", "b")
        one, two = await anext(deliveries), await anext(deliveries)
        acking = asyncio.gather(one.ack(), two.nack(5), return_exceptions=True)
        await until(bench.said)
        assert bench.said() == [("ACK", "a"), ("NACK", "b")]
        bench.answer(0, reasons.ERROR_REASON_DELIVERY_UNKNOWN)
        first, second = await acking
        assert first is None
        assert isinstance(second, RealtimeError)
        assert second.reason == "DELIVERY_UNKNOWN"
        assert (one.settled, two.settled) == (True, False)


async def test_a_lost_session_takes_the_deliveries_with_it(bench: Bench) -> None:
    async with bench.work:
        deliveries = aiter(bench.work)
        bench.deliver("a", "b", "c")
        one, two = await anext(deliveries), await anext(deliveries)
        acking = asyncio.ensure_future(one.ack())
        await until(bench.said)
        bench.works.disconnected()
        with pytest.raises(NetworkError, match="may come again"):
            await acking
        with pytest.raises(InvalidRequestError, match="DELIVERY_UNKNOWN"):
            await two.ack()
        assert one.lost
        assert two.lost
        bench.works.welcome()
        bench.deliver("d")
        assert (await anext(deliveries)).id == "d"


async def test_a_failed_block_puts_back_and_the_loop_goes_on(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    async with bench.work:
        bench.deliver("a")
        delivery = await anext(aiter(bench.work))

        async def block() -> None:
            async with delivery:
                raise ValueError("a bad event")

        working = asyncio.ensure_future(block())
        await until(bench.said)
        assert bench.said() == [("NACK", "a")]
        assert bench.sent[-1].acknowledge.acks[0].delay.seconds == 1
        bench.answer(0)
        await working
    assert "a bad event" in caplog.text


async def test_a_block_that_rejects_makes_a_dead_letter_and_the_loop_goes_on(bench: Bench) -> None:
    async with bench.work:
        bench.deliver("a")
        delivery = await anext(aiter(bench.work))

        async def block() -> None:
            async with delivery:
                raise Reject("never")

        working = asyncio.ensure_future(block())
        await until(bench.said)
        assert bench.said() == [("REJECT", "a")]
        bench.answer(0)
        await working
        assert delivery.settled


async def test_a_block_that_is_refused_for_now_says_it_again(bench: Bench) -> None:
    async with bench.work:
        bench.deliver("a")
        delivery = await anext(aiter(bench.work))
        await delivery.__aenter__()
        ending = asyncio.ensure_future(delivery.__aexit__(None, None, None))
        await until(bench.said)
        bench.answer(reasons.ERROR_REASON_STORAGE_FAILED, retry_after=2)
        await bench.clock.advance(1)
        assert bench.said() == [("ACK", "a")]
        await bench.clock.advance(1)
        assert bench.said() == [("ACK", "a"), ("ACK", "a")]
        bench.answer(0)
        await ending
        assert delivery.settled


async def test_a_block_that_is_refused_for_now_is_lost_with_its_session(bench: Bench) -> None:
    async with bench.work:
        bench.deliver("a")
        delivery = await anext(aiter(bench.work))
        await delivery.__aenter__()
        ending = asyncio.ensure_future(delivery.__aexit__(None, None, None))
        await until(bench.said)
        bench.answer(reasons.ERROR_REASON_STORAGE_FAILED, retry_after=2)
        bench.works.disconnected()
        await bench.clock.advance(2)
        await ending
        assert bench.said() == [("ACK", "a")]
        assert (delivery.lost, delivery.settled) == (True, False)


async def test_a_cancelled_block_stays_cancelled(bench: Bench) -> None:
    async with bench.work:
        bench.deliver("a")
        delivery = await anext(aiter(bench.work))

        async def block() -> None:
            async with delivery:
                await asyncio.Event().wait()

        working = asyncio.ensure_future(block())
        await until(lambda: delivery.in_hand)
        working.cancel()
        await asyncio.wait([working])
        assert working.cancelled()
        await until(bench.said)
        assert bench.said() == [("NACK", "a")]


async def test_a_lease_is_not_extended_once_its_end_was_said(bench: Bench) -> None:
    """The answers might cross, and a delivery that was acknowledged would pass for lost."""
    async with bench.work:
        bench.deliver("a")
        delivery = await anext(aiter(bench.work))
        async with delivery:
            acking = asyncio.ensure_future(delivery.ack())
            await until(bench.said)
            await bench.clock.advance(LEASE / 3)
            assert bench.said() == [("ACK", "a")]
            bench.answer(0)
            await acking
        assert (delivery.settled, delivery.lost) == (True, False)


async def test_what_was_never_settled_is_not_kept(bench: Bench) -> None:
    """A refused acknowledgement, or a delivery that was dropped: the hub hands it out again."""
    async with bench.work:
        deliveries = aiter(bench.work)
        bench.deliver("refused", "dropped")
        refused = await anext(deliveries)
        ending = asyncio.ensure_future(refused.__aexit__(None, None, None))
        await until(bench.said)
        bench.answer(reasons.ERROR_REASON_DELIVERY_UNKNOWN)
        await ending
        await anext(deliveries)
        gc.collect()
        assert not bench.work._held


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 1), (2, 4), (4, 64), (9, 300)])
def test_the_wait_grows_with_the_attempts(attempt: int, seconds: float) -> None:
    assert retry_delay(attempt) == seconds
