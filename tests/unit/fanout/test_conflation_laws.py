"""A ring that conflates, beside a model that knows the law alone, over random histories."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from hub.fanout.budget import RingBudget
from hub.fanout.chunk import CHUNK_BYTES, NEVER
from hub.fanout.ring import Ring
from hub.model.events import NORMAL, StoredEvent
from shipspeak.realtime.v1 import event_pb2, frame_pb2
from tests.support.conflation import Said, account, needed

pytestmark = pytest.mark.timeout(200)
KEYS = st.sampled_from(["", "a", "b", "c"])
ENDS = st.sampled_from([0, 0, 10, 20, 30])
SIZES = st.sampled_from([10, 10, 10, CHUNK_BYTES // 2])
STEPS = st.integers(1, 3)
PASSED = st.sampled_from([0, 0, 5, 10])
EVENTS = st.tuples(KEYS, ENDS, SIZES, STEPS)


@dataclass
class _Log:
    """A ring, and the same events as the model has them."""

    ring: Ring
    said: list[Said] = field(default_factory=list)

    def append(self, key: str, ends: int, size: int, step: int) -> None:
        one = self._say(key, ends, step)
        self.ring.append(_stored(one, size, one.offset - step))

    def prefill(self, events: list[tuple[str, int, int, int]]) -> None:
        """They come behind those that are live already, as when a topic is opened."""
        self.ring.prefill([_stored(self._say(k, e, step), s, -1) for k, e, s, step in events], 0)

    def withdraw(self, index: int) -> None:
        if self.said:
            index %= len(self.said)
            self.said[index] = self.said[index].taken_out()
            self.ring.withdraw(self.said[index].offset)

    def drop_a_chunk(self) -> None:
        if self.ring._chunks:
            self.ring.drop_oldest(self.ring._chunks[0])

    @property
    def kept(self) -> list[Said]:
        return [one for one in self.said if one.offset > self.ring.start_offset]

    def _say(self, key: str, ends: int, step: int) -> Said:
        head = self.said[-1].offset if self.said else 0
        self.said.append(Said(head + step, key, ends))
        return self.said[-1]


def _stored(one: Said, size: int, prev: int) -> StoredEvent:
    made = event_pb2.Event(id=f"e{one.offset}", offset=one.offset, publisher="x" * size)
    data = made.SerializeToString()
    return StoredEvent(one.offset, prev, made.id, data, NORMAL, one.key, 0, one.expires_ms)


CHANGES = st.one_of(
    st.tuples(st.just("append"), EVENTS),
    st.tuples(st.just("append"), EVENTS),
    st.tuples(st.just("append"), EVENTS),
    st.tuples(st.just("withdraw"), st.tuples(st.integers(0, 100))),
    st.tuples(st.just("drop_a_chunk"), st.just(())),
)


def _make(
    older: list[tuple[str, int, int, int]], changes: list[tuple[str, tuple[int, ...]]]
) -> _Log:
    start = sum(step for *_, step in older)
    log = _Log(Ring("meeting/42", 7, start, RingBudget(1 << 24)))
    log.prefill(older)
    for name, arguments in changes:
        getattr(log, name)(*arguments)
    return log


@settings(max_examples=250, deadline=None)
@given(
    older=st.lists(EVENTS, max_size=6),
    changes=st.lists(CHANGES, max_size=30),
    begin=st.integers(0, 9),
    share=st.one_of(st.none(), st.floats(0, 1)),
    now_ms=st.sampled_from([5, 10, 20]),
    meanwhile=st.lists(st.tuples(PASSED, st.lists(EVENTS, max_size=3)), max_size=6),
)
def test_every_frame_says_what_became_of_every_event(
    older: list[tuple[str, int, int, int]],
    changes: list[tuple[str, tuple[int, ...]]],
    begin: int,
    share: float | None,
    now_ms: int,
    meanwhile: list[tuple[int, list[tuple[str, int, int, int]]]],
) -> None:
    """E3, G2, G6: counts are exact, runs join, the latest of each key comes, and all without one.

    Between the frames time passes and more is published. The horizon is a share of the log.
    """
    log = _make(older, changes)
    ring = log.ring
    slot = ring.first_slot + begin % (len(log.kept) + 1)
    horizon = NEVER if share is None else max(1, round(share * ring.head))
    at = [ring.start_offset, *(one.offset for one in log.kept)][slot - ring.first_slot]
    began, got = at, list[int]()
    while slot < ring.next_slot:
        frame, slot, reached = ring.frame(slot, now_ms, horizon)
        (run,) = frame_pb2.ServerFrame.FromString(frame).runs
        want = account(log.said, at, reached, horizon, now_ms)
        assert run.after_offset == at, "runs join"
        assert (run.through_offset, slot) == (reached, ring.slot_after(reached))
        assert [one.offset for one in run.events] == want.delivered
        assert (run.conflated, run.expired, run.withdrawn) == (
            want.conflated,
            want.expired,
            want.withdrawn,
        )
        got += want.delivered
        event(f"conflated {bool(run.conflated)}, expired {bool(run.expired)}")
        at = reached
        if meanwhile:
            passed, more = meanwhile.pop(0)
            now_ms += passed
            for one in more:
                log.append(*one)
    assert at == ring.head or not log.kept
    assert got == sorted(set(got))
    assert needed(log.said, began, horizon) <= set(got)


@settings(max_examples=100, deadline=None)
@given(older=st.lists(EVENTS, max_size=6), changes=st.lists(CHANGES, max_size=30))
def test_a_reader_that_keeps_up_gets_all(
    older: list[tuple[str, int, int, int]], changes: list[tuple[str, tuple[int, ...]]]
) -> None:
    """E3: without a horizon nothing gives way."""
    log = _make(older, changes)
    ring, got = log.ring, list[int]()
    slot = ring.first_slot
    while slot < ring.next_slot:
        frame, slot, _ = ring.frame(slot, 0, 0)
        for run in frame_pb2.ServerFrame.FromString(frame).runs:
            assert run.conflated == 0
            got += [one.offset for one in run.events]
    assert got == [one.offset for one in log.kept if not one.withdrawn]
