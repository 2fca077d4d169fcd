"""The room on a real engine: time, rights, limits and burials (E1)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from hub.engine.work import Ruling, Settlement
from hub.errors import HubError, InvalidArgument, NotFound, ResourceExhausted, Unavailable
from hub.work.coordinator import MAX_WORK
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2
from tests.support.until import until
from tests.unit.work.bench import WorkBench

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from hub.engine.work import WorkSpec


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[WorkBench]:
    made = WorkBench(tmp_path / "data")
    await made.start()
    yield made
    await made.stop()


async def test_a_lease_that_ends_passes_on_and_an_extended_one_does_not(bench: WorkBench) -> None:
    one = bench.join("one", lease=30)
    await bench.publish("a", "b")
    await until(lambda: len(one.deliveries) == 2)
    a, b = one.deliveries
    bench.clock.advance(29)
    assert await bench.say(one, a, frame_pb2.VERB_EXTEND, 100) is None
    two = bench.join("two")
    bench.clock.advance(1)
    await bench.publish("c")
    await until(lambda: two.ids[:1] == [("b", 2)] or ("b", 2) in one.ids)
    assert (await bench.say(one, b)).reason == reasons.ERROR_REASON_DELIVERY_UNKNOWN  # type: ignore[union-attr]
    assert await bench.say(one, a) is None


async def test_a_member_whose_rights_have_ended_gets_nothing(bench: WorkBench) -> None:
    """G10."""
    one = bench.join("one")
    one.rights_until = bench.clock() + 5
    bench.clock.advance(5)
    two = bench.join("two", outstanding=1)
    await bench.publish("a")
    await until(lambda: two.deliveries)
    assert one.deliveries == []


async def test_a_member_holds_4_mib_and_no_more(bench: WorkBench) -> None:
    """G7: however many events it may hold."""
    one = bench.join("one", outstanding=1000)
    big = "x" * 900_000
    for number in range(8):
        await bench.publish(f"{number}{big}")
    await until(lambda: len(one.deliveries) == 5)
    assert await bench.say(one, one.deliveries[0]) is None
    await until(lambda: len(one.deliveries) == 6)


async def test_there_are_a_hundred_at_most_and_deleting_makes_room(bench: WorkBench) -> None:
    work = bench.room.coordinator
    for number in range(1, MAX_WORK):
        await work.ensure(f"w{number}", "meeting/*", ordered=False)
    with pytest.raises(ResourceExhausted, match="WORK_LIMIT"):
        await work.ensure("one-more", "meeting/*", ordered=False)
    await work.ensure("w1", "meeting/*", ordered=False)
    await work.delete("w2")
    await work.ensure("one-more", "meeting/*", ordered=False)
    assert len((await work.states())[0]) == MAX_WORK


async def test_a_draining_hub_hands_out_nothing_and_takes_acknowledgements(
    bench: WorkBench,
) -> None:
    one = bench.join("one")
    await bench.publish("a")
    await until(lambda: one.deliveries)
    bench.room.coordinator.drain()
    await bench.publish("b")
    assert await bench.say(one, one.deliveries[0]) is None
    assert one.ids == [("a", 1)]


async def test_an_ack_that_cannot_be_written_is_told_and_the_lease_goes_on(
    bench: WorkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = bench.join("one")
    await bench.publish("a")
    await until(lambda: one.deliveries)
    (a,) = one.deliveries

    async def fail(*_: object) -> list[bool]:
        raise Unavailable(reasons.ERROR_REASON_STORAGE_FAILED, "the disk is full", retry_after=1.0)

    with monkeypatch.context() as patch:
        patch.setattr(bench.engine.work, "settle", fail)
        refused = await bench.say(one, a)
    assert isinstance(refused, HubError)
    assert refused.reason == reasons.ERROR_REASON_STORAGE_FAILED
    assert await bench.say(one, a) is None
    with pytest.raises(NotFound):
        raise (await bench.say(one, a)) or AssertionError("acknowledged twice")


async def test_a_ruling_whose_caller_is_cancelled_is_finished(
    bench: WorkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = bench.join("one")
    await bench.publish("a")
    await until(lambda: one.deliveries)
    begun, go_on = asyncio.Event(), asyncio.Event()
    settle = bench.engine.work.settle

    async def slowly(name: str, shard: int, settlements: Sequence[Settlement]) -> list[bool]:
        begun.set()
        await go_on.wait()
        return await settle(name, shard, settlements)

    monkeypatch.setattr(bench.engine.work, "settle", slowly)
    asking = asyncio.ensure_future(bench.say(one, one.deliveries[0]))
    await begun.wait()
    asking.cancel()
    await asyncio.wait([asking])
    assert asking.cancelled()
    go_on.set()
    work = bench.room.coordinator
    await work._works["analyse"]._writes.done()
    ((state,), _) = await work.states()
    assert (state.outstanding, state.backlog) == (0, 0)


async def test_a_making_whose_caller_is_cancelled_is_finished(
    bench: WorkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the register would know one that the room does not."""
    begun, go_on = asyncio.Event(), asyncio.Event()
    create = bench.engine.work.create

    async def slowly(spec: WorkSpec) -> None:
        begun.set()
        await go_on.wait()
        await create(spec)

    monkeypatch.setattr(bench.engine.work, "create", slowly)
    work = bench.room.coordinator
    making = asyncio.ensure_future(work.ensure("late", "meeting/*", ordered=False))
    await begun.wait()
    making.cancel()
    await asyncio.wait([making])
    again = asyncio.ensure_future(work.ensure("late", "user/*", ordered=False))
    go_on.set()
    with pytest.raises(InvalidArgument, match="FIELD_INVALID"):
        await again
    assert work.spec("late").pattern == "meeting/*"


async def test_too_many_unacknowledged_events_hold_back_the_rest_and_it_is_said(
    bench: WorkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G6."""
    monkeypatch.setattr("hub.engine.sqlite.work_take.MAX_SPAN", 2)
    one = bench.join("one")
    await bench.publish("a", "b", "c")
    await until(lambda: len(one.deliveries) == 2)
    work = bench.room.coordinator
    await until(lambda: work._works["analyse"].queue.full)
    ((state,), _) = await work.states()
    assert (state.held_back, state.backlog) == (True, 3)
    assert await bench.say(one, one.deliveries[0]) is None
    await until(lambda: len(one.deliveries) == 3)
    assert not (await work.states())[0][0].held_back


async def test_a_burial_that_is_cut_short_is_finished_and_tells_once(
    bench: WorkBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dead letter was published, and the hub died before it could forget the event."""
    one = bench.join("one")
    await bench.publish("a")
    await until(lambda: one.deliveries)

    async def crash(*_: object) -> None:
        raise RuntimeError("the hub dies here")

    with monkeypatch.context() as patch:
        patch.setattr(bench.engine.work, "bury", crash)
        assert await bench.say(one, one.deliveries[0], frame_pb2.VERB_REJECT) is None
        while not await bench.letters():
            pass
        await bench.stop()

    again = WorkBench(tmp_path / "data")
    await again.start()
    shard = again.engine.shard_of("meeting/1")
    while await again.engine.work.dead(shard, 1):
        pass
    assert [letter.id for letter in await again.letters()] == ["dl:analyse:a"]
    await again.stop()


async def test_an_ack_is_too_late_while_the_dead_letter_goes_out(
    bench: WorkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E1: it is not answered as committed and a dead letter all the same."""
    one = bench.join("one")
    await bench.publish("a")
    await until(lambda: one.deliveries)
    shard = bench.engine.shard_of("meeting/1")
    (item,) = await bench.engine.work.open_items("analyse", shard)
    trimmed = Settlement(item.ref, Ruling.DEAD, reason=reasons.ERROR_REASON_RETENTION)
    publish = bench.engine.publish
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(*args: Any, **kwargs: Any) -> Any:
        begun.set()
        await go_on.wait()
        return await publish(*args, **kwargs)

    monkeypatch.setattr(bench.engine, "publish", slowly)
    await bench.engine.work.settle("analyse", shard, [trimmed])
    bench.room.burials.notify(shard)
    await begun.wait()
    answer = await bench.say(one, one.deliveries[0])
    assert answer is not None
    assert answer.reason == reasons.ERROR_REASON_RETENTION
    go_on.set()
    while not await bench.letters():
        pass


async def test_a_hub_that_died_before_it_published_a_dead_letter_does_it_then(
    bench: WorkBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G6."""
    one = bench.join("one")
    await bench.publish("a")
    await until(lambda: one.deliveries)
    died = asyncio.Event()

    async def crash(*_: object, **__: object) -> None:
        died.set()
        raise RuntimeError("the hub dies here")

    monkeypatch.setattr(bench.engine, "publish", crash)
    assert await bench.say(one, one.deliveries[0], frame_pb2.VERB_REJECT) is None
    await died.wait()
    await bench.stop()

    again = WorkBench(tmp_path / "data")
    await again.start()
    while await again.engine.work.dead(again.engine.shard_of("meeting/1"), 1):
        pass
    assert [letter.id for letter in await again.letters()] == ["dl:analyse:a"]
    await again.stop()


async def test_an_erased_publisher_is_found_by_its_dead_letters(bench: WorkBench) -> None:
    one = bench.join("one")
    await bench.publish("a")
    await until(lambda: one.deliveries)
    await bench.say(one, one.deliveries[0], frame_pb2.VERB_REJECT)
    while not (letters := await bench.letters()):
        pass
    assert letters[0].publisher == "p"


async def test_what_happens_is_counted(bench: WorkBench) -> None:
    one = bench.join("one")
    await bench.publish("a", "b")
    await until(lambda: len(one.deliveries) == 2)
    await bench.say(one, one.deliveries[0])
    await bench.say(one, one.deliveries[1], frame_pb2.VERB_REJECT)
    while not await bench.letters():
        pass
    text = bench.metrics.render()[0].decode()
    assert 'rthub_work_handed_out_total{work="analyse"} 2.0' in text
    assert 'rthub_work_settled_total{ruling="done",work="analyse"} 1.0' in text
    assert 'rthub_work_settled_total{ruling="dead",work="analyse"} 1.0' in text
