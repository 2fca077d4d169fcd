"""Work subscriptions against every order of what can happen in turns of the loop (E1).

The queue's own state machine (``test_queue_model``) cannot see what happens between two turns: here
the coordinator runs on a loop that turns when a rule says so, so that members, acknowledgements,
timers, seeks, deletions and answers of the register meet in one turn in every order. Whatever
happens: every stored event is handed out until it is acknowledged, dead or expired; nothing
confirmed comes again, nothing comes late; one member has an event at a time; no event dies unseen;
and nothing is stuck once the register has answered.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, cast

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.errors import HubError, NotFound
from hub.telemetry.metrics import Metrics
from hub.work.acks import Ack
from hub.work.coordinator import WorkCoordinator
from hub.work.items import Phase
from shipspeak.realtime.v1 import frame_pb2
from tests.unit.work.held_store import HeldStore
from tests.unit.work.stalling_session import StallingSession
from tests.unit.work.stepped_loop import SteppedLoop

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine

    from hub.engine.contract import Engine
    from hub.work.queue import WorkQueue

NAME = "analyse"
ATTEMPTS = 2
LEASE = 10.0
TOPICS = ("meeting/1", "meeting/2", "meeting/3")
MEMBERS = ("ann", "bob")
ACK = frame_pb2.VERB_ACK
VERBS = (ACK, ACK, frame_pb2.VERB_NACK, frame_pb2.VERB_EXTEND, frame_pb2.VERB_REJECT)
METRICS = Metrics()
pick = st.integers(0, 1_000)
# 0 = do it: what sets much back would else be most of what happens.
SELDOM = st.sampled_from([1, 2, 3, 0])


class Coordinated(RuleBasedStateMachine):
    """One work subscription over two shards, two members."""

    ordered = False

    def __init__(self) -> None:
        super().__init__()
        self.loop = SteppedLoop()
        self.store = HeldStore(self.loop.wall)
        self.work = WorkCoordinator(
            self.store,
            cast("Engine", self.store),
            self.loop.wall,
            METRICS,
            max_attempts=ATTEMPTS,
            on_dead=lambda _shard: None,
        )
        self.sessions = {name: self.session(name) for name in MEMBERS}
        # By delivery id: who has got which event, in which life of the subscription.
        self.deliveries: dict[str, tuple[str, str, int]] = {}
        self.seen: dict[tuple[int, str], int] = {}
        self.confirmed: dict[str, int] = {}
        self.tasks: list[asyncio.Task[Any]] = []
        self.drained = False
        self.ensure()
        self.settle_all()
        for name in MEMBERS:
            self.join(name, 3)
        self.publish(list(TOPICS), 0)
        self.settle_all()

    def session(self, name: str) -> StallingSession:
        return StallingSession(
            name,
            lambda delivery: self.handed_out(name, delivery),
            lambda delivery: self.taken(name, delivery),
            self.loop.wall,
        )

    def handed_out(self, name: str, delivery: frame_pb2.Delivery) -> None:
        event, store = delivery.event.id, self.store
        assert not self.drained
        assert self.confirmed.get(event) != store.life, "it was acknowledged, and comes again"
        assert delivery.attempt <= ATTEMPTS
        store.check_open(delivery.topic, event, ordered=self.ordered)

    def taken(self, name: str, delivery: frame_pb2.Delivery) -> None:
        event, life = delivery.event.id, self.store.life
        self.deliveries[delivery.delivery_id] = (name, event, life)
        self.seen[life, event] = self.seen.get((life, event), 0) + 1

    def start(
        self, doing: Coroutine[Any, Any, Any], then: Callable[[Any], None] | None = None
    ) -> None:
        def ended(task: asyncio.Task[Any]) -> None:
            self.tasks.remove(task)
            if task.cancelled():
                return
            error = task.exception()
            if error is None and then is not None:
                then(task.result())
            elif error is not None and not isinstance(error, HubError):
                self.loop.failures.append(repr(error))

        task = self.loop.create_task(doing)
        self.tasks.append(task)
        task.add_done_callback(ended)

    @property
    def queue(self) -> WorkQueue | None:
        running = self.work._works.get(NAME)
        return None if running is None else running.queue

    # What happens

    @rule(
        topics=st.lists(st.sampled_from(TOPICS), min_size=1, max_size=3),
        expires=st.sampled_from([0, 0, 0, 15]),
    )
    def publish(self, topics: list[str], expires: int) -> None:
        now_ms = int(self.loop.wall() * 1000)
        for topic in topics:
            self.store.publish(topic, now_ms + expires * 1000 if expires else 0)

    @rule(name=st.sampled_from(MEMBERS), size=st.integers(1, 3))
    def join(self, name: str, size: int) -> None:
        member = self.sessions[name]
        with contextlib.suppress(NotFound):
            self.work.join(NAME, member, name, max_outstanding=size, lease_seconds=LEASE)

    @rule(name=st.sampled_from(MEMBERS), sure=SELDOM, lost=st.booleans())
    def leave(self, name: str, sure: int = 0, *, lost: bool = False) -> None:
        """For good: whoever comes back is another session."""
        if sure:
            return
        self.work.release(name, lost=lost)
        self.sessions[name] = self.session(name)

    @rule(name=st.sampled_from(MEMBERS), stalled=st.sampled_from([False, False, True]))
    def stall(self, name: str, *, stalled: bool) -> None:
        self.sessions[name].stalled = stalled
        self.sessions[name].take()

    @precondition(lambda self: self.deliveries)
    @rule(
        which=pick,
        verbs=st.lists(st.sampled_from(VERBS), min_size=1, max_size=2),
        delay=st.sampled_from([0.0, 5.0, 100.0]),
    )
    def say(self, which: int, verbs: list[frame_pb2.Verb.ValueType], delay: float) -> None:
        """Of any delivery, also one that has ended."""
        delivery_id = list(self.deliveries)[-1 - which % min(6, len(self.deliveries))]
        self.acknowledge(delivery_id, verbs, delay)

    def acknowledge(
        self, delivery_id: str, verbs: list[frame_pb2.Verb.ValueType], delay: float = 0.0
    ) -> None:
        name, event, _ = self.deliveries[delivery_id]

        def confirm(answers: list[HubError | None]) -> None:
            if (ACK, None) in zip(verbs, answers, strict=True):
                self.confirmed[event] = self.store.done_in[event]

        acks = [Ack(delivery_id, verb, delay) for verb in verbs]
        self.start(self.work.acknowledge(acks, name), confirm)

    @rule(seconds=st.sampled_from([1.0, LEASE, 60.0]))
    def time_passes(self, seconds: float) -> None:
        self.loop.jump(seconds)

    @rule(count=st.integers(1, 4))
    def turn(self, count: int) -> None:
        for _ in range(count):
            self.loop.turn()

    @precondition(lambda self: self.store.calls)
    @rule(which=pick, fit=st.integers(1, 3), works=st.sampled_from([True, True, True, False]))
    def write(self, which: int, fit: int, *, works: bool) -> None:
        self.store.do(which, fit, works=works)

    @rule(sure=SELDOM, to_end=SELDOM)
    def seek(self, sure: int, to_end: int) -> None:
        if not sure:
            self.start(self.work.seek_time(NAME, int(not to_end)))

    @rule(sure=SELDOM)
    def delete(self, sure: int) -> None:
        """Now and then: nothing of what went before is left then."""
        if not sure:
            self.start(self.work.delete(NAME))

    @rule()
    def come_to_rest(self) -> None:
        self.settle_all()

    @precondition(lambda self: self.queue is not None and self.queue.outstanding)
    @rule(verbs=st.lists(st.sampled_from(VERBS), min_size=1, max_size=2), turns=st.integers(0, 2))
    def say_at_the_end(self, verbs: list[frame_pb2.Verb.ValueType], turns: int) -> None:
        """Rulings in calls of their own, about when the lease ends."""
        assert self.queue is not None
        ends = self.queue._leases._ends
        lease = min(self.queue._leases._leases.values(), key=lambda lease: lease.deadline)
        if lease.delivery_id in self.deliveries and lease.delivery_id in ends:
            for verb in verbs:
                self.acknowledge(lease.delivery_id, [verb])
            self.turn(turns)
            self.loop.jump(max(0.0, lease.deadline - self.loop.wall()))
            self.turn(1)

    @rule()
    def ensure(self) -> None:
        self.start(self.work.ensure(NAME, "meeting/*", ordered=self.ordered))

    @precondition(lambda self: self.tasks)
    @rule(which=pick)
    def caller_goes(self, which: int) -> None:
        self.tasks[which % len(self.tasks)].cancel()

    @precondition(lambda self: len(self.deliveries) > 5)
    @rule()
    def drain(self) -> None:
        self.work.drain()
        self.drained = self.queue is not None

    # What holds

    @invariant()
    def nothing_fails(self) -> None:
        assert self.loop.failures == []

    @invariant()
    def one_lease_an_event(self) -> None:
        if self.queue is not None:
            items = [lease.item for lease in self.queue._leases._leases.values()]
            assert all(self.queue._items[item.shard, item.ref] is item for item in items)
            assert len({id(item) for item in items}) == len(items)

    @invariant()
    def no_event_dies_unseen(self) -> None:
        for event in self.store.exhausted:
            assert self.seen.get((self.store.life, event), 0) >= ATTEMPTS

    @invariant()
    def nothing_is_stuck(self) -> None:
        if self.store.calls or not self.loop.idle or self.queue is None:
            return
        if self.queue.moving:
            return  # it tries to read again in a moment
        assert self.queue._asks.idle
        giving_up = {id(item) for items in self.queue._dead.values() for item in items}
        for item in self.queue._items.values():
            assert item.phase in (Phase.WAITING, Phase.LEASED) or id(item) in giving_up
            assert item.data == b"" or item.phase is Phase.READY

    def settle_all(self) -> None:
        """Let all that is under way come to its end."""
        for _ in range(1_000):
            while not self.loop.idle:
                self.loop.turn()
            if not self.store.calls:
                return
            self.store.do(0, 3, works=True)
        raise AssertionError("it never comes to rest")

    def teardown(self) -> None:
        """With a member that does its work, everything comes to an end."""
        try:
            self.bring_to_an_end()
        finally:
            for task in self.tasks:
                task.cancel()
            self.loop.close()

    def bring_to_an_end(self) -> None:
        for _ in range(3):
            self.settle_all()
            self.loop.jump(2.0)
        self.settle_all()
        self.nothing_is_stuck()
        assert self.tasks == []
        assert self.queue is None or not self.queue.moving
        if self.drained:
            return
        for name in MEMBERS:
            self.leave(name)
        self.ensure()
        self.settle_all()
        self.join("ann", 3)
        for _ in range(200):
            self.settle_all()
            if not self.store.unsettled:
                break
            self.loop.jump(LEASE / 2)
            for delivery_id in list(self.deliveries)[-3:]:
                self.acknowledge(delivery_id, [ACK])
        self.nothing_fails()
        assert self.store.unsettled == []
        assert self.queue is not None
        assert self.queue.outstanding == 0


class OrderedCoordinated(Coordinated):
    """The same, in ordered mode."""

    ordered = True


BUDGET = settings(
    max_examples=60,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
Coordinated.TestCase.settings = BUDGET
OrderedCoordinated.TestCase.settings = BUDGET
TestCoordinated = Coordinated.TestCase
TestOrderedCoordinated = OrderedCoordinated.TestCase
