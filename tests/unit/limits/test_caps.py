"""D2, I2: how many sessions a user has, how many are opened a second, how much is kept."""

from __future__ import annotations

import pytest

from hub.errors import ResourceExhausted
from hub.limits.rates import Rates
from hub.limits.seats import Seats
from hub.limits.storage import StorageCaps
from hub.settings import Settings
from tests.support.manual_clock import ManualClock


def test_a_user_has_so_many_seats_and_others_have_their_own() -> None:
    seats = Seats(2)
    seats.take("alice")
    seats.take("alice")
    with pytest.raises(ResourceExhausted) as refused:
        seats.take("alice")
    assert refused.value.reason_name == "CONNECTION_LIMIT"
    assert refused.value.retry_after
    seats.take("bob")
    seats.leave("alice")
    seats.take("alice")


@pytest.mark.parametrize(("most", "user"), [(0, "alice"), (1, "")])
def test_without_a_cap_or_a_name_nobody_is_counted(most: int, user: str) -> None:
    seats = Seats(most)
    for _ in range(10):
        seats.take(user)
    for _ in range(10):
        seats.leave(user)


def test_handshakes_from_everywhere_count_together() -> None:
    clock = ManualClock(0.0)
    rates = Rates(Settings(dev=True, rate_handshakes=2), clock)
    for number in range(4):
        rates.opening(f"ipv4:10.0.0.{number}:1")
    with pytest.raises(ResourceExhausted) as refused:
        rates.opening("ipv4:10.0.1.1:1")
    assert refused.value.reason_name == "RATE_LIMITED"
    clock.advance(refused.value.retry_after or 0)
    rates.opening("ipv4:10.0.1.1:1")


def test_a_full_namespace_is_told_what_to_do_and_others_go_on() -> None:
    kept = {"meeting": 100, "user": 100}
    caps = StorageCaps({"meeting": 100, "*": 1000}, lambda name: kept.get(name, 0))
    with pytest.raises(ResourceExhausted) as refused:
        caps.check("meeting", "meeting/1")
    assert refused.value.reason_name == "STORAGE_LIMIT"
    assert "purge" in refused.value.message
    assert refused.value.metadata == {"max": "100"}
    caps.check("user", "user/alice")
    kept["meeting"] = 99
    caps.check("meeting", "meeting/1")


@pytest.mark.parametrize("caps", [{"meetings": 1}, {"meeting": 0}])
def test_caps_that_mean_nothing_are_refused(caps: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="meeting"):
        Settings(dev=True, namespace_bytes=caps)
