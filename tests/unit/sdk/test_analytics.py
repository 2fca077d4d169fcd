"""Figures over time: windows, trends, pace, bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from shipspeak_realtime import AnalyticsStream, Outcome, Receipt
from tests.unit.sdk.manual_clock import ManualClock, settle

if TYPE_CHECKING:
    from shipspeak.realtime.v1 import metrics_pb2


class Recorder:
    """Stands where the client stands."""

    def __init__(self) -> None:
        self.sent: list[metrics_pb2.MetricsUpdate] = []
        self.keys: set[str] = set()

    async def publish(
        self, topic: str, update: metrics_pb2.MetricsUpdate, *, key: str, **_: Any
    ) -> Receipt:
        self.sent.append(update)
        self.keys.add(key)
        return Receipt(topic, "", Outcome.STORED, 1, len(self.sent), duplicate=False)

    def values(self, name: str) -> list[float]:
        return [m.value for update in self.sent for m in update.metrics if m.name == name]

    def last(self, name: str) -> metrics_pb2.Metric:
        (found,) = [metric for metric in self.sent[-1].metrics if metric.name == name]
        return found


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def figures(recorder: Recorder, clock: ManualClock) -> AnalyticsStream:
    return AnalyticsStream(recorder, "practice/7", "figures", clock=clock)  # type: ignore[arg-type]


async def test_every_update_is_whole_and_tells_the_change(
    figures: AnalyticsStream, recorder: Recorder, clock: ManualClock
) -> None:
    """L1, B4: the newest update is enough, whatever was left out before it."""
    async with figures:
        figures.set("pace", 140, unit="words/min", window=10)
        await settle()
        await clock.advance(0.1)
        figures.set("pace", 155, unit="words/min", window=10)
        figures.add("words", 12)
    assert recorder.keys == {"figures"}
    pace = recorder.last("pace")
    assert (pace.value, pace.trend, pace.unit, pace.window.seconds) == (155, 15, "words/min", 10)
    assert recorder.last("words").value == 12


async def test_a_rolling_sum_falls_by_itself(
    figures: AnalyticsStream, recorder: Recorder, clock: ManualClock
) -> None:
    async with figures:
        figures.add("fillers", window=5)
        await clock.advance(3)
        figures.add("fillers", 2, window=5)
        await clock.advance(10)
    assert recorder.values("fillers") == [1, 3, 2, 0]
    assert recorder.last("fillers").trend == -2


async def test_ten_updates_a_second_and_the_last_always(
    figures: AnalyticsStream, recorder: Recorder, clock: ManualClock
) -> None:
    async with figures:
        for number in range(1, 1_001):
            figures.set("done", number)
            await clock.advance(0.001)
        figures.set("done", 2_000)
    assert 10 <= len(recorder.sent) <= 12
    assert recorder.last("done").value == 2_000


async def test_more_figures_than_an_update_holds_are_refused(figures: AnalyticsStream) -> None:
    for number in range(64):
        figures.set(f"f{number}", number)
    with pytest.raises(ValueError, match="one too many"):
        figures.set("f64", 1)
    await figures.flush()
