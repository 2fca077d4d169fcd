"""One page of the log in hand, whatever waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.fake_sink import FakeSink
from tests.support.sessions import ScriptedSource, open_session

if TYPE_CHECKING:
    from collections.abc import Container

    from hub.session.position import Subscription

CRITICAL, NORMAL = 1, 3


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
