"""The generator against the tutorial's hub, sound and doctored: does it count what was there?"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from benchmarks.generator import Counts, Generator, GeneratorError
from benchmarks.tutorial_hub import TutorialHub
from benchmarks.workload import Workload, marker
from tests.unit.benchmarks.doctored import Doubling, Dropping, Swapping, serving

if TYPE_CHECKING:
    from collections.abc import Callable

_WORKLOAD = Workload("signal/test")
_CONNECTIONS = 7
_EVENTS = 40


def _run(port: int, drive: Callable[[Generator], Counts]) -> Counts:
    with Generator() as generator:
        connected = generator.subscribe(_WORKLOAD, port, _CONNECTIONS)
        assert (connected.ready, connected.failed) == (_CONNECTIONS, 0)
        assert connected.seconds > 0
        generator.open_publisher(_WORKLOAD, port)
        return drive(generator)


def _closed(generator: Generator) -> Counts:
    generator.start_closed_loop(4, _EVENTS)
    generator.wait(_EVENTS * _CONNECTIONS)
    return generator.stop()


def _at_once(generator: Generator) -> Counts:
    generator.start_closed_loop(_EVENTS, _EVENTS)
    generator.wait((_EVENTS - 1) * _CONNECTIONS)
    return generator.stop()


def _without_the_lost(generator: Generator) -> Counts:
    generator.start_closed_loop(_EVENTS, _EVENTS)
    generator.wait((_EVENTS - 1) * _CONNECTIONS)
    return generator.stop(timeout=0.3)  # what is missing does not come later either


async def _against(hub: TutorialHub, drive: Callable[[Generator], Counts]) -> Counts:
    async with serving(hub) as port:
        return await asyncio.to_thread(_run, port, drive)


async def test_a_sound_hub_has_every_event_counted_once_and_in_order():
    counts = await _against(TutorialHub(), _closed)
    assert counts.complete
    assert counts.published == counts.acks == _EVENTS
    assert counts.deliveries == _EVENTS * _CONNECTIONS
    assert counts.faults == 0
    assert 0 < counts.p50_us <= counts.p99_us <= counts.max_us
    assert counts.received_bytes > counts.deliveries * _WORKLOAD.payload_bytes


async def test_the_closed_loop_closes_on_deliveries_not_on_answers():
    hub = TutorialHub()
    deliver = hub.deliver
    undelivered: set[str] = set()
    seen_at_publish: list[int] = []

    def finish(topic, event):
        undelivered.remove(event.id)
        deliver(topic, event)

    def later(topic, event):  # the answer goes out at once
        seen_at_publish.append(len(undelivered))
        undelivered.add(event.id)
        asyncio.get_running_loop().call_later(0.01, finish, topic, event)

    hub.deliver = later  # type: ignore[method-assign]

    def two_at_a_time(generator: Generator) -> Counts:
        generator.start_closed_loop(2, _EVENTS)
        return generator.wait(_EVENTS * _CONNECTIONS)

    counts = await _against(hub, two_at_a_time)
    assert counts.deliveries == _EVENTS * _CONNECTIONS
    assert len(seen_at_publish) == _EVENTS
    assert max(seen_at_publish) == 1


async def test_a_lost_event_is_seen():
    counts = await _against(Dropping(), _without_the_lost)
    assert (counts.lost, counts.duplicates, counts.disorder) == (_CONNECTIONS, 0, 0)
    assert not counts.complete


async def test_a_lost_last_event_leaves_the_run_incomplete():
    def six(generator: Generator) -> Counts:
        generator.start_closed_loop(6, 6)
        generator.wait(5 * _CONNECTIONS)
        return generator.stop(timeout=0.3)

    counts = await _against(Dropping(), six)
    assert (counts.published, counts.deliveries) == (6, 5 * _CONNECTIONS)
    assert not counts.complete


async def test_a_paced_run_keeps_its_rate():
    def paced(generator: Generator) -> Counts:
        generator.start_paced(200, _EVENTS)
        return generator.wait(_EVENTS * _CONNECTIONS)

    counts = await _against(TutorialHub(), paced)
    assert counts.deliveries == _EVENTS * _CONNECTIONS
    assert counts.seconds >= (_EVENTS - 1) / 200


async def test_a_doubled_event_is_seen():
    counts = await _against(Doubling(), _at_once)
    assert (counts.lost, counts.duplicates, counts.disorder) == (0, _CONNECTIONS, 0)


async def test_swapped_events_are_seen_and_not_taken_for_lost():
    counts = await _against(Swapping(), _at_once)
    assert (counts.lost, counts.duplicates, counts.disorder) == (0, 0, _CONNECTIONS)
    assert counts.deliveries == _EVENTS * _CONNECTIONS


async def test_a_window_holds_only_what_came_since_the_last_mark():
    def twice(generator: Generator) -> Counts:
        generator.start_closed_loop(1, 10)
        generator.wait(10 * _CONNECTIONS)
        assert generator.mark().deliveries == 10 * _CONNECTIONS
        generator.start_closed_loop(1, 5)
        generator.wait(15 * _CONNECTIONS)
        assert generator.mark().deliveries == 5 * _CONNECTIONS
        return generator.total()

    counts = await _against(TutorialHub(), twice)
    assert counts.deliveries == 15 * _CONNECTIONS
    assert counts.faults == 0


async def test_the_latency_counts_from_the_intended_time_of_sending():
    hub = TutorialHub()
    deliver = hub.deliver

    def later(topic, event):
        asyncio.get_running_loop().call_later(0.05, deliver, topic, event)

    hub.deliver = later  # type: ignore[method-assign]
    counts = await _against(hub, _closed)
    assert counts.p50_us >= 48_000  # the histogram's steps are 3 %
    assert counts.faults == 0


async def test_nobody_at_the_port_is_a_failed_connection_with_its_reason():
    async with serving(TutorialHub()) as port:
        pass

    def connect() -> None:
        with Generator() as generator:
            connected = generator.subscribe(_WORKLOAD, port, 3)
            assert (connected.ready, connected.failed) == (0, 3)
            assert "refused" in connected.failure
            with pytest.raises(GeneratorError, match="publisher failed"):
                generator.open_publisher(_WORKLOAD, port)

    await asyncio.to_thread(connect)


def test_commands_out_of_order_are_refused():
    with Generator() as generator, pytest.raises(GeneratorError, match="needs an open PUBLISHER"):
        generator.start_closed_loop(1)


def test_the_marker_has_the_width_that_the_generator_reads():
    assert len(marker(1, 2)) == 42
    assert len(marker(2**63 - 1, 10**12 - 1)) == 42
