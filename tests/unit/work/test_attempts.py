"""What counts as an attempt, and what is sent too late (E1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.work.room import WorkRoom
from tests.support.fake_sink import FakeSink
from tests.support.sessions import open_session
from tests.support.until import until
from tests.unit.work.bench import WorkBench
from tests.unit.work.test_stalled import delivered, join, settled, waiting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[WorkBench]:
    made = WorkBench(tmp_path / "data", max_attempts=2)
    await made.start()
    yield made
    await made.stop()


async def test_a_delivery_whose_lease_has_ended_is_not_sent(bench: WorkBench) -> None:
    """E1: it would be of no use to whoever got it, and comes again as the same attempt."""
    sink = FakeSink()
    session = open_session(bench.clock, sink)
    join(bench, session)
    await bench.publish("a0")
    await until(lambda: delivered(sink))
    await bench.publish("b0")
    await until(lambda: waiting(session))
    bench.clock.advance(10)
    sink.automatic = True
    sink.take_all()
    await until(lambda: len(delivered(sink)) == 3)
    assert sorted(delivered(sink)[1:]) == [("a0", 2), ("b0", 1)]


async def test_an_event_that_expires_while_it_waits_for_a_member_is_not_sent(
    bench: WorkBench,
) -> None:
    """G9: its lease would run on; it is counted as expired."""
    sink = FakeSink()
    session = open_session(bench.clock, sink)
    join(bench, session, lease=100.0)
    await bench.publish("a0")
    await until(lambda: delivered(sink))
    await bench.publish("b0", expires_in=5)
    await until(lambda: waiting(session))
    bench.clock.advance(6)
    sink.automatic = True
    sink.take_all()
    await bench.publish("c0")
    await until(lambda: len(delivered(sink)) == 2)
    await settled(bench)
    assert delivered(sink) == [("a0", 1), ("c0", 1)]
    assert bench.room.coordinator._works["analyse"].queue.expired == 1


async def test_what_is_given_back_was_no_attempt(bench: WorkBench) -> None:
    """E1: members that come and go kill no event."""
    for number in range(5):
        member = bench.join(f"member{number}")
        if number == 0:
            await bench.publish("a")
        await until(lambda member=member: member.ids == [("a", 1)])  # type: ignore[misc]
        bench.room.coordinator.release(member.session_id, lost=False)
    assert await bench.letters() == []


async def test_what_a_member_that_broke_off_had_was_an_attempt(bench: WorkBench) -> None:
    """E1: it may be what broke it."""
    for attempt in (1, 2):
        member = bench.join(f"member{attempt}")
        if attempt == 1:
            await bench.publish("a")
        await until(lambda member=member, attempt=attempt: member.ids == [("a", attempt)])  # type: ignore[misc]
        bench.room.coordinator.release(member.session_id, lost=True)
    running = bench.room.coordinator._works["analyse"]
    await until(lambda: not running.queue._items)
    ((state,), _) = await bench.room.coordinator.states()
    assert state.backlog == 0


async def test_what_members_held_when_the_hub_ended_was_no_attempt(bench: WorkBench) -> None:
    """E1: nor does a rolling restart kill any; the register knows it."""
    for _ in range(4):
        member = bench.join("one")
        if not member.ids:
            await bench.publish("a") if not await _stored(bench) else None
        await until(lambda member=member: member.ids == [("a", 1)])  # type: ignore[misc]
        await bench.room.stop()
        bench.room = WorkRoom(bench.engine.work, bench.engine, bench.clock, bench.metrics, 2)
        await bench.room.start()
    assert await bench.letters() == []


async def _stored(bench: WorkBench) -> bool:
    page = await bench.engine.read("meeting/1", 0, max_events=1, max_bytes=1000)
    return bool(page.events)


@pytest.mark.parametrize("window", [65_536, 0])
async def test_work_subscriptions_of_one_session_read_hardly_more_than_they_hand_out(
    bench: WorkBench, monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    """G7: they share its room while they read, and do not all read for the same room."""
    read = handed_out = 0
    store = bench.engine.work
    take = store.take

    async def counted(*args: object, **options: object) -> object:
        nonlocal read
        taken = await take(*args, **options)  # type: ignore[arg-type]
        read += sum(len(data) for _, data in taken.handed_out)
        return taken

    monkeypatch.setattr(store, "take", counted)
    sink = FakeSink(automatic=True)
    session = open_session(bench.clock, sink, window=window)
    names = [f"work{number}" for number in range(20)]
    for name in names:
        await bench.room.coordinator.ensure(name, "meeting/*", ordered=False)
    for number in range(10):
        await bench.publish(f"{number}{'x' * 50_000}")
    for name in names:
        join(bench, session, name, lease=1_000.0)
    while len(delivered(sink)) < 200:
        await until(lambda: len(delivered(sink)) == 200 or session.window.in_flight > 0)
        session.on_handled(session.window.sent)
    handed_out = sum(
        len(one.event.SerializeToString())
        for message in sink.messages
        for one in message.deliveries.deliveries
    )
    assert handed_out <= read < 3 * handed_out
