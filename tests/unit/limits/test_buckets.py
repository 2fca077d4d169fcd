"""I2: rates, their bursts, and how much memory they may take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import ResourceExhausted
from hub.limits.bucket import Bucket, Rate
from hub.limits.buckets import MAX_BUCKETS, Buckets
from hub.limits.rates import Rates, address_of
from hub.settings import Settings
from tests.support.manual_clock import ManualClock


def test_a_burst_passes_then_the_rate_holds() -> None:
    bucket = Bucket(Rate(per_second=10, burst=3), now=0.0)
    assert [bucket.take(0.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert bucket.take(0.0) == pytest.approx(0.1)
    assert bucket.take(0.05) == pytest.approx(0.05)
    assert bucket.take(0.1) == 0.0


@given(st.lists(st.floats(0, 10), min_size=1, max_size=200))
def test_no_more_pass_than_burst_and_rate_allow(gaps: list[float]) -> None:
    rate = Rate(per_second=5, burst=4)
    bucket = Bucket(rate, now=0.0)
    now, passed = 0.0, 0
    for gap in gaps:
        now += gap
        passed += bucket.take(now) == 0.0
        assert passed <= rate.burst + now * rate.per_second + 1e-6


@given(st.lists(st.floats(0, 1), max_size=50))
def test_whoever_waits_as_told_gets_through(gaps: list[float]) -> None:
    bucket = Bucket(Rate(per_second=3, burst=1), now=0.0)
    now = 0.0
    for gap in gaps:
        now += gap
        if wait := bucket.take(now):
            now += wait + 1e-6
            assert bucket.take(now) == 0.0


def test_what_is_owed_is_waited_for() -> None:
    bucket = Bucket(Rate(per_second=10, burst=1), now=0.0)
    assert bucket.owe(0.0) == 0.0
    assert bucket.owe(0.0) == pytest.approx(0.1)
    assert bucket.owe(0.0) == pytest.approx(0.2)
    assert bucket.owe(1.0) == 0.0


def test_a_clock_that_steps_back_gives_nothing() -> None:
    bucket = Bucket(Rate(per_second=1, burst=1), now=100.0)
    assert bucket.take(100.0) == 0.0
    assert bucket.take(50.0) > 0.0
    assert bucket.take(100.5) > 0.0


def test_invented_names_take_bounded_memory_and_those_in_use_stay() -> None:
    clock = ManualClock(0.0)
    buckets = Buckets(Rate(per_second=1, burst=1), clock)
    assert buckets.take("me") == 0.0
    for number in range(2 * MAX_BUCKETS):
        buckets.take(f"n{number}")
        if number % 1000 == 0:
            assert buckets.take("me") > 0.0
    assert len(buckets) == MAX_BUCKETS


def test_no_rate_is_no_limit_and_no_memory() -> None:
    buckets = Buckets(Rate(per_second=0, burst=1))
    assert [buckets.take("a") for _ in range(100)] == [0.0] * 100
    assert len(buckets) == 0


def test_a_draft_that_its_topic_refuses_costs_its_user_nothing() -> None:
    settings = Settings(dev=True, rate_drafts_per_user=1.0, rate_drafts_per_topic=0.5)
    rates = Rates(settings, ManualClock(0.0))
    rates.draft("alice", "meeting/1")
    with pytest.raises(ResourceExhausted) as limited:
        rates.draft("alice", "meeting/1")
    assert limited.value.reason_name == "RATE_LIMITED"
    assert limited.value.topic == "meeting/1"
    assert limited.value.retry_after == pytest.approx(2.0)
    rates.draft("alice", "meeting/2")
    with pytest.raises(ResourceExhausted, match="alice publishes faster"):
        rates.draft("alice", "meeting/3")


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:10.0.0.1:5000", "ipv4:10.0.0.1"),
        ("ipv6:[2001:db8:1:2:3:4:5:6]:5000", "ipv6:2001:db8:1:2::/64"),
        ("ipv6:%5B2001:db8:1:2::9%5D:80", "ipv6:2001:db8:1:2::/64"),
        ("ipv6:[2001:db8:1:3::1]:5000", "ipv6:2001:db8:1:3::/64"),
        ("ipv6:[fe80::1%25eth0]:5000", "ipv6:fe80::/64"),
        ("ipv6:[::1]:5000", "ipv6:::/64"),
        ("ipv6:[::ffff:10.0.0.1]:5000", "ipv4:10.0.0.1"),
        ("ipv6:[nonsense]:5000", "ipv6:[nonsense]"),
        ("unix:/run/rthub.sock", "unix:/run/rthub.sock"),
        ("", ""),
    ],
)
def test_an_address_has_no_port_and_of_ipv6_only_its_network(peer: str, address: str) -> None:
    assert address_of(peer) == address
