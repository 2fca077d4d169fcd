"""Looks into sessions: which topic went next and what else waited, and what each session holds."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from hub.fanout.page import CatchUpPage
from hub.session.lanes import Lanes
from hub.session.manager import Sessions
from tests.guarantees.observed import Sample, Turn, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.session.position import Subscription
    from hub.session.session import Session
    from hub.session.sink import Caller, FrameSink
    from shipspeak.realtime.v1 import event_pb2
    from tests.guarantees.history import History

# A frame from a chunk or a page: 64 KiB and the last event's own size at most.
FRAME_BYTES = 65_536 + 61_000
LOW = 4
CONTROL_BYTES = 16_384


class WatchedLanes(Lanes):
    """Lanes that write down each decision."""

    __slots__ = ("_history", "_name", "_offered", "_places_seen", "_session")

    def __init__(self, session: Session, name: str, history: History) -> None:
        super().__init__()
        self._session, self._name, self._history = session, name, history
        self._places_seen: dict[Subscription, int] = {}
        self._offered: dict[Subscription, int] = {}

    def add(self, subscription: Subscription) -> bool:
        """As in Lanes. What comes later is waiting when its topic's flush offers it again."""
        self._offered[subscription] = subscription.source.waiting_priority(subscription)
        return super().add(subscription)

    def next(self, reader: Subscription | None = None) -> Subscription | None:
        """As in Lanes."""
        chosen = super().next(reader)
        self._note(chosen, window_open=True)
        return chosen

    def next_critical(self, reader: Subscription | None = None) -> Subscription | None:
        """As in Lanes."""
        chosen = super().next_critical(reader)
        self._note(chosen, window_open=False)
        return chosen

    def _note(self, chosen: Subscription | None, *, window_open: bool) -> None:
        session = self._session
        now = session._clock()
        if chosen is None or now >= min(session.rights_until, chosen.rights_until):
            return  # with the right has ended what waits: it is put away, and no frame is made
        if chosen.source.needs_log(chosen):
            return  # a read begins; its turn comes with the page
        waiting = tuple(
            _waiting(each.source.name, self._offered.get(each, 0) or LOW)
            for each in session.subscriptions.values()
            if each is chosen or (now < each.rights_until and _could_go(each))
        )
        place = self._places_seen.setdefault(chosen, len(self._places_seen) + 1)
        self._history.turns.append(
            Turn(self._name, waiting, chosen.source.name, window_open, place)
        )


@lru_cache(maxsize=64)
def _waiting(topic: str, priority: int) -> Waiting:
    return Waiting(topic, priority)


def _could_go(subscription: Subscription) -> bool:
    """It was offered to the session, and nothing has to be read from the log first."""
    source = subscription.source
    offered = subscription.behind_since < math.inf and bool(source.waiting_priority(subscription))
    return offered and not subscription.reading and not source.needs_log(subscription)


def fill_turn(turns: list[Turn], session: str, run: event_pb2.TopicRun) -> None:
    """The decision made last has become a frame."""
    if not turns:
        return
    last = turns[-1]
    if last.session == session and last.chosen == run.topic and last.after is None:
        turns[-1] = replace(last, after=run.after_offset, through=run.through_offset)


def _page_bytes(subscription: Subscription) -> int:
    page = subscription.page
    if not isinstance(page, CatchUpPage):
        return 0
    return sum(len(event.data) for event in page._page.events)


class WatchedSessions(Sessions):
    """Sessions whose lanes are watched and whose bytes are counted."""

    history: History
    _stalls: dict[Session, tuple[int, int, int]]

    def watch(self, history: History, clock: Callable[[], float]) -> None:
        """Write down what happens here, by the recorder's clock."""
        self.history, self._stalls, self._recorder_clock = history, {}, clock

    def create(self, caller: Caller, sink: FrameSink) -> Session:
        """As in Sessions."""
        session = super().create(caller, sink)
        name: str = sink.name  # type: ignore[attr-defined]
        session._turns._lanes = WatchedLanes(session, name, self.history)
        sink.session = session  # type: ignore[attr-defined]
        return session

    def _on_closed(self, session: Session) -> None:
        session.sink.closed_at = self._recorder_clock()  # type: ignore[attr-defined]
        super()._on_closed(session)

    def sample(self, at: float) -> None:
        """Count the bytes of every session."""
        before, self._stalls = self._stalls, {}
        for session in self:
            window = session.window
            if not window.size:
                continue
            handled, number, stall = before.get(session, (-1, 0, 0))
            now_handled = window.sent - window.in_flight
            stuck = window.in_flight > 0 and now_handled == handled
            if not stuck:
                stall = 0
            elif not stall:
                number += 1
                stall = number
            self._stalls[session] = (now_handled, number, stall)
            pages = sum(_page_bytes(each) for each in session.subscriptions.values())
            controls = sum(len(frame) for frame in session._controls)
            # The last frame may pass the window, one CRITICAL frame may, and one page is in hand.
            largest: int = session.sink.largest  # type: ignore[attr-defined]
            bound = window.size + 2 * largest + (FRAME_BYTES if pages else 0) + CONTROL_BYTES
            self.history.samples.append(
                Sample(
                    session.sink.name,  # type: ignore[attr-defined]
                    at,
                    window.in_flight,
                    pages + controls,
                    bound,
                    stall,
                    window.size,
                )
            )
