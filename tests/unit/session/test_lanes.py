"""Which topic goes next."""

from __future__ import annotations

from hub.session.lanes import FAIR_SHARE
from tests.support.fake_sink import FakeSink
from tests.support.sessions import ScriptedSource, open_session

CRITICAL, HIGH, NORMAL, LOW = 1, 2, 3, 4


def _sent(*sources: ScriptedSource, window: int = 0) -> list[bytes]:
    """What a session sends that finds all sources waiting when its sink turns writable."""
    sink = FakeSink()
    session = open_session(sink=sink, window=window)
    session.send_control(b"")
    for source in sources:
        source.subscribe(session)
    sink.take_all()
    return sink.frames[1:]


def test_the_highest_priority_goes_first() -> None:
    assert _sent(
        ScriptedSource("low", [(LOW, b"l")]),
        ScriptedSource("normal", [(NORMAL, b"n")]),
        ScriptedSource("critical", [(CRITICAL, b"c")]),
        ScriptedSource("high", [(HIGH, b"h")]),
    ) == [b"c", b"h", b"n", b"l"]


def test_equals_take_turns() -> None:
    assert _sent(
        ScriptedSource("a", [(NORMAL, b"a1"), (NORMAL, b"a2")]),
        ScriptedSource("b", [(NORMAL, b"b1"), (NORMAL, b"b2")]),
    ) == [b"a1", b"b1", b"a2", b"b2"]


def test_a_topic_goes_as_high_as_its_highest_waiting_event() -> None:
    """Order inside a topic is kept, so what lies before the urgent event is urgent too."""
    assert _sent(
        ScriptedSource("high", [(HIGH, b"h")]),
        ScriptedSource("mixed", [(LOW, b"m1"), (CRITICAL, b"m2"), (LOW, b"m3")]),
    ) == [b"m1", b"m2", b"h", b"m3"]


def test_every_eighth_frame_goes_to_the_longest_waiting() -> None:
    urgent = ScriptedSource("urgent", [(CRITICAL, b"c%d" % n) for n in range(40)])
    low = ScriptedSource("low", [(LOW, b"l%d" % n) for n in range(3)])
    frames = _sent(low, urgent)
    places = [frames.index(b"l%d" % n) for n in range(3)]
    assert places == [FAIR_SHARE - 1, 2 * FAIR_SHARE - 1, 3 * FAIR_SHARE - 1]
    assert [frame for frame in frames if frame.startswith(b"c")] == [b"c%d" % n for n in range(40)]


def test_low_topics_share_the_fair_frames() -> None:
    urgent = ScriptedSource("urgent", [(CRITICAL, b"c")] * 64)
    lows = [ScriptedSource(f"low{n}", [(LOW, b"l%d" % n)] * 2) for n in range(4)]
    frames = _sent(*lows, urgent)
    fair = frames[FAIR_SHARE - 1 : 4 * FAIR_SHARE : FAIR_SHARE]
    assert fair == [b"l0", b"l1", b"l2", b"l3"]
