"""What waits for an application that does not read is bounded, and no loss in it goes untold."""

from __future__ import annotations

from shipspeak.realtime.v1 import event_pb2
from shipspeak_realtime.events import Event
from shipspeak_realtime.line import MAX_NEWS, Item, Line
from shipspeak_realtime.verdicts import LeftOut, Verdict, VerdictKind

TOPIC = "meeting/1"


def _verdict(kind: VerdictKind, lost: int | None = None, head: int = 0) -> Verdict:
    return Verdict(TOPIC, kind, resumed=True, lost=lost, head=head, oldest_at=None)


def _event(offset: int) -> Event:
    return Event(TOPIC, event_pb2.Event(offset=offset), None)


def _left_out(after: int) -> LeftOut:
    return LeftOut(TOPIC, after, after + 1, conflated=0, expired=1, withdrawn=0)


def _all(line: Line) -> list[object]:
    taken: list[object] = []
    while line:
        taken.append(line.take())
    return taken


def test_a_verdict_for_each_reconnect_fills_no_memory() -> None:
    """A subscription that nobody reads, over a hub that comes and goes for days."""
    line = Line(10)
    for number in range(10 * MAX_NEWS):
        line.put(_verdict(VerdictKind.OK, head=number))
    taken = _all(line)
    assert len(taken) == MAX_NEWS
    last = taken[-1]
    assert isinstance(last, Verdict)
    assert last.head == 10 * MAX_NEWS - 1


def test_counts_between_the_verdicts_fill_none_either() -> None:
    line = Line(10)
    for number in range(10 * MAX_NEWS):
        line.put(_verdict(VerdictKind.OK))
        line.put(_left_out(number))
    taken = _all(line)
    assert len(taken) <= MAX_NEWS + 2
    counted = [item for item in taken if isinstance(item, LeftOut)]
    assert sum(item.expired for item in counted) == 10 * MAX_NEWS
    assert counted[-1].through_offset == 10 * MAX_NEWS


def test_what_was_lost_is_added_up() -> None:
    line = Line(10)
    for _ in range(MAX_NEWS):
        line.put(_verdict(VerdictKind.OK))
    line.put(_verdict(VerdictKind.GAP, lost=3))
    line.put(_verdict(VerdictKind.OK, head=7))
    line.put(_verdict(VerdictKind.GAP, lost=4))
    last = _all(line)[-1]
    assert last == _verdict(VerdictKind.GAP, lost=7, head=0)
    for unknown in (None, 4):
        for _ in range(MAX_NEWS):
            line.put(_verdict(VerdictKind.OK))
        line.put(_verdict(VerdictKind.GAP, lost=unknown))
        line.put(_verdict(VerdictKind.GAP, lost=None))
        assert _all(line)[-1] == _verdict(VerdictKind.GAP, lost=None)


def test_a_reset_is_told_whatever_follows() -> None:
    line = Line(10)
    for _ in range(MAX_NEWS):
        line.put(_verdict(VerdictKind.LIVE))
    for kind in (VerdictKind.GAP, VerdictKind.RESET, VerdictKind.GAP, VerdictKind.OK):
        line.put(_verdict(kind, lost=1 if kind is VerdictKind.GAP else None, head=5))
    assert _all(line)[-1] == _verdict(VerdictKind.RESET, head=5)


def test_few_are_told_one_by_one_and_none_passes_an_event() -> None:
    line = Line(10)
    items: list[Item] = [
        _verdict(VerdictKind.OK),
        _verdict(VerdictKind.GAP, lost=1),
        _event(1),
        _verdict(VerdictKind.OK),
    ]
    for item in items:
        line.put(item)
    assert _all(line) == items
    for _ in range(MAX_NEWS):
        line.put(_verdict(VerdictKind.OK))
    line.put(_event(2))
    line.put(_verdict(VerdictKind.GAP, lost=1))
    assert _all(line)[-2:] == [_event(2), _verdict(VerdictKind.GAP, lost=1)]


def test_there_is_room_again_when_it_was_read() -> None:
    line = Line(10)
    for _ in range(2):
        for _ in range(MAX_NEWS):
            line.put(_verdict(VerdictKind.OK))
        assert len(_all(line)) == MAX_NEWS
    for _ in range(MAX_NEWS):
        line.put(_verdict(VerdictKind.OK))
    line.clear()
    line.put(_verdict(VerdictKind.GAP))
    line.put(_verdict(VerdictKind.GAP))
    assert len(_all(line)) == 2
