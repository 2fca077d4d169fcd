"""The receiver's rule: which events of a run are new, and where the receiver stands after it.

A run says "everything in (after, through] is in here, or counted". The rule is pure; the same
cases run against every SDK (tests/conformance/vectors/runs.json). It is what makes "handed over
once, in order, nothing missing" true on top of a transport that may cut, repeat and replay.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import event_pb2, frame_pb2

if TYPE_CHECKING:
    from collections.abc import Sequence

# Volatile topics have no offsets; their repeats can only be known by id, within this many.
REMEMBERED_IDS = 1024
_VOLATILE_EPOCH = 0
# No log has it: on the wire an epoch is unsigned.
_NO_EPOCH = -1


class Action(Enum):
    """What came of a run or of an answer to Subscribe."""

    TAKE = "take"
    DROP = "drop"
    IGNORE = "ignore"
    RESUBSCRIBE = "resubscribe"
    OK = "ok"
    GAP = "gap"
    RESET = "reset"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Place:
    """A numeric position: everything up to `offset` of the log `epoch` was handled."""

    epoch: int
    offset: int


@dataclass(frozen=True, slots=True)
class Taken:
    """The outcome of one run.

    Attributes:
        action: TAKE, DROP, IGNORE or RESUBSCRIBE.
        events: the new ones, in order.
        duplicates: events left out because they were handled before.
    """

    action: Action
    events: Sequence[event_pb2.Event] = ()
    duplicates: int = 0


class Receiver:
    """Where one subscription stands.

    Args:
        place: the position to resume from; None = none yet.
    """

    def __init__(self, place: Place | None = None) -> None:
        self._place = place
        self._volatile = False
        self._seen: OrderedDict[str, None] = OrderedDict()

    @property
    def place(self) -> Place | None:
        """The position; None before the first answer and in volatile topics."""
        return self._place

    def subscribed(self, answer: frame_pb2.Subscribed) -> Action:
        """Apply an answer to Subscribe, or one that came unasked in mid-stream."""
        if answer.verdict == frame_pb2.VERDICT_LIVE or answer.epoch == _VOLATILE_EPOCH:
            self._place, self._volatile = None, True
            # A slow reader of a topic without a log is told what the hub has dropped.
            return Action.GAP if answer.verdict == frame_pb2.VERDICT_GAP else Action.LIVE
        self._volatile = False
        offset = answer.position.handled_offset
        known = self._place
        if known is None:
            action = _ACTIONS.get(answer.verdict, Action.OK)
        elif answer.verdict == frame_pb2.VERDICT_RESET or known.epoch != answer.epoch:
            # OK or GAP in another log would be the hub's mistake; the honest reading is that
            # state is void.
            action = Action.RESET
        else:
            # Runs may have moved us on while the answer was on its way; going back would hand
            # events over twice.
            action = _ACTIONS.get(answer.verdict, Action.OK)
            if action is Action.OK and offset > known.offset:
                # What lies between will not come; the application must hear of it.
                action = Action.GAP
            offset = max(offset, known.offset)
        self._place = Place(answer.epoch, offset)
        return action

    def forget(self) -> None:
        """The position means nothing any more: whatever log the next answer names is another."""
        self._place = Place(_NO_EPOCH, 0)

    def run(self, run: event_pb2.TopicRun) -> Taken:
        """Apply a run."""
        if run.epoch == _VOLATILE_EPOCH:
            return self._take_volatile(run.events)
        place = self._place
        if place is None or self._volatile or run.epoch != place.epoch:
            return Taken(Action.IGNORE)
        if run.through_offset <= place.offset:
            return Taken(Action.DROP, duplicates=len(run.events))
        if run.after_offset > place.offset:
            return Taken(Action.RESUBSCRIBE)
        fresh = [event for event in run.events if event.offset > place.offset]
        self._place = Place(place.epoch, run.through_offset)
        return Taken(Action.TAKE, fresh, len(run.events) - len(fresh))

    def _take_volatile(self, events: Sequence[event_pb2.Event]) -> Taken:
        fresh = []
        for event in events:
            if event.id in self._seen:
                continue
            fresh.append(event)
            self._seen[event.id] = None
            if len(self._seen) > REMEMBERED_IDS:
                self._seen.popitem(last=False)
        action = Action.TAKE if fresh or not events else Action.DROP
        return Taken(action, fresh, len(events) - len(fresh))


def id_at_end(run: event_pb2.TopicRun) -> str:
    """The id of the event at a run's end; empty where it was left out."""
    last = run.events[-1] if run.events else None
    return last.id if last is not None and last.offset == run.through_offset else ""


_ACTIONS = {
    frame_pb2.VERDICT_OK: Action.OK,
    frame_pb2.VERDICT_GAP: Action.GAP,
    frame_pb2.VERDICT_RESET: Action.RESET,
}
