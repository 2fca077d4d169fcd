"""Drafts that wait on disk wait for a token too."""

from __future__ import annotations

import pytest

from shipspeak_realtime import AuthError
from tests.unit.sdk.test_lane import Hub, entries, lane_of


async def test_a_refused_token_fails_who_waits_in_memory_and_delays_who_waits_on_disk():
    hub = Hub(lambda _: AuthError("ended"), lambda _: AuthError("ended"))
    lane = lane_of(hub)
    first, hasty, last = entries(lane, 3)
    first.durable = last.durable = True
    await lane.work()
    assert [first.receipt.result().id, last.receipt.result().id] == ["d0", "d2"]
    assert hub.log == ["d0", "d2"]
    with pytest.raises(AuthError) as refused:
        hasty.receipt.result()
    assert refused.value.request_id == "d1"
