"""The pace of progress: the first at once, the last always, what is replaced never."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from shipspeak_realtime.conflate import Conflater
from tests.unit.sdk.manual_clock import ManualClock, settle


@given(st.lists(st.floats(0, 0.3), min_size=1, max_size=40))
async def test_any_rhythm_of_offers(waits: list[float]):
    clock = ManualClock()
    conflater = Conflater(clock)
    sent: list[tuple[float, int]] = []

    async def send(number: int) -> None:
        sent.append((clock.monotonic(), number))

    for number, wait in enumerate(waits):
        conflater.offer(lambda number=number: send(number))  # type: ignore[misc]
        await clock.advance(wait)
    await conflater.flush()
    times, numbers = [at for at, _ in sent], [number for _, number in sent]
    assert numbers == sorted(set(numbers))
    assert numbers[0] == 0
    assert numbers[-1] == len(waits) - 1
    # Only a flush may come before its time.
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)][:-1]
    assert all(gap > 0.1 - 1e-9 for gap in gaps)


async def test_what_is_dropped_is_not_sent():
    clock = ManualClock()
    conflater = Conflater(clock)
    sent: list[int] = []

    async def send(number: int) -> None:
        sent.append(number)

    conflater.offer(lambda: send(1))
    await settle()
    conflater.offer(lambda: send(2))
    conflater.drop()
    await clock.advance(1)
    await conflater.flush()
    assert sent == [1]
