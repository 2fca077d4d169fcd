"""The generator and a stock client on one hub."""

from __future__ import annotations

import asyncio
import os

from benchmarks import agreement
from benchmarks.servers import Server
from benchmarks.tutorial_hub import TutorialHub
from benchmarks.workload import Workload
from tests.unit.benchmarks.doctored import Doubling, serving

_WORKLOAD = Workload("signal/test")


async def _check(hub: TutorialHub) -> agreement.Agreement:
    async with serving(hub) as port:
        server = Server(os.getpid(), port, 0)
        return await asyncio.to_thread(agreement.check, server, _WORKLOAD, 200)


async def test_both_see_the_same_events_in_the_same_order():
    found = await _check(TutorialHub())
    assert found.holds
    assert found.client == list(range(200))
    assert found.generator.deliveries == 200 * found.connections


async def test_a_doubled_event_is_seen_by_both():
    found = await _check(Doubling())
    assert not found.holds
    assert found.client[:8] == [0, 1, 2, 3, 4, 5, 5, 6]
    assert found.generator.duplicates == found.connections
