"""Bytes in flight, counted by running totals."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.session.window import ByteWindow


def test_without_a_size_it_never_closes() -> None:
    window = ByteWindow(0)
    window.on_sent(10**12)
    assert window.open


def test_it_closes_when_full_and_opens_with_a_report() -> None:
    window = ByteWindow(100)
    seen = [window.open]
    for size in (99, 50):
        window.on_sent(size)
        seen.append(window.open)
    assert window.in_flight == 149
    assert seen == [True, True, False]
    opened = []
    for total in (49, 50, 60):
        window.on_handled(total)
        opened.append(window.open)
    assert opened == [False, True, True]
    assert window.open


def test_reports_that_go_back_or_too_far_are_clamped() -> None:
    window = ByteWindow(100)
    window.on_sent(100)
    window.on_handled(10)
    window.on_handled(5)
    assert window.in_flight == 90
    window.on_handled(2**63)
    assert window.in_flight == 0
    window.on_sent(100)
    assert not window.open


def test_one_overdraft_until_the_window_has_opened_again() -> None:
    window = ByteWindow(100)
    window.on_sent(100)
    seen = [window.may_overdraw]
    window.on_sent(10)
    seen.append(window.may_overdraw)
    for total in (0, 1, 10):
        window.on_handled(total)
        seen.append(window.may_overdraw)
    assert seen == [True, False, False, False, False]
    window.on_handled(11)
    assert window.open
    window.on_sent(1)
    assert (window.open, window.may_overdraw) == (False, True)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=200))
def test_past_a_full_window_goes_one_urgent_frame_however_small_the_reports(
    steps: list[tuple[bool, int]],
) -> None:
    """G8, G7: between two moments at which the window is open."""
    window, handled, urgent = ByteWindow(100), 0, 0
    for is_send, amount in steps:
        if is_send and (window.open or window.may_overdraw):
            urgent += not window.open
            window.on_sent(amount)
        elif not is_send:
            handled = min(window.sent, handled + amount)
            window.on_handled(handled)
        urgent = 0 if window.open else urgent
        assert urgent <= 1
        assert window.in_flight < 100 + 40 + 40


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 300)), max_size=60))
def test_what_is_in_flight_is_what_was_sent_and_not_reported(
    steps: list[tuple[bool, int]],
) -> None:
    window, sent, handled = ByteWindow(256), 0, 0
    for is_send, amount in steps:
        if is_send and window.open:
            window.on_sent(amount)
            sent += amount
        elif not is_send:
            handled = min(sent, handled + amount)
            window.on_handled(handled)
        assert window.in_flight == sent - handled
        assert window.open == (sent - handled < 256)
        assert window.in_flight < 256 + 300
