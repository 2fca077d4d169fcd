"""The part of G6 and G2 about conflation: what gives way, to what, and for whom.

Only an event with a key gives way, to a later one of its key that comes; only for a reader that
asked for it and lags, or in the snapshot that it began with.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from hub.session.position import LAG_SECONDS
from tests.guarantees.history import Omitted, Told
from tests.guarantees.validators.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.guarantees.history import History, Log, Stored, Subscriber

NAME: Final = "G6 honest"


def conflated(history: History, subscriber: Subscriber) -> Iterator[Violation]:
    """Judge every run of a subscriber that says that something was superseded."""
    judges = {topic: _Judge(history, subscriber, log) for topic, log in history.logs.items()}
    for word in subscriber.words:
        judge = judges.get(word.topic)
        if judge is None or word.epoch != judge.log.epoch or isinstance(word, Told):
            continue
        if isinstance(word, Omitted):
            if word.count is not None and word.as_of_ms and word.after >= judge.log.floor:
                for words in judge.problems(word):
                    yield Violation(NAME, word.topic, subscriber.name, words)
            judge.reached(word.through, word.at)
        else:
            judge.reached(word.offset, word.at)


class _Judge:
    """Of one subscriber in one topic."""

    def __init__(self, history: History, subscriber: Subscriber, log: Log) -> None:
        self.log = log
        self._clock = history.hub_clock
        self._asked = log.topic in subscriber.conflates
        self._snapshot_to = subscriber.snapshots.get(log.topic) or 0
        self._seen = {
            event.id
            for event in subscriber.deliveries
            if event.topic == log.topic and event.epoch == log.epoch
        }
        self._owed = subscriber.owed.get(log.topic, 0)
        self._of_key: dict[str, list[Stored]] = defaultdict(list)
        for event in log.events:
            if event.key:
                self._of_key[event.key].append(event)
        self._place: tuple[int, float] | None = None

    def reached(self, offset: int, at: float) -> None:
        """The subscriber had everything up to an offset at that time, by the recorder's clock."""
        if self._place is None or offset >= self._place[0]:
            self._place = offset, at

    def problems(self, run: Omitted) -> Iterator[str]:
        """What is wrong with what a run leaves out as superseded."""
        missing = [
            event
            for event in self.log.events
            if run.after < event.offset <= run.through
            and event.id not in self._seen
            and not event.withdrawn
            and not 0 < event.expires_ms <= run.as_of_ms
        ]
        for event in missing:
            problem = self._problem(event)
            if problem:
                yield f"{event.id} at {event.offset} was left out, {problem}"
        said = f"a run of ({run.after}, {run.through}] conflates"
        if not run.conflated or run.through <= self._snapshot_to:
            return
        if not self._asked and any(one.offset > self._snapshot_to for one in missing):
            yield f"{said} {run.conflated}, and nobody asked for it"
        elif self._asked and self._kept_up(run):
            yield f"{said} {run.conflated} for a reader that kept up"

    def _problem(self, event: Stored) -> str:
        """Why an event may not be left out that is still of use; empty = it may."""
        if not event.key:
            return "and it has no key"
        horizon = self.log.head if self._asked else self._snapshot_to or self.log.head
        later = [one for one in self._of_key[event.key] if event.offset < one.offset <= horizon]
        # One with an end may have come to it before its turn; beyond what was read nothing is owed.
        there = any(
            one.id in self._seen or one.expires_ms or one.offset > self._owed for one in later
        )
        return "" if there else "and no later event of its key came"

    def _kept_up(self, run: Omitted) -> bool:
        """Whether all that was left for the reader was published too short a time ago to lag.

        It had everything when the run before came, and what it gets now was published after that.
        """
        if self._clock is None or self._place is None or self._place[0] != run.after:
            return False
        next_ms = next((one.published_ms for one in self.log.events if one.offset > run.after), 0)
        had_all = next_ms > (self._place[1] + self._clock) * 1000
        return had_all and run.as_of_ms - next_ms <= LAG_SECONDS * 1000
