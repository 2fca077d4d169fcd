"""G11: silence is noticed within 2.5 heartbeats; `complete_as_of` claims what was delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.guarantees.validators.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.guarantees.history import History, Log, Subscriber
    from tests.guarantees.observed import Watch

NAME = "G11 alive"
HEARTBEATS = 2.5
# What adding up seconds may lose.
EPSILON = 1e-3


def alive(history: History) -> list[Violation]:
    """Judge G11 on both sides, and each claim of completeness."""
    found = []
    for watch in history.watches:
        problem = _problem(watch)
        if problem:
            found.append(Violation(NAME, "", watch.side, problem))
    for subscriber in history.subscribers:
        for topic, log in history.logs.items():
            found.extend(_overclaimed(subscriber, topic, log))
    return found


def _problem(watch: Watch) -> str:
    silent, limit = watch.until - watch.heard_at, HEARTBEATS * watch.interval
    if silent > limit + watch.grain + EPSILON:
        when = "only noticed" if watch.noticed else "not noticed"
        return f"{watch.peer} was silent for {silent:.2f} s, {when} after {limit:.2f} s"
    if watch.noticed and silent < limit - EPSILON:
        return f"{watch.peer} was held for dead after {silent:.2f} s, before {limit:.2f} s"
    return ""


def _overclaimed(subscriber: Subscriber, topic: str, log: Log) -> Iterator[Violation]:
    for claim in subscriber.claims:
        epoch, reached = claim.reached.get(topic, (0, 0))
        if epoch != log.epoch:
            continue
        missing = next(
            (e for e in log.events if e.offset > reached and 0 < e.published_ms < claim.as_of_ms),
            None,
        )
        if missing is not None:
            early = claim.as_of_ms - missing.published_ms
            words = (
                f"complete as of {early} ms after {missing.id} was published at "
                f"{missing.offset}, and the reader stood at {reached}"
            )
            yield Violation(NAME, topic, subscriber.name, words)
