"""Seeking and deleting, whatever else happens meanwhile (E1)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hub.errors import HubError, NotFound, Unavailable
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from tests.support.until import until
from tests.unit.work.bench import WorkBench
from tests.unit.work.gate import gate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from hub.engine.work import Settlement


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[WorkBench]:
    made = WorkBench(tmp_path / "data")
    await made.start()
    yield made
    await made.stop()


async def test_a_seek_whose_caller_goes_away_while_it_reads_is_finished(
    bench: WorkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = bench.join("one")
    await bench.publish("a")
    await until(lambda: one.deliveries)
    reading = gate(bench, "open_items", monkeypatch)
    seeking = asyncio.ensure_future(bench.room.coordinator.seek_time("analyse", 0))
    await reading.reached.wait()
    seeking.cancel()
    await asyncio.wait([seeking])
    reading.open.set()
    await until(lambda: one.ids == [("a", 1), ("a", 1)])
    await bench.publish("b")
    await until(lambda: one.ids[2:] == [("b", 1)])


async def test_a_seek_whose_caller_goes_away_before_it_begins_is_finished(
    bench: WorkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = bench.join("one", outstanding=2)
    await bench.publish("a", "b")
    await until(lambda: len(one.deliveries) == 2)
    settling = gate(bench, "settle", monkeypatch)
    asking = asyncio.ensure_future(bench.say(one, one.deliveries[0]))
    await settling.reached.wait()
    seeking = asyncio.ensure_future(bench.room.coordinator.seek_time("analyse", 0))
    await asyncio.sleep(0)
    seeking.cancel()
    await asyncio.wait([seeking])
    settling.open.set()
    assert await asking is None
    await until(lambda: len(one.deliveries) == 4)
    assert sorted(one.ids[2:]) == [("a", 1), ("b", 1)]
    bench.clock.advance(30)
    bench.room.coordinator._works["analyse"]._wake()
    await until(lambda: len(one.deliveries) == 6)
    assert sorted(one.ids[4:]) == [("a", 2), ("b", 2)]


async def test_a_seek_and_a_delete_at_once_both_answer(bench: WorkBench) -> None:
    one = bench.join("one")
    work = bench.room.coordinator
    for order in (1, -1):
        both = [work.seek_time("analyse", 0), work.delete("analyse")][::order]
        async with asyncio.timeout(5):
            results = await asyncio.gather(*both, return_exceptions=True)
        assert all(result is None or isinstance(result, NotFound) for result in results)
        with pytest.raises(NotFound):
            work.spec("analyse")
        await work.ensure("analyse", "meeting/*", ordered=False)
    assert [one.error.reason for one in one.closed] == [reasons.ERROR_REASON_WORK_UNKNOWN]


async def test_a_deletion_waits_for_a_seek_and_is_not_lost_on_it(
    bench: WorkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = bench.room.coordinator
    reading = gate(bench, "open_items", monkeypatch)
    seeking = asyncio.ensure_future(work.seek_time("analyse", 0))
    await reading.reached.wait()
    deleting = asyncio.ensure_future(work.delete("analyse"))
    making = asyncio.ensure_future(work.ensure("other", "meeting/*", ordered=False))
    reading.open.set()
    async with asyncio.timeout(5):
        await asyncio.gather(seeking, deleting, making)
    assert [state.spec.name for state in (await work.states())[0]] == ["other"]


async def test_a_seek_while_the_hub_drains_does_not_undo_it(bench: WorkBench) -> None:
    one = bench.join("one")
    await bench.publish("a")
    await until(lambda: one.deliveries)
    work = bench.room.coordinator
    work.drain()
    await work.seek_time("analyse", 0)
    await bench.publish("b")
    await asyncio.sleep(0)
    running = work._works["analyse"]
    await running._writes.done()
    assert running.queue.draining
    assert running.queue.poll(bench.clock()) == []
    assert one.ids == [("a", 1)]


async def test_a_drain_while_a_seek_is_under_way_holds(
    bench: WorkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = bench.room.coordinator
    reading = gate(bench, "open_items", monkeypatch)
    seeking = asyncio.ensure_future(work.seek_time("analyse", 0))
    await reading.reached.wait()
    work.drain()
    reading.open.set()
    await seeking
    assert work._works["analyse"].queue.draining


async def test_a_seek_that_is_refused_leaves_things_as_they_were(
    bench: WorkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Open events are handed out again, since who held them is forgotten."""
    one = bench.join("one")
    await bench.publish("a", "b")
    await until(lambda: len(one.deliveries) == 2)
    assert await bench.say(one, one.deliveries[0]) is None

    async def fail(*_: object) -> None:
        raise Unavailable(reasons.ERROR_REASON_STORAGE_FAILED, "the disk is full", retry_after=1.0)

    monkeypatch.setattr(bench.engine.work, "seek_time", fail)
    with pytest.raises(HubError, match="STORAGE_FAILED"):
        await bench.room.coordinator.seek_time("analyse", 0)
    await until(lambda: one.ids[2:] == [("b", 2)])


async def test_deliveries_of_a_deleted_subscription_are_unknown_and_it_is_let_go(
    bench: WorkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = bench.join("one")
    await bench.publish("a")
    await until(lambda: one.deliveries)
    work = bench.room.coordinator
    settling = gate(bench, "settle", monkeypatch)
    asking = asyncio.ensure_future(bench.say(one, one.deliveries[0]))
    await settling.reached.wait()
    deleting = asyncio.ensure_future(work.delete("analyse"))
    settling.open.set()
    await deleting
    await asking
    refused = await bench.say(one, one.deliveries[0])
    assert refused is not None
    assert refused.reason == reasons.ERROR_REASON_DELIVERY_UNKNOWN
    assert work._numbered == {}


async def test_a_hub_that_stops_waits_for_no_seek_that_cannot_read(
    bench: WorkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = asyncio.Event()

    async def fail(*_: object) -> Sequence[Settlement]:
        failed.set()
        raise Unavailable(reasons.ERROR_REASON_STORAGE_FAILED, "the disk is gone", retry_after=1.0)

    with monkeypatch.context() as patch:
        patch.setattr(bench.engine.work, "open_items", fail)
        seeking = asyncio.ensure_future(bench.room.coordinator.seek_time("analyse", 0))
        await failed.wait()
        async with asyncio.timeout(5):
            await bench.room.stop()
            await asyncio.wait([seeking])


async def test_a_deletion_that_failed_is_finished_before_another_of_the_name_begins(
    bench: WorkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some shards may have forgotten it: it does not go on with the others."""
    work, one = bench.room.coordinator, bench.join("one")
    with monkeypatch.context() as patch:
        patch.setattr(bench.engine.work, "remove", fail)
        with pytest.raises(Unavailable):
            await work.delete("analyse")
        assert [closed.error.reason for closed in one.closed] == [reasons.ERROR_REASON_WORK_UNKNOWN]
        with pytest.raises(Unavailable):
            await work.ensure("analyse", "practice/*", ordered=True)
        with pytest.raises(Unavailable):
            await work.delete("analyse")
    await work.delete("analyse")
    with pytest.raises(NotFound):
        await work.delete("analyse")
    await work.ensure("analyse", "practice/*", ordered=True)
    assert (await bench.engine.work.specs())[0].pattern == "practice/*"


async def fail(*_: object) -> None:
    raise Unavailable(reasons.ERROR_REASON_STORAGE_FAILED, "the disk is full", retry_after=1.0)


async def test_the_list_comes_in_pages(bench: WorkBench) -> None:
    """E2."""
    work = bench.room.coordinator
    for name in ("b", "c"):
        await work.ensure(name, "meeting/*", ordered=False)
    states, token = await work.states("", 2)
    rest, end = await work.states(token, 2)
    assert [state.spec.name for state in (*states, *rest)] == ["analyse", "b", "c"]
    assert end == ""
