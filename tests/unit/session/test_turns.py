"""One page of the log in hand, whatever waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.session.lanes import FAIR_SHARE
from tests.support.fake_sink import FakeSink
from tests.support.sessions import ScriptedSource, open_session

if TYPE_CHECKING:
    from collections.abc import Container

    from hub.session.position import Subscription

CRITICAL, HIGH, NORMAL, LOW = 1, 2, 3, 4


@pytest.fixture
def sink() -> FakeSink:
    return FakeSink()


class _Page:
    """A page of the log in hand."""

    begin = 0
    through = 1
    oldest_ms = 0

    def frame(self, _now_ms: int) -> bytes | None:
        return b""

    def withdraw(self, _offsets: Container[int]) -> None:
        pass

    def begin_cursor(self, _now_ms: int) -> bytes:
        return b""


class _LogSource(ScriptedSource):
    """A topic that lies in the log: a page is read for each frame."""

    reads = 0

    def needs_log(self, subscription: Subscription) -> bool:
        return bool(self.waiting) and subscription.page is None

    def next_frame(self, subscription: Subscription, now_ms: int) -> bytes | None:
        if subscription.page is None and self.waiting:
            self.reads += 1
            subscription.reading = True
            return None
        subscription.page = None
        return super().next_frame(subscription, now_ms)

    def arrive(self, subscription: Subscription) -> None:
        """The page is there."""
        subscription.reading = False
        subscription.page = _Page()
        subscription.session.page_read(subscription)


def _holds_page(subscription: Subscription) -> bool:
    return subscription.page is not None


def test_a_page_in_hand_makes_way_for_what_may_pass_a_full_window(sink: FakeSink) -> None:
    """G8: CRITICAL passes a full window, also from the log; the other page is read again."""
    session = open_session(sink=sink, window=100)
    bulk = _LogSource("bulk", [(NORMAL, b"bulk")])
    waiting = bulk.subscribe(session)
    live = ScriptedSource("live", [(NORMAL, bytes(100))])
    live.subscribe(session)
    bulk.arrive(waiting)
    assert _holds_page(waiting), "the window is full"
    urgent = _LogSource("urgent", [(CRITICAL, b"urgent")])
    subscription = urgent.subscribe(session)
    sink.take_all()
    assert not _holds_page(waiting)
    urgent.arrive(subscription)
    sink.take_all()
    assert sink.frames[1:] == [b"urgent"]
    session.on_handled(100)
    bulk.arrive(waiting)
    sink.take_all()
    assert sink.frames[2:] == [b"bulk"]
    assert (bulk.reads, urgent.reads) == (2, 1)


def test_who_leaves_frees_its_turn_to_read(sink: FakeSink) -> None:
    session = open_session(sink=sink)
    first, second = (_LogSource(name, [(NORMAL, name.encode())]) for name in "ab")
    first.subscribe(session)
    other = second.subscribe(session)
    assert (first.reads, second.reads) == (1, 0)
    session.remove_subscription("a")
    session.pump()
    assert second.reads == 1
    second.arrive(other)
    assert sink.frames == [b"b"]


@pytest.mark.parametrize("in_flight", [False, True], ids=["idle", "a control frame in flight"])
def test_the_lowest_in_the_log_gets_every_eighth_frame(sink: FakeSink, in_flight: bool) -> None:
    """G8: LOW never starves, wherever the first read began."""
    session = open_session(sink=sink)
    if in_flight:
        session.send_control(b"")
    high = _LogSource("high", [(HIGH, b"high")] * 10 * FAIR_SHARE)
    low = _LogSource("low", [(LOW, b"low")] * 5)
    pages = {high: high.subscribe(session), low: low.subscribe(session)}
    for _ in range(30 * FAIR_SHARE):
        for source, subscription in pages.items():
            if subscription.reading:
                source.arrive(subscription)
        if not sink.writable:
            sink.take()
    frames = [frame for frame in sink.frames if frame]
    places = [place for place, frame in enumerate(frames, 1) if frame == b"low"]
    assert places == [FAIR_SHARE * n for n in range(1, 6)]


class _Endless(_LogSource):
    """A topic that always has more, in the log or in memory."""

    def __init__(self, name: str, priority: int, log: bool) -> None:
        super().__init__(name, [(priority, name.encode())])
        self._log = log

    def needs_log(self, subscription: Subscription) -> bool:
        return self._log and super().needs_log(subscription)

    def next_frame(self, subscription: Subscription, now_ms: int) -> bytes | None:
        self.waiting = self.waiting * 2
        if not self._log:
            return ScriptedSource.next_frame(self, subscription, now_ms)
        frame = super().next_frame(subscription, now_ms)
        del self.waiting[1:]
        return frame


_TOPICS = st.lists(st.tuples(st.integers(CRITICAL, LOW), st.booleans()), min_size=2, max_size=5)


@given(_TOPICS, st.lists(st.integers(0, 12), min_size=1), st.booleans())
def test_nobody_starves_however_long_the_reads_take(
    topics: list[tuple[int, bool]], delays: list[int], in_flight: bool
) -> None:
    """G8: an old place, the page in hand and the own page wait for as many fair turns each."""
    sink = FakeSink()
    session = open_session(sink=sink)
    if in_flight:
        session.send_control(b"")
    sources = [_Endless(f"t{n}", priority, log) for n, (priority, log) in enumerate(topics)]
    pages = [(source, source.subscribe(session)) for source in sources]
    bound = 3 * FAIR_SHARE * (len(sources) + 1)
    since = dict.fromkeys((source.name.encode() for source in sources), 0)
    reads = delay = 0
    for _ in range(6 * bound):
        begun = len(sink.frames)
        reading = [(source, subscription) for source, subscription in pages if subscription.reading]
        if reading and (delay <= 0 or sink.writable):
            reading[0][0].arrive(reading[0][1])
            reads += 1
            delay = delays[reads % len(delays)]
        elif not sink.writable:
            sink.take()
            delay -= 1
        for frame in filter(None, sink.frames[begun:]):
            since = {name: 0 if name == frame else count + 1 for name, count in since.items()}
        assert max(since.values()) <= bound
