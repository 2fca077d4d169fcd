"""A page of the log as a frame; a trimmed one says so."""

from __future__ import annotations

from hub.engine.contract import LogPage, TopicHead
from hub.fanout.splice import splice
from hub.model.cursor import decode_cursor
from shipspeak.realtime.v1 import event_pb2, frame_pb2
from tests.unit.fanout.events import stored

TOPIC = "meeting/1"


def _page(
    after: int, offsets: list[int], through: int, *, floor: int = 0, more: bool = False
) -> LogPage:
    head = max([through, *offsets, floor])
    events = [stored(offset, expires_ms=50 if offset % 10 == 0 else 0) for offset in offsets]
    return LogPage(after, events, through, more, TopicHead(7, head, floor))


def _run(frame: bytes | None) -> event_pb2.TopicRun:
    assert frame is not None
    (run,) = frame_pb2.ServerFrame.FromString(frame).runs
    return run


def test_a_page_becomes_a_run_of_the_same_bounds() -> None:
    spliced = splice(TOPIC, 3, _page(3, [4, 6], 6, more=True), 0)
    run = _run(spliced.frame)
    assert not spliced.gap
    assert (run.epoch, run.after_offset, run.through_offset) == (7, 3, 6)
    assert [event.offset for event in run.events] == [4, 6]
    cursor = decode_cursor(TOPIC, run.cursor)
    assert (cursor.epoch, cursor.offset, cursor.event_id) == (7, 6, "e6")


def test_an_empty_page_that_moves_nothing_is_no_frame() -> None:
    assert splice(TOPIC, 6, _page(6, [], 6), 0).frame is None


def test_an_empty_page_that_moves_the_position_is_an_empty_run() -> None:
    run = _run(splice(TOPIC, 6, _page(6, [], 9), 0).frame)
    assert (run.after_offset, run.through_offset, list(run.events)) == (6, 9, [])
    assert decode_cursor(TOPIC, run.cursor).event_id == ""


def test_expired_events_are_counted() -> None:
    run = _run(splice(TOPIC, 8, _page(8, [9, 10, 11], 11), 50).frame)
    assert ([event.offset for event in run.events], run.expired) == ([9, 11], 1)


def test_the_cursor_proves_an_expired_event_too() -> None:
    run = _run(splice(TOPIC, 9, _page(9, [10], 10), 50).frame)
    assert decode_cursor(TOPIC, run.cursor).event_id == "e10"


def test_a_floor_above_the_position_is_a_gap() -> None:
    spliced = splice(TOPIC, 3, _page(3, [8, 9], 9, floor=7), 0)
    assert (spliced.gap, spliced.after, spliced.through) == (True, 7, 9)
    run = _run(spliced.frame)
    assert (run.after_offset, [event.offset for event in run.events]) == (7, [8, 9])


def test_events_that_were_trimmed_after_the_read_are_not_shown_behind_the_gap() -> None:
    spliced = splice(TOPIC, 3, _page(3, [4, 8], 8, floor=7), 0)
    assert [event.offset for event in _run(spliced.frame).events] == [8]


def test_everything_trimmed_leaves_a_gap_up_to_the_floor() -> None:
    spliced = splice(TOPIC, 3, _page(3, [], 3, floor=7), 0)
    assert (spliced.gap, spliced.after, spliced.through) == (True, 7, 7)
