"""I2: new work is refused under strain; when it begins, when it ends, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import Unavailable
from hub.limits.overload import HOLD_SECONDS, REST_SECONDS, Level, Overload, Reading, Trigger
from hub.limits.pulse import Pulse, memory_limit, resident_bytes
from hub.limits.shedding import RETRY_SECONDS, Shedding, Work
from hub.telemetry.metrics import Metrics
from shipspeak.realtime.v1 import event_pb2
from tests.support.manual_clock import ManualClock

LATE, MEMORY = 0.5, 1000


def _after(overload: Overload, reading: Reading, seconds: float, start: float) -> Level:
    """The level once a reading has been the same for so long."""
    overload.observe(reading, start)
    return overload.observe(reading, start + seconds)


def test_one_high_reading_says_nothing() -> None:
    """A process that was stopped for a minute has one, and must take its clients back at once."""
    overload = Overload(LATE, MEMORY)
    assert overload.observe(Reading(60.0, 10), 60.0) is Level.EASY
    assert overload.observe(Reading(0.0, 10), 60.25) is Level.EASY
    assert overload.observe(Reading(60.0, 10), 60.0 + HOLD_SECONDS) is Level.EASY


@pytest.mark.parametrize(
    ("reading", "level"),
    [
        (Reading(LATE - 0.01, MEMORY - 1), Level.EASY),
        (Reading(LATE, 10), Level.STRAINED),
        (Reading(2 * LATE, 10), Level.OVERLOADED),
        (Reading(0.0, MEMORY), Level.STRAINED),
        (Reading(0.0, 1100), Level.OVERLOADED),
        (Reading(LATE, 1100), Level.OVERLOADED),
    ],
)
def test_what_stays_high_sets_the_level(reading: Reading, level: Level) -> None:
    overload = Overload(LATE, MEMORY)
    assert _after(overload, reading, HOLD_SECONDS - 0.01, 0.0) is Level.EASY
    assert overload.observe(reading, HOLD_SECONDS) is level


def test_it_ends_level_by_level_after_a_rest_well_below_the_limit() -> None:
    overload = Overload(LATE, MEMORY)
    assert _after(overload, Reading(2.0, 10), HOLD_SECONDS, 0.0) is Level.OVERLOADED
    # Below the limit, and not well below: it stays for as long as that lasts.
    assert _after(overload, Reading(0.45, 10), REST_SECONDS, 10.0) is Level.STRAINED
    assert overload.observe(Reading(0.45, 10), 1000.0) is Level.STRAINED
    assert "0.45 s late" in overload.cause
    assert _after(overload, Reading(0.1, 10), REST_SECONDS - 0.01, 1001.0) is Level.STRAINED
    assert overload.observe(Reading(0.1, 10), 1001.0 + REST_SECONDS) is Level.EASY
    assert overload.cause == ""


def test_a_limit_of_0_is_none() -> None:
    overload = Overload(0, 0)
    assert _after(overload, Reading(1e9, 1 << 60), 1000.0, 0.0) is Level.EASY


@given(st.lists(st.floats(0, 2), max_size=60))
def test_a_trigger_does_not_flap(values: list[float]) -> None:
    """Between two changes lies at least the time that each of them wants."""
    trigger = Trigger(1.0, 0.7)
    changed, was = -REST_SECONDS, False
    for number, value in enumerate(values):
        if trigger.observe(value, float(number)) is not was:
            was = not was
            assert number - changed >= (HOLD_SECONDS if was else REST_SECONDS)
            changed = number


def _shedding(level: Level, shed: list[str] | None = None, chance: float = 0.5) -> Shedding:
    overload = Overload(LATE, MEMORY)
    overload.level = level
    return Shedding(overload, (shed if shed is not None else []).append, lambda: chance)


@pytest.mark.parametrize("level", Level)
def test_what_is_refused_at_which_level(level: Level) -> None:
    shed: list[str] = []
    shedding = _shedding(level, shed)
    for work in Work:
        if level >= work.refused_from:
            with pytest.raises(Unavailable) as refused:
                shedding.admit(work, "meeting/1")
            assert refused.value.reason_name == "OVERLOADED"
            assert refused.value.retry_after == pytest.approx(RETRY_SECONDS * 1.5)
            assert refused.value.topic == "meeting/1"
        else:
            shedding.admit(work)
    assert shed == [work.label for work in Work if level >= work.refused_from]


def test_urgent_drafts_always_pass_and_the_least_go_first() -> None:
    """I2: by class and priority."""
    strained, overloaded = _shedding(Level.STRAINED), _shedding(Level.OVERLOADED)
    for shedding in (strained, overloaded):
        shedding.admit_draft("signal/1", event_pb2.PRIORITY_CRITICAL, durable=False)
        with pytest.raises(Unavailable):
            shedding.admit_draft("signal/1", event_pb2.PRIORITY_HIGH, durable=False)
        with pytest.raises(Unavailable):
            shedding.admit_draft("meeting/1", event_pb2.PRIORITY_LOW, durable=True)
    strained.admit_draft("meeting/1", 0, durable=True)
    with pytest.raises(Unavailable):
        overloaded.admit_draft("meeting/1", event_pb2.PRIORITY_HIGH, durable=True)


def test_calls_that_keep_or_end_something_always_pass() -> None:
    shedding = _shedding(Level.OVERLOADED)
    for rpc in ("Touch", "RefreshSession", "Acknowledge", "CancelScheduled", "Revoke", "Drain"):
        shedding.admit_call(rpc)
    with pytest.raises(Unavailable):
        shedding.admit_call("Poll")


def test_the_pulse_tells_the_figures_and_every_change() -> None:
    clock, metrics = ManualClock(0.0), Metrics()
    overload = Overload(LATE, 1 << 60)
    pulse = Pulse(overload, metrics, clock)
    pulse.take(-0.01)
    figure = metrics.registry.get_sample_value
    assert figure("rthub_loop_late_seconds") == 0.0
    assert figure("rthub_resident_bytes") == pytest.approx(resident_bytes(), rel=0.5)
    pulse.pretend(late=3.0, memory=5)
    pulse.take(0.0)
    clock.advance(HOLD_SECONDS)
    pulse.take(0.0)
    assert figure("rthub_overload_level") == Level.OVERLOADED
    assert figure("rthub_resident_bytes") == 5
    pulse.pretend(late=None, memory=None)
    pulse.take(0.0)
    clock.advance(REST_SECONDS)
    pulse.take(0.0)
    assert figure("rthub_overload_level") == Level.EASY


def test_a_limit_of_memory_follows_from_the_machine_unless_it_is_set() -> None:
    assert memory_limit(12345) == 12345
    assert memory_limit(0) > resident_bytes()
