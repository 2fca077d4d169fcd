"""Receipts count for themselves: however many there are, the promised events stay.

A log of events and receipts is kept beside a model that knows nothing but the rule: what leaves
does so from the old end, by the number of events that are no receipts, or by age; receipts about
events that have left follow them.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.engine.sqlite.inbox import StoreReceipts
from hub.engine.sqlite.policy import Retention
from hub.engine.sqlite.requests import Operate
from hub.engine.sqlite.spoken import Found, Spoken, look_elsewhere, look_for
from hub.model.receipts import DISMISSED, READ, STATES, Mark
from tests.unit.engine.sqlite.support import START_MS, PlainShard, draft

if TYPE_CHECKING:
    from shipspeak.realtime.v1 import notification_pb2

TOPIC = "user/alice"
ALL = "system/all"
PROMISED = 3
MAX_AGE_S = 100


@dataclass(frozen=True)
class Row:
    """One row of the model; ``about``: the offset of a receipt's event, 0 = it lies elsewhere."""

    offset: int
    at_ms: int
    about: int | None = None

    @property
    def event(self) -> bool:
        return self.about is None


class Model:
    """The rule."""

    def __init__(self) -> None:
        self.now_ms = START_MS
        self.rows: list[Row] = []
        self.head = self.floor = 0
        self.events_ever: list[Row] = []

    def add(self, about: int | None = None) -> None:
        self.head += 1
        row = Row(self.head, self.now_ms, about)
        self.rows.append(row)
        if row.event:
            self.events_ever.append(row)

    @property
    def surplus(self) -> bool:
        return sum(row.event for row in self.rows) > PROMISED + 1

    def trim(self) -> None:
        events = [row.offset for row in self.rows if row.event]
        by_count = events[-(PROMISED + 2)] if len(events) > PROMISED + 1 else 0
        aged = [r.offset for r in self.rows if r.at_ms < self.now_ms - MAX_AGE_S * 1000]
        self.floor = max(self.floor, by_count, *aged)
        self.rows = [row for row in self.rows if row.offset > self.floor]
        while self.rows and self.rows[0].about:
            self.floor = self.rows.pop(0).offset


class Pair:
    """The model and a real shard, side by side."""

    def __init__(self, folder: Path) -> None:
        self.model = Model()
        retention = Retention(max_events=PROMISED, max_age_s=MAX_AGE_S)
        self.shard = PlainShard(folder / "shard.db", lambda _: retention)
        self._elsewhere = 0

    def publish(self) -> None:
        self.model.add()
        self.shard.commit([draft(f"e{self.model.head}", TOPIC, published_ms=self.model.now_ms)])
        self._settle()

    def say(self, which: int, state: notification_pb2.ReceiptState.ValueType) -> None:
        """About one of the events that are kept, the newest is 0."""
        events = [row for row in self.model.rows if row.event]
        if which >= len(events):
            return
        offset = events[-1 - which].offset
        spoken = look_for(self.shard.reader.connection, TOPIC, [f"e{offset}"])
        if self._store(Mark(TOPIC, f"e{offset}", state, "alice"), spoken):
            self.model.add(about=offset)
        self._settle()

    def say_elsewhere(self) -> None:
        """About yet another event of another topic."""
        self._elsewhere += 1
        event = Found("n", self._elsewhere, "back-end")
        spoken = look_elsewhere(
            self.shard.reader.connection, TOPIC, ALL, Spoken(frozenset({"n"}), events=(event,))
        )
        mark = Mark(ALL, "n", DISMISSED, "alice", offset=self._elsewhere, said_in=TOPIC)
        assert self._store(mark, spoken)
        self.model.add(about=0)
        self._settle()

    def wait(self, seconds: int) -> None:
        """Time passes, and the housekeeper looks round."""
        self.model.now_ms += seconds * 1000
        self.shard.tidy(self.model.now_ms)
        self.model.trim()
        self.check()

    def _store(self, mark: Mark, spoken: Spoken) -> bool:
        about = {(mark.topic, mark.home): spoken}
        operation = StoreReceipts([mark], about, lambda: self.model.now_ms)
        outcome = self.shard.writer.commit([Operate(operation)])
        self.shard.housekeeper.note(outcome)
        return bool(outcome.stored)

    def _settle(self) -> None:
        """What is noted after a commit is done before the next: no round is needed for it."""
        while self.shard.housekeeper.busy:
            self.shard.housekeeper.step(self.model.now_ms, max_rows=2)
        if self.model.surplus:
            self.model.trim()
        self.check()

    def check(self) -> None:
        model, kept = self.model, [offset for offset, _ in self.shard.events(TOPIC)]
        state = self.shard.reader.head(TOPIC)
        assert kept == [row.offset for row in model.rows]
        assert (state.floor, state.head) == (model.floor, model.head)
        # From the old end only, and nothing that is promised.
        assert kept == list(range(state.floor + 1, state.head + 1))
        young = [r for r in model.events_ever if r.at_ms >= model.now_ms - MAX_AGE_S * 1000]
        assert {row.offset for row in young[-PROMISED:]} <= set(kept)
        # Bounded: three about each event that could be spoken about since the oldest kept one.
        own = sum(bool(row.about) for row in model.rows)
        assert own <= 2 * len(STATES) * (PROMISED + 1)
        assert sum(row.event for row in model.rows) <= PROMISED + 1


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("publish")),
        st.tuples(st.just("say"), st.integers(0, PROMISED), st.sampled_from(STATES)),
        st.tuples(st.just("say_elsewhere")),
        st.tuples(st.just("wait"), st.sampled_from([0, 30, 150])),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_receipts_push_out_nothing_that_is_promised(steps: list[tuple[object, ...]]) -> None:
    """E4: events leave from the old end, and receipts follow theirs."""
    with tempfile.TemporaryDirectory() as folder:
        pair = Pair(Path(folder))
        try:
            for name, *arguments in steps:
                getattr(pair, str(name))(*arguments)
        finally:
            pair.shard.close()


def test_any_number_of_receipts_leaves_the_promised_events(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    for _ in range(PROMISED + 1):
        pair.publish()
    for which in range(PROMISED + 1):
        for state in (READ, DISMISSED):
            pair.say(which, state)
    for _ in range(50):
        pair.say_elsewhere()
    assert pair.model.floor == 0
    pair.publish()
    assert pair.model.floor == 1
    pair.shard.close()


def test_a_quiet_inbox_is_counted_once(tmp_path: Path) -> None:
    """A commit in a topic full of receipts pays for no count until it could have too many."""
    pair = Pair(tmp_path)
    for _ in range(10):
        pair.say_elsewhere()
    counts: list[str] = []
    pair.shard.connection.set_trace_callback(
        lambda sql: counts.append(sql) if sql.startswith("SELECT count(*)") else None
    )
    for _ in range(PROMISED + 1):
        pair.shard.commit([draft(f"q{len(counts)}{_}", TOPIC, published_ms=START_MS)])
        pair.model.add()
    assert not counts
    pair.shard.close()
