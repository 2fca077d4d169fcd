"""The work queue in the cases that random orders seldom meet."""

from __future__ import annotations

import itertools

import pytest

from hub.engine.work import Ruling, Settlement
from hub.errors import NotFound
from hub.work.items import Deliver, Effect, Handover, Settle, Take
from hub.work.queue import RETRY_SECONDS, WorkQueue
from tests.unit.work.register import Register

NOW = 1_000.0
LEASE = 30.0


class Bench:
    """A queue of one shard whose writes are done at once, unless the test does them."""

    def __init__(self, *, ordered: bool = False) -> None:
        ids = map(str, itertools.count())
        self.queue = WorkQueue([0], ordered=ordered, max_attempts=3, new_id=lambda: next(ids))
        self.register = Register()
        self.got: list[tuple[str, Handover]] = []

    def publish(self, topic: str = "meeting/1") -> None:
        self.register.publish(topic)
        self.queue.stored(0)

    def turn(self, now: float = NOW) -> list[Effect]:
        """Poll until nothing is to be done; gives the rulings, which the test writes down."""
        rulings: list[Effect] = []
        while effects := self.queue.poll(now):
            for effect in effects:
                if isinstance(effect, Deliver):
                    self.got += [(effect.member, delivery) for delivery in effect.deliveries]
                    self.queue.sent([one.delivery_id for one in effect.deliveries], 0)
                elif isinstance(effect, Take):
                    self.queue.taken(effect, self.register.take(effect), now)
                else:
                    rulings.append(effect)
        return rulings

    def rule(self, index: int = 0, ruling: Ruling = Ruling.DONE) -> Settlement:
        member, delivery = self.got[index]
        lease = self.queue.lease(delivery.delivery_id, member, NOW)
        return self.queue.rule(lease, Settlement(lease.item.ref, ruling))

    def seen(self) -> list[tuple[str, str, int]]:
        return [(member, one.data.decode(), one.attempt) for member, one in self.got]


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.queue.join("one", "one", 1, LEASE)
    made.publish()
    made.turn()
    assert made.seen() == [("one", "meeting/1#1", 1)]
    return made


def test_a_member_that_leaves_while_its_ruling_is_written_gives_nothing_back(bench: Bench) -> None:
    settlement = bench.rule()
    bench.queue.leave("one", NOW)
    bench.queue.join("two", "two", 1, LEASE)
    bench.turn(NOW + LEASE)
    assert len(bench.got) == 1
    answers = bench.register.settle((settlement,))
    bench.queue.settled(0, (settlement,), answers, NOW)
    bench.turn(NOW + LEASE)
    assert len(bench.got) == 1


def test_a_ruling_that_failed_gives_the_lease_back_to_its_member(bench: Bench) -> None:
    settlement = bench.rule()
    bench.queue.settled(0, (settlement,), None, NOW)
    bench.turn(NOW + 1)
    again = bench.rule()
    assert again == settlement


def test_a_ruling_that_failed_after_the_lease_goes_to_another(bench: Bench) -> None:
    settlement = bench.rule()
    late = NOW + LEASE
    bench.queue.settled(0, (settlement,), None, late)
    bench.queue.join("two", "two", 5, LEASE)
    assert bench.turn(late) == []
    bench.turn(late + RETRY_SECONDS)
    assert bench.seen()[1][1:] == ("meeting/1#1", 2)
    with pytest.raises(NotFound):
        bench.rule()


def test_the_last_attempt_that_comes_back_is_dead_at_once(bench: Bench) -> None:
    for attempt in (1, 2):
        settlement = bench.rule(attempt - 1, Ruling.BACK)
        assert settlement.ruling is Ruling.BACK
        answers = bench.register.settle((settlement,))
        bench.queue.settled(0, (settlement,), answers, NOW)
        bench.turn()
    assert bench.rule(2, Ruling.BACK).ruling is Ruling.DEAD


def test_an_event_whose_member_vanished_on_its_last_attempt_is_dead(bench: Bench) -> None:
    for attempt in (1, 2, 3):
        assert len(bench.got) == attempt
        bench.queue.leave("one", NOW, lost=True)
        bench.queue.join("one", "one", 1, LEASE)
        rulings = bench.turn()
    (settle,) = rulings
    assert isinstance(settle, Settle)
    assert [one.ruling for one in settle.settlements] == [Ruling.DEAD]


def test_the_member_with_most_room_gets_the_next_event() -> None:
    bench = Bench()
    bench.queue.join("small", "small", 1, LEASE)
    bench.queue.join("big", "big", 3, LEASE)
    for _ in range(4):
        bench.publish()
    bench.turn()
    assert sorted(member for member, _ in bench.got) == ["big", "big", "big", "small"]


def test_an_ordered_topic_goes_on_with_its_member_where_that_has_room() -> None:
    bench = Bench(ordered=True)
    bench.queue.join("one", "one", 1, LEASE)
    for _ in range(2):
        bench.publish("meeting/1")
    bench.turn()
    bench.queue.join("two", "two", 5, LEASE)
    settlement = bench.rule()
    bench.queue.settled(0, (settlement,), bench.register.settle((settlement,)), NOW)
    bench.turn()
    assert bench.seen() == [("one", "meeting/1#1", 1), ("one", "meeting/1#2", 1)]


def test_an_ordered_topic_does_not_wait_for_a_busy_member() -> None:
    bench = Bench(ordered=True)
    bench.queue.join("one", "one", 1, LEASE)
    for topic in ("meeting/1", "meeting/1", "meeting/2"):
        bench.publish(topic)
    bench.turn()
    (first,) = bench.got
    settlement = bench.rule()
    bench.queue.settled(0, (settlement,), bench.register.settle((settlement,)), NOW)
    bench.turn()
    assert len(bench.got) == 2
    bench.queue.join("two", "two", 5, LEASE)
    bench.turn()
    assert len(bench.got) == 3
    assert first[0] == "one"
    assert bench.got[2][0] == "two"
