"""What comes in one turn of the loop, in either order: acknowledgements, ends of leases (E1)."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING

import pytest

from hub.work.acks import Ack
from hub.work.items import Phase
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2
from tests.support.until import until
from tests.unit.work.bench import WorkBench

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hub.engine.work import Taken
    from tests.unit.work.bench import FakeMember

IDS = ("a", "b", "c", "d", "e")


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[WorkBench]:
    made = WorkBench(tmp_path / "data")
    await made.start()
    yield made
    await made.stop()


async def holding(bench: WorkBench) -> FakeMember:
    """A member that holds all of IDS."""
    one = bench.join("one", lease=10)
    await bench.publish(*IDS)
    await until(lambda: len(one.deliveries) == len(IDS))
    return one


def phases(bench: WorkBench) -> set[Phase]:
    items = bench.room.coordinator._works["analyse"].queue._items
    return {item.phase for item in items.values()}


async def test_an_acknowledgement_in_the_turn_in_which_its_lease_ends_is_refused(
    bench: WorkBench,
) -> None:
    """And the others of the queue come again."""
    one = await holding(bench)
    bench.clock.advance(10)
    asking = asyncio.ensure_future(bench.say(one, one.deliveries[0]))
    bench.room.coordinator._works["analyse"]._wake()
    refused = await asking
    assert refused is not None
    assert refused.reason == reasons.ERROR_REASON_DELIVERY_UNKNOWN
    await until(lambda: len(one.deliveries) == 2 * len(IDS))
    assert sorted(one.ids[len(IDS) :]) == [(name, 2) for name in IDS]


async def test_an_acknowledgement_before_its_lease_ends_in_the_same_turn_counts(
    bench: WorkBench,
) -> None:
    one = await holding(bench)
    asking = asyncio.ensure_future(bench.say(one, one.deliveries[0]))
    await asyncio.sleep(0)  # it has read the clock
    bench.clock.advance(10)
    bench.room.coordinator._works["analyse"]._wake()
    assert await asking is None
    await until(lambda: len(one.deliveries) == 2 * len(IDS) - 1)
    assert sorted(one.ids[len(IDS) :]) == [(name, 2) for name in IDS[1:]]
    assert phases(bench) == {Phase.LEASED}


async def test_two_rulings_on_one_delivery_in_one_turn_are_one(bench: WorkBench) -> None:
    one = await holding(bench)
    rulings = [
        asyncio.ensure_future(bench.say(one, one.deliveries[0], verb))
        for verb in (frame_pb2.VERB_NACK, frame_pb2.VERB_ACK)
    ]
    first, second = await asyncio.gather(*rulings)
    assert first is None
    assert second is not None
    assert second.reason == reasons.ERROR_REASON_DELIVERY_UNKNOWN
    await until(lambda: one.ids[-1] == ("a", 2))
    assert phases(bench) == {Phase.LEASED}


async def test_two_rulings_on_one_delivery_in_one_call_are_one(bench: WorkBench) -> None:
    one = await holding(bench)
    acks = [
        Ack(one.deliveries[0].delivery_id, verb)
        for verb in (frame_pb2.VERB_ACK, frame_pb2.VERB_EXTEND, frame_pb2.VERB_NACK)
    ]
    first, *others = await bench.room.coordinator.acknowledge(acks, "one")
    assert first is None
    assert [other and other.reason for other in others] == [
        reasons.ERROR_REASON_DELIVERY_UNKNOWN
    ] * 2


async def test_an_answer_about_events_that_are_gone_stops_nothing(
    bench: WorkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = bench.engine.work.take

    async def more(*args: object, **options: object) -> Taken:
        answer = await take(*args, **options)  # type: ignore[arg-type]
        return dataclasses.replace(answer, gone=[*answer.gone, 999])

    one = bench.join("one")
    monkeypatch.setattr(bench.engine.work, "take", more)
    await bench.publish("a")
    await until(lambda: one.ids == [("a", 1)])
    await bench.publish("b")
    await until(lambda: one.ids == [("a", 1), ("b", 1)])


async def test_a_take_that_the_queue_cannot_accept_is_asked_again(
    bench: WorkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = bench.engine.work.take
    one = bench.join("one")
    await bench.publish("a")
    await until(lambda: one.deliveries)
    broken = asyncio.Event()

    async def once_broken(*args: object, **options: object) -> Taken:
        if not broken.is_set():
            broken.set()
            return object()  # type: ignore[return-value]
        return await take(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.engine.work, "take", once_broken)
    assert await bench.say(one, one.deliveries[0], frame_pb2.VERB_NACK) is None
    await broken.wait()
    while len(one.deliveries) < 2:
        bench.clock.advance(1)
        bench.room.coordinator._works["analyse"]._wake()
        await asyncio.sleep(0)
    assert one.ids == [("a", 1), ("a", 2)]
