"""A meeting's publisher and what it stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.sdk.manual_clock import ManualClock
from tests.unit.sdk.meeting_bench import Recorder, meeting_of

if TYPE_CHECKING:
    from shipspeak_realtime import MeetingPublisher


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def meeting(recorder: Recorder, clock: ManualClock) -> MeetingPublisher:
    return meeting_of(recorder, clock)
