"""The work queue against every order of what can happen (E1).

Members come, go and answer in any way; writing to the register takes any time and may fail; the
process may crash. Whatever happens: an event is held by one member at a time, attempts count up by
one, what is confirmed as done never comes again, and in the end nothing is left.
"""

from __future__ import annotations

import itertools

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.engine.work import Ruling, Settlement
from hub.errors import NotFound
from hub.work.items import Deliver, Effect, Handover, Phase, Settle, Take
from hub.work.queue import WorkQueue
from tests.unit.work.register import Register

ATTEMPTS = 3
LEASE = 10.0
TOPICS = ("meeting/1", "meeting/2")
MEMBERS = ("ann", "bob")
RULINGS = (Ruling.DONE, Ruling.BACK, Ruling.DEAD)
pick = st.integers(0, 1_000)


class Works(RuleBasedStateMachine):
    """One shard, two members."""

    ordered = False

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0
        self.register = Register(span=6)
        self.ids = map(str, itertools.count())
        self.under_way: list[Effect] = []
        self.held: dict[str, tuple[str, Handover]] = {}
        self.confirmed: set[str] = set()
        self.attempts: dict[str, int] = {}
        self.queue = self.new_queue()

    def new_queue(self) -> WorkQueue:
        return WorkQueue(
            [0], ordered=self.ordered, max_attempts=ATTEMPTS, new_id=lambda: next(self.ids)
        )

    def turn(self) -> None:
        for effect in self.queue.poll(self.now):
            if isinstance(effect, Deliver):
                self.queue.sent([one.delivery_id for one in effect.deliveries], 0)
                for delivery in effect.deliveries:
                    self.deliver(effect.member, delivery)
            else:
                self.under_way.append(effect)

    def deliver(self, member: str, delivery: Handover) -> None:
        event = delivery.data.decode()
        assert event not in self.confirmed, "it was acknowledged, and comes again"
        assert delivery.attempt == self.attempts.get(event, 0) + 1
        assert delivery.attempt <= ATTEMPTS
        self.attempts[event] = delivery.attempt
        for other, (_, held) in self.held.items():
            assert held.data != delivery.data, f"{other} has it"
        if self.ordered:
            topic, _, offset = event.partition("#")
            earlier = [one for one in self.register.log if one.topic == topic]
            assert all(one.state in ("done", "dead") for one in earlier[: int(offset) - 1])
        self.held[delivery.delivery_id] = (member, delivery)

    # What happens

    @rule(topic=st.sampled_from(TOPICS))
    def publish(self, topic: str) -> None:
        self.register.publish(topic)
        self.queue.stored(0)
        self.turn()

    @rule(member=st.sampled_from(MEMBERS), size=st.integers(1, 3))
    def join(self, member: str, size: int) -> None:
        self.queue.join(member, member, size, LEASE)
        self.turn()

    @rule(member=st.sampled_from(MEMBERS), lost=st.booleans())
    def leave(self, member: str, lost: bool) -> None:
        """What is given back was no attempt."""
        has = self.queue.members.get(member)
        for lease in has.leases.values() if has is not None and not lost else ():
            if lease.item.phase is Phase.LEASED:
                self.attempts[f"{lease.item.topic}#{lease.item.offset}"] -= 1
        self.queue.leave(member, self.now, lost=lost)
        self.held = {key: held for key, held in self.held.items() if held[0] != member}
        self.turn()

    @precondition(lambda self: self.under_way)
    @rule(which=pick, works=st.booleans(), fit=st.integers(1, 3))
    def write(self, which: int, works: bool, fit: int) -> None:
        effect = self.under_way.pop(which % len(self.under_way))
        if isinstance(effect, Take):
            answer = self.register.take(effect, fit) if works else None
            self.queue.taken(effect, answer, self.now)
        elif isinstance(effect, Settle):
            answers = self.register.settle(effect.settlements) if works else None
            self.queue.settled(effect.shard, effect.settlements, answers, self.now)
            if works:
                self.confirmed |= {
                    f"{logged.topic}#{logged.offset}"
                    for one in effect.settlements
                    if one.ruling is Ruling.DONE
                    for logged in [self.register.of(one.ref)]
                }
        self.turn()

    @precondition(lambda self: self.held)
    @rule(which=pick, ruling=st.sampled_from(RULINGS), delay=st.sampled_from([0, 5, 100]))
    def answer(self, which: int, ruling: Ruling, delay: int) -> None:
        delivery_id = sorted(self.held)[which % len(self.held)]
        member, _ = self.held.pop(delivery_id)
        self.rule_on(delivery_id, member, ruling, delay)

    def rule_on(self, delivery_id: str, member: str, ruling: Ruling, delay: int = 0) -> None:
        lease = self.queue.lease(delivery_id, member, self.now)
        not_before = int((self.now + delay) * 1000)
        settlement = Settlement(lease.item.ref, ruling, not_before)
        written = self.queue.rule(lease, settlement)
        self.under_way.append(Settle(0, (written,)))
        try:
            self.queue.lease(delivery_id, member, self.now)
        except NotFound:
            self.turn()
        else:
            raise AssertionError("it can be acknowledged twice")

    @precondition(lambda self: self.held)
    @rule(which=pick, seconds=st.sampled_from([0.0, 60.0]))
    def extend(self, which: int, seconds: float) -> None:
        delivery_id = sorted(self.held)[which % len(self.held)]
        member, _ = self.held[delivery_id]
        self.queue.extend(self.queue.lease(delivery_id, member, self.now), seconds, self.now)

    @rule(seconds=st.sampled_from([1.0, LEASE, 60.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.forget_ended()
        self.turn()

    def forget_ended(self) -> None:
        for delivery_id in set(self.held):
            lease = self.queue._leases._leases.get(delivery_id)
            if lease is None or lease.deadline <= self.now:
                del self.held[delivery_id]

    @rule()
    def crash(self) -> None:
        """Leases are lost; what the register was never told is not lost with them."""
        self.under_way.clear()
        self.held.clear()
        # An attempt may have been counted that no member saw.
        self.attempts = {f"{one.topic}#{one.offset}": one.attempts for one in self.register.log}
        self.queue = self.new_queue()
        self.queue.restore(0, self.register.items())
        self.turn()

    @invariant()
    def nobody_holds_too_much(self) -> None:
        for member in self.queue.members.values():
            assert len(member.leases) <= 3

    def teardown(self) -> None:
        """With a member that does its work, everything comes to an end."""
        self.queue.join("ann", "ann", 3, LEASE)
        for _ in range(400):
            self.now += 200
            self.forget_ended()
            self.turn()
            while self.under_way:
                self.write(0, True, 3)
            for delivery_id, (member, _) in tuple(self.held.items()):
                del self.held[delivery_id]
                if delivery_id in self.queue._leases._leases:
                    self.rule_on(delivery_id, member, Ruling.DONE)
            if all(one.state in ("done", "dead") for one in self.register.log):
                break
        assert [one for one in self.register.log if one.state not in ("done", "dead")] == []
        assert self.queue.outstanding == 0


class OrderedWorks(Works):
    """The same, in ordered mode."""

    ordered = True


BUDGET = settings(
    max_examples=150,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
Works.TestCase.settings = BUDGET
OrderedWorks.TestCase.settings = BUDGET
TestWorks = Works.TestCase
TestOrderedWorks = OrderedWorks.TestCase
