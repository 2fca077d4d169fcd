"""Slow readers and storms on a real hub, in a form of seconds: what holds on any machine."""

from __future__ import annotations

import pytest

from benchmarks import pressure, urgent
from benchmarks.stalled import Crowd
from benchmarks.storm import Storm

# Each test starts two hubs, one after the other, and their crowds.
pytestmark = pytest.mark.timeout(200)
SIZE = pressure.Size(
    pairs=1,
    crowd=Crowd(readers=20, stopped=5, burst=1200, seconds=0.5, warm=0),
    storm=Storm(clients=40, topics=2),
    large=Storm(clients=40, topics=2, payload_bytes=2_000),
    rate=4e6,
    seconds=1.0,
    judged=False,
)


def test_a_storm_reads_the_log_once_for_each_topic():
    """F3: whoever comes back is served from memory, which one read has filled."""
    outcome = pressure.storm_row(SIZE)
    assert outcome.wrong == []
    assert [figures["log reads"] for figures in outcome.under] == [SIZE.storm.topics]
    for figures in (*outcome.without, *outcome.under):
        assert figures["server s"] > 0, "noted by the hub"


def test_a_storm_reads_each_page_once_where_a_ring_does_not_hold_what_was_missed():
    """F3: readers at their own pace share what one of them has read."""
    outcome = pressure.large_storm_row(SIZE)
    assert outcome.wrong == []
    assert SIZE.large.pages > 1


def test_readers_that_stop_hold_a_window_and_catch_up():
    """F3: a slow reader costs a fixed number of bytes and misses nothing."""
    outcome = pressure.stalled_row(SIZE)
    assert outcome.wrong == []
    assert outcome.under[0]["in flight KB"] > 0


def test_an_urgent_event_does_not_wait_behind_what_a_transport_swallows():
    """E3: on a real connection, behind a reader that is saturated."""
    outcome = pressure.urgent_row(SIZE)
    assert outcome.wrong == []
    assert outcome.under[0]["max KB ahead"] * 1e3 <= urgent.AHEAD_LIMIT
