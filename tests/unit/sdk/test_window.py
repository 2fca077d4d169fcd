"""The window counts all and reports each 64 KiB."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shipspeak_realtime.window import REPORT_BYTES, Window


@given(st.lists(st.integers(1, 200_000)))
def test_never_more_than_a_report_behind(sizes: list[int]):
    window, reported = Window(), 0
    for count, size in enumerate(sizes, start=1):
        if window.handled(size):
            reported = window.report()
        assert window.handled_bytes == sum(sizes[:count])
        assert window.handled_bytes - reported < REPORT_BYTES


def test_a_report_between_starts_the_count_anew():
    window = Window()
    assert not window.handled(REPORT_BYTES - 1)
    assert window.report() == REPORT_BYTES - 1
    assert not window.handled(REPORT_BYTES - 1)
    assert window.handled(1)
