"""Members whose transport stands still: they gather nothing and cost no event an attempt (E1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.session.deliveries import UNWINDOWED_BYTES
from tests.support.fake_sink import FakeSink
from tests.support.sessions import open_session
from tests.support.until import until
from tests.unit.work.bench import WorkBench

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hub.session.session import Session

BIG = "x" * 200_000


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[WorkBench]:
    made = WorkBench(tmp_path / "data", max_attempts=2)
    await made.start()
    yield made
    await made.stop()


def join(bench: WorkBench, session: Session, name: str = "analyse", lease: float = 10.0) -> None:
    bench.room.coordinator.join(name, session, "svc", max_outstanding=100, lease_seconds=lease)


def waiting(session: Session) -> int:
    return len(session.work._queue)


def delivered(sink: FakeSink) -> list[tuple[str, int]]:
    return [
        (one.event.id[:2], one.attempt)
        for message in sink.messages
        for one in message.deliveries.deliveries
    ]


async def settled(bench: WorkBench, name: str = "analyse") -> None:
    """Let the queue do all it has to do now."""
    work = bench.room.coordinator._works[name]
    for _ in range(3):
        work._wake()
        await until(lambda: not work._turn_due)
        await work._writes.done()


async def test_a_member_that_does_not_read_gathers_nothing_and_kills_nothing(
    bench: WorkBench,
) -> None:
    """G7: what it was given before is all that it costs, however often its leases end."""
    sink = FakeSink()
    session = open_session(bench.clock, sink)
    join(bench, session)
    await bench.publish("a0")
    await until(lambda: delivered(sink) == [("a0", 1)])
    await bench.publish(*(f"b{number}{BIG}" for number in range(4)))
    await until(lambda: waiting(session))
    before = waiting(session)
    await bench.publish(*(f"c{number}{BIG}" for number in range(4)))
    for _ in range(6):
        bench.clock.advance(10)
        await settled(bench)
    assert waiting(session) == before
    assert delivered(sink) == [("a0", 1)]
    assert await bench.letters() == []


async def test_what_a_stalled_member_was_never_given_is_a_first_attempt_for_the_next(
    bench: WorkBench,
) -> None:
    sink, other = FakeSink(), FakeSink(automatic=True)
    session = open_session(bench.clock, sink)
    join(bench, session)
    await bench.publish("a0")
    await until(lambda: delivered(sink))
    await bench.publish("b0", "b1")
    await until(lambda: waiting(session))
    reader = open_session(bench.clock, other)
    reader.session_id = "s2"
    join(bench, reader, lease=100.0)
    await settled(bench)
    bench.clock.advance(10)
    await settled(bench)
    await until(lambda: len(delivered(other)) == 3)
    assert sorted(delivered(other)) == [("a0", 2), ("b0", 1), ("b1", 1)]


async def test_a_member_that_reads_again_gets_the_rest(bench: WorkBench) -> None:
    sink = FakeSink()
    session = open_session(bench.clock, sink)
    join(bench, session, lease=100.0)
    await bench.publish("a0")
    await until(lambda: delivered(sink))
    await bench.publish("b0")
    await until(lambda: waiting(session))
    await bench.publish("c0")
    await settled(bench)
    sink.automatic = True
    sink.take()
    await until(lambda: delivered(sink) == [("a0", 1), ("b0", 1), ("c0", 1)])


async def test_a_member_must_show_that_it_lives_as_long_as_it_takes_part(
    bench: WorkBench,
) -> None:
    """Its silence ends it even without a window, or a dead one would keep what it holds."""
    work = bench.room.coordinator
    await work.ensure("other", "meeting/*", ordered=False)
    session = open_session(bench.clock, FakeSink())
    join(bench, session)
    join(bench, session, "other")
    lives = [session.must_live]
    work.leave("other", session.session_id)
    lives.append(session.must_live)
    work.release(session.session_id, lost=False)
    lives.append(session.must_live)
    assert lives == [True, True, False]
    assert len(session.work) == 0


@pytest.mark.parametrize("window", [0, 65_536])
async def test_what_a_stalled_session_holds_does_not_grow_with_its_memberships(
    bench: WorkBench, window: int
) -> None:
    """G7: the window, and one event beyond it, over all its work subscriptions."""
    names = [f"work{number}" for number in range(10)]
    session = open_session(bench.clock, FakeSink(), window=window)
    for name in names:
        await bench.room.coordinator.ensure(name, "meeting/*", ordered=False)
        join(bench, session, name)
    for number in range(8):
        await bench.publish(f"{number}{BIG[:100_000]}")
    for name in names:
        await settled(bench, name)
    held = sum(len(frame) for _, _, frame, _ in session.work._queue._frames)
    assert held <= (window or UNWINDOWED_BYTES) + 101_000


async def test_each_work_subscription_of_a_session_gets_its_turn(bench: WorkBench) -> None:
    """A window as small as one event is shared by those that have work."""
    sink = FakeSink(automatic=True)
    session = open_session(bench.clock, sink, window=65_536)
    await bench.room.coordinator.ensure("other", "meeting/*", ordered=False)
    for number in range(6):
        await bench.publish(f"e{number}{BIG[:100_000]}")
    join(bench, session, lease=100.0)
    join(bench, session, "other", lease=100.0)
    handled = 0
    while len(delivered(sink)) < 12:
        await until(lambda: session.window.in_flight > 0)
        handled += session.window.in_flight
        session.on_handled(handled)
    works = [one.work for message in sink.messages for one in message.deliveries.deliveries]
    assert min(works[:8].count("analyse"), works[:8].count("other")) >= 2


async def test_a_membership_that_has_ended_hands_nothing_more_out(bench: WorkBench) -> None:
    """G10: what waited for the window when it ended goes to others, as a first attempt."""
    sink, other = FakeSink(), FakeSink(automatic=True)
    session = open_session(bench.clock, sink)
    join(bench, session)
    await bench.publish("a0")
    await until(lambda: delivered(sink))
    await bench.publish("b0")
    await until(lambda: waiting(session))
    bench.room.coordinator.leave("analyse", session.session_id)
    sink.take_all()
    assert delivered(sink) == [("a0", 1)]
    reader = open_session(bench.clock, other)
    reader.session_id = "s2"
    join(bench, reader)
    await until(lambda: len(delivered(other)) == 2)
    assert sorted(delivered(other)) == [("a0", 1), ("b0", 1)]
