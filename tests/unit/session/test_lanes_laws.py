"""The laws of the lanes, whatever waits and whatever changes meanwhile."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from hub.session.lanes import FAIR_SHARE, Lanes
from hub.session.position import Subscription
from tests.support.sessions import open_session

CRITICAL, LOW = 1, 4
MANY = 1_000


@dataclass
class _Source:
    """A topic whose state the test sets."""

    name: str
    priority: int
    log: bool = False
    asked: int = 0

    def next_frame(self, _subscription: Subscription, _now_ms: int) -> bytes | None:
        return None

    def waiting_priority(self, _subscription: Subscription) -> int:
        self.asked += 1
        return self.priority

    def needs_log(self, _subscription: Subscription) -> bool:
        return self.log


def _lanes(*sources: _Source) -> tuple[Lanes, dict[str, Subscription]]:
    session, lanes = open_session(), Lanes()
    subscriptions = {
        source.name: Subscription(session, source, epoch=1, offset=0, slot=0, rights_until=math.inf)
        for source in sources
    }
    for subscription in subscriptions.values():
        lanes.add(subscription)
    return lanes, subscriptions


def _name(subscription: Subscription | None) -> str:
    return "" if subscription is None else subscription.source.name


_SOURCES = st.lists(st.tuples(st.integers(0, LOW), st.booleans()), min_size=1, max_size=12)
_CHANGES = st.lists(st.tuples(st.integers(0, 11), st.integers(0, LOW), st.booleans()), max_size=40)


@given(_SOURCES, _CHANGES)
def test_the_most_urgent_goes_first_and_every_eighth_is_the_longest_waiting(
    begin: list[tuple[int, bool]], changes: list[tuple[int, int, bool]]
) -> None:
    """E3, G8: priorities as they are now, not as they were noted."""
    sources = [_Source(f"t{n}", priority, log) for n, (priority, log) in enumerate(begin)]
    lanes, subscriptions = _lanes(*sources)
    waiting = [source.name for source in sources if source.priority]
    frames = 0
    for index, priority, log in changes:
        changed = sources[index % len(sources)]
        if changed.log != log and changed.name in waiting:
            waiting.remove(changed.name)
        changed.priority, changed.log = priority, log
        lanes.add(subscriptions[changed.name])
        if not priority and changed.name in waiting:
            waiting.remove(changed.name)
        elif priority and changed.name not in waiting:
            waiting.append(changed.name)
        chosen = lanes.next()
        assert (chosen is None) == (not waiting)
        if chosen is None:
            continue
        fair = frames == FAIR_SHARE - 1
        by_name = {source.name: source.priority for source in sources}
        best = min(by_name[name] for name in waiting)
        assert _name(chosen) == waiting[0] if fair else by_name[_name(chosen)] == best
        if chosen.source.needs_log(chosen):
            # The frame comes when the page is there, and is a turn then.
            frames = -1 if fair else frames
        else:
            frames = 0 if fair else frames + 1
        lanes.requeue(chosen)
        waiting.remove(_name(chosen))
        waiting.append(_name(chosen))


@given(st.integers(1, 20), st.integers(1, 20))
def test_the_lowest_is_served_within_its_share(urgent: int, low: int) -> None:
    """G8: LOW never starves: with n waiting, each is served within 8 n frames."""
    lanes, subscriptions = _lanes(
        *(_Source(f"c{n}", CRITICAL) for n in range(urgent)),
        *(_Source(f"l{n}", LOW) for n in range(low)),
    )
    served: dict[str, int] = {}
    for frame in range(FAIR_SHARE * len(subscriptions)):
        chosen = lanes.next()
        assert chosen is not None
        served.setdefault(_name(chosen), frame)
        lanes.requeue(chosen)
    assert served.keys() == subscriptions.keys()


@given(_SOURCES)
def test_while_a_page_is_in_hand_no_other_topic_is_read(begin: list[tuple[int, bool]]) -> None:
    sources = [_Source(f"t{n}", priority, log) for n, (priority, log) in enumerate(begin)]
    lanes, subscriptions = _lanes(_Source("reader", LOW), *sources)
    reader = subscriptions["reader"]
    for frame in range(1, 2 * FAIR_SHARE + 1):
        chosen = lanes.next(reader)
        assert chosen is not None
        assert not chosen.source.needs_log(chosen)
        if any(source.log and source.priority for source in sources):
            ready = [one.priority for one in sources if one.priority and not one.log]
            log = [one.priority for one in sources if one.priority and one.log]
            if min(log) < min([LOW, *ready]):
                assert chosen is reader or frame % FAIR_SHARE == 0
        lanes.requeue(chosen)


def test_a_fair_turn_that_finds_a_page_in_hand_decides_who_is_read_next() -> None:
    """G8: and takes nothing more from what needs no reading."""
    hand, live = _Source("hand", LOW), _Source("live", CRITICAL)
    low, high = _Source("low", LOW, log=True), _Source("high", CRITICAL, log=True)
    lanes, subscriptions = _lanes(low, high, hand, live)
    reader = subscriptions["hand"]
    for _ in range(FAIR_SHARE - 1):
        chosen = lanes.next(reader)
        assert _name(chosen) == "live"
        lanes.requeue(subscriptions["live"])
    assert lanes.next(reader) is reader
    lanes.remove(reader)
    assert _name(lanes.next()) == "live"
    lanes.remove(subscriptions["live"])
    assert [_name(lanes.next()) for _ in range(2)] == ["low", "high"]


def test_a_choice_costs_the_same_with_a_thousand_topics() -> None:
    """A reconnect with 1000 topics makes thousands of choices, not a million questions."""
    sources = [_Source(f"t{n}", 1 + n % LOW) for n in range(MANY)]
    lanes, _ = _lanes(*sources)
    for source in sources:
        source.asked = 0
    for _ in range(MANY):
        chosen = lanes.next()
        assert chosen is not None
        lanes.remove(chosen)
    assert not lanes
    assert sum(source.asked for source in sources) <= 2 * MANY


def test_a_look_that_finds_nobody_is_no_turn() -> None:
    """G8: what waits for the reader of the log brings no fair turn nearer."""
    reader, behind = _Source("reader", LOW, log=True), _Source("behind", LOW, log=True)
    low, urgent = _Source("low", LOW), _Source("urgent", CRITICAL)
    lanes, subscriptions = _lanes(reader, behind, low, urgent)
    for name in ("reader", "low", "urgent"):
        lanes.remove(subscriptions[name])
    for _ in range(FAIR_SHARE - 1):
        assert lanes.next(subscriptions["reader"]) is None
    lanes.add(subscriptions["low"])
    lanes.add(subscriptions["urgent"])
    assert _name(lanes.next(subscriptions["reader"])) == "urgent"
