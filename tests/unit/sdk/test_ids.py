"""UUIDv7: layout, order, a clock that steps back."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from shipspeak_realtime.ids import IdFactory


def test_layout_of_rfc_9562():
    made = uuid.UUID(IdFactory(now=lambda: 1_700_000_000.123)())
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == 1_700_000_000_123


@given(st.lists(st.floats(0, 2e9), min_size=1, max_size=50))
def test_ids_rise_strictly_whatever_the_clock_does(times: list[float]):
    moments = iter(times)
    make = IdFactory(now=lambda: next(moments))
    ids = [make() for _ in times]
    assert ids == sorted(set(ids))


def test_a_full_counter_goes_to_the_next_millisecond():
    bits = iter([(1 << 74) - 1, 5, 0, 0])
    make = IdFactory(now=lambda: 1.0, randbits=lambda _count: next(bits))
    first, second = make(), make()
    assert second > first
    assert uuid.UUID(second).int >> 80 == 1001
    assert uuid.UUID(second).version == 7
