"""Members whose transport stands still: they gather nothing and cost no event an attempt (E1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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


def delivered(sink: FakeSink) -> list[tuple[str, int]]:
    return [
        (one.event.id[:2], one.attempt)
        for message in sink.messages
        for one in message.deliveries.deliveries
    ]


async def settled(bench: WorkBench) -> None:
    """Let the queue do all it has to do now."""
    work = bench.room.coordinator._works["analyse"]
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
    await until(lambda: session.control_backlog)
    waiting = session.control_backlog
    await bench.publish(*(f"c{number}{BIG}" for number in range(4)))
    for _ in range(6):
        bench.clock.advance(10)
        await settled(bench)
    assert session.control_backlog == waiting
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
    await until(lambda: session.control_backlog)
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
    await until(lambda: session.control_backlog)
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
    work.release(session.session_id)
    lives.append(session.must_live)
    assert lives == [True, True, False]
    assert session.on_drained == {}
