"""The same wire on uvloop, which the hub runs on: sends, cuts and drains depend on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import uvloop

from tests.wire import test_calls, test_drain, test_push, test_sockets

Scenario = Callable[[], Awaitable[None]]

SCENARIOS: tuple[Scenario, ...] = (
    test_push.test_stream_opens_at_once_and_carries_frames_in_order,
    test_push.test_stalled_reader_delays_nobody_and_loses_nothing,
    test_push.test_leaving_detaches_at_once,
    test_push.test_deadline_ends_the_stream,
    test_calls.test_thousand_messages_in_order_when_the_body_ends_late,
    test_calls.test_slow_head_is_answered_408,
    test_calls.test_endless_body_is_answered_and_cut,
    test_drain.test_drain_waits_for_unary_calls,
    test_drain.test_call_that_never_ends_is_cut,
    test_drain.test_reader_that_never_reads_is_cut,
    test_sockets.test_listener_and_accepted_connection,
)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_on_uvloop(scenario: Scenario) -> None:
    async def run() -> None:
        await scenario()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
